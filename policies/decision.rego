# METADATA
# scope: package
# title: The answer to a gated call
# description: |
#   Every other file of this package only adds reasons to `deny` and `approve`. Policies of the library
#   (package trailmix.policies.<name>) add `{"rule", "reason"}`, and count where data.settings.policies names them.
#   Deny beats approve, approve beats allow, and the reasons of all rules that matched are given, denials first.
package trailmix

decision := object.union(
	object.union({"result": result, "reasons": array.concat(sort(denials), sort(approvals))}, named),
	asked_of,
)

result := "deny" if {
	count(denials) > 0
} else := "approve" if {
	count(approvals) > 0
} else := "allow"

# By their full names: a set of policies need not hold both.
denials contains reason if some reason in data.trailmix.deny

denials contains entry.reason if some entry in library_deny

approvals contains reason if some reason in data.trailmix.approve

approvals contains entry.reason if some entry in library_approve

library_deny contains {"rule": $"{name}.{entry.rule}", "reason": entry.reason} if {
	some name in data.settings.policies
	some entry in data.trailmix.policies[name].deny
}

# A name that is not there must not pass for a policy that said nothing.
library_deny contains {"rule": "settings.policies", "reason": $"policy {name} is not there"} if {
	some name in data.settings.policies
	not data.trailmix.policies[name].deny
	not data.trailmix.policies[name].approve
}

library_deny contains {"rule": "settings.policies", "reason": "data.settings.policies is no list of names"} if {
	data.settings.policies
	not is_array(data.settings.policies)
}

# Two policies whose approvers exclude each other cannot both be satisfied.
library_deny contains {"rule": "decision.required", "reason": "no role may approve for all policies that ask"} if {
	count(role_lists) > 0
	count(intersection(role_lists)) == 0
}

library_approve contains object.union(entry, {"rule": $"{name}.{entry.rule}"}) if {
	some name in data.settings.policies
	some entry in data.trailmix.policies[name].approve
}

role_lists := {roles |
	some entry in library_approve
	roles := {role | some role in entry.required.roles}
	count(roles) > 0
}

# Rule names, where rules have names: denials first.
named := {"rules": rules} if {
	rules := array.concat(sort({entry.rule | some entry in library_deny}), sort({entry.rule | some entry in library_approve}))
	count(rules) > 0
} else := {}

# The most people that any policy asks for, of the roles that all of them accept.
asked_of := {"required": {"k": max(people), "roles": roles}} if {
	result == "approve"
	people := {entry.required.k | some entry in library_approve}
	count(people) > 0
	roles := [role | count(role_lists) > 0; some role in intersection(role_lists)]
} else := {}
