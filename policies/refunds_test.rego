package trailmix_refunds_test

import data.trailmix

refund(payload) := {"action": "issue_refund", "payload": payload}

test_above_500_asks if {
	trailmix.decision == {"result": "approve", "reasons": ["refund > 500"]} with input as refund({"amount": 500.01})
}

test_500_is_allowed if {
	trailmix.decision == {"result": "allow", "reasons": []} with input as refund({"amount": 500})
}

test_amounts_that_are_no_number_ask if {
	every payload in [{}, {"amount": null}, {"amount": "20"}, {"args": ["42", 20]}] {
		decision := trailmix.decision with input as refund(payload)
		decision == {"result": "approve", "reasons": ["refund without a readable amount"]}
	}
}

test_other_actions_do_not_ask if {
	trailmix.decision.result == "allow" with input as {"action": "quote", "payload": {"amount": 9000}}
}
