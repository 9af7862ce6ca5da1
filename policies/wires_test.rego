package trailmix_wires_test

import data.trailmix

wire(payload) := {"action": "send_wire", "payload": payload}

test_above_10000_asks if {
	trailmix.decision == {"result": "approve", "reasons": ["wire > 10,000"]} with input as wire({"amount": 12000})
}

test_10000_is_allowed if {
	trailmix.decision == {"result": "allow", "reasons": []} with input as wire({"amount": 10000})
}

test_amounts_that_are_no_number_ask if {
	every payload in [{}, {"amount": "12000"}, {"args": [12000, "DE00"]}] {
		decision := trailmix.decision with input as wire(payload)
		decision == {"result": "approve", "reasons": ["wire without a readable amount"]}
	}
}
