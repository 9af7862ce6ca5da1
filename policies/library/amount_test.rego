package trailmix.lib.amount_test

import data.trailmix.lib.amount

test_by_default_payload_amount if amount.value == 7 with input as {"payload": {"amount": 7}}

test_a_field_that_the_call_site_names if {
	amount.value == 9 with input as {"payload": {"total": 9}, "context": {"amount_field": "total"}}
}

test_a_field_further_down if {
	amount.value == 11 with input as {"payload": {"order": {"total": 11}}, "context": {"amount_field": "order.total"}}
}

test_unreadable if {
	every payload in [{}, {"amount": "7"}, {"amount": null}, {"args": [7]}] {
		amount.unreadable with input as {"payload": payload}
		not amount.value with input as {"payload": payload}
	}
}

test_a_number_is_readable if not amount.unreadable with input as {"payload": {"amount": 0}}
