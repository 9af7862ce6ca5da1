package trailmix_test

import data.trailmix

test_nothing_matched_is_allowed if {
	trailmix.decision == {"result": "allow", "reasons": []} with input as {"action": "read_balance", "payload": {}}
}

test_deny_beats_approve_and_reasons_merge if {
	decision := trailmix.decision with input as {}
		with data.trailmix.deny as {"d2", "d1"}
		with data.trailmix.approve as {"a1"}
	decision == {"result": "deny", "reasons": ["d1", "d2", "a1"]}
}

test_approve_beats_allow if {
	decision := trailmix.decision with input as {}
		with data.trailmix.approve as {"a2", "a1"}
	decision == {"result": "approve", "reasons": ["a1", "a2"]}
}

mock(entries) := {"a": {"deny": {e | some e in entries.deny}, "approve": {e | some e in entries.approve}}}

test_named_policies_count_and_others_do_not if {
	policies := mock({"deny": [], "approve": [{"rule": "r", "reason": "asks"}]})
	trailmix.decision == {"result": "approve", "reasons": ["asks"], "rules": ["a.r"]} with input as {}
		with data.settings.policies as ["a"]
		with data.trailmix.policies as policies
	trailmix.decision == {"result": "allow", "reasons": []} with input as {}
		with data.settings.policies as []
		with data.trailmix.policies as policies
}

test_rule_names_merge_denials_first if {
	decision := trailmix.decision with input as {}
		with data.settings.policies as ["a"]
		with data.trailmix.policies as mock({"deny": [{"rule": "z", "reason": "d"}], "approve": [{"rule": "b", "reason": "p"}]})
		with data.trailmix.approve as {"own"}
	decision == {"result": "deny", "reasons": ["d", "own", "p"], "rules": ["a.z", "a.b"]}
}

test_the_most_people_and_the_common_roles if {
	decision := trailmix.decision with input as {"action": "x", "payload": {}}
		with data.settings.policies as ["a", "b"]
		with data.trailmix.policies as {
			"a": {"approve": {{"rule": "r", "reason": "a", "required": {"k": 2, "roles": ["cfo", "owner"]}}}},
			"b": {"approve": {{"rule": "r", "reason": "b", "required": {"k": 1, "roles": ["cfo"]}}}},
		}
	decision == {
		"result": "approve",
		"reasons": ["a", "b"],
		"rules": ["a.r", "b.r"],
		"required": {"k": 2, "roles": ["cfo"]},
	}
}

test_approvers_that_exclude_each_other_are_refused if {
	decision := trailmix.decision with input as {"action": "x", "payload": {}}
		with data.settings.policies as ["a", "b"]
		with data.trailmix.policies as {
			"a": {"approve": {{"rule": "r", "reason": "a", "required": {"k": 1, "roles": ["cfo"]}}}},
			"b": {"approve": {{"rule": "r", "reason": "b", "required": {"k": 1, "roles": ["owner"]}}}},
		}
	decision.result == "deny"
	decision.reasons[0] == "no role may approve for all policies that ask"
	not decision.required
}

test_a_policy_that_is_not_there_is_refused if {
	trailmix.decision.reasons == ["policy refnuds is not there"] with input as {"action": "x", "payload": {}}
		with data.settings.policies as ["refnuds"]
}

test_settings_that_are_no_list_are_refused if {
	trailmix.decision.result == "deny" with input as {"action": "x", "payload": {}}
		with data.settings.policies as "refunds"
}
