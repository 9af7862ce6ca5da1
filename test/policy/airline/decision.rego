package trailmix

decision := {"result": result, "reasons": array.concat(sort(deny), sort(approve))}

result := "deny" if {
	count(deny) > 0
} else := "approve" if {
	count(approve) > 0
} else := "allow"
