# The answer to a gated call.
# Every other file of this package only adds reasons to `deny` and `approve`. Deny beats approve, approve beats
# allow, and the reasons of all rules that matched are given, denials first.
package trailmix

decision := {"result": result, "reasons": array.concat(sort(deny), sort(approve))}

result := "deny" if {
	count(deny) > 0
} else := "approve" if {
	count(approve) > 0
} else := "allow"
