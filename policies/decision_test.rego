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
