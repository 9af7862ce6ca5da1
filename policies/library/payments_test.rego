package trailmix.policies.payments_test

import data.trailmix.policies.payments

call(n) := {"action": "pay_vendor", "payload": {"amount": n}, "context": {}}

rules := {entry.rule | some entry in payments.approve}

test_small_payments_pass if rules == set() with input as call(1000)

test_above_the_limit_asks if rules == {"above_limit"} with input as call(1000.5)

test_large_payments_ask_two_people if {
	rules == {"above_limit", "two_people"} with input as call(25001)
	{"k": 2, "roles": []} in {entry.required | some entry in payments.approve} with input as call(25001)
}

test_unreadable_amounts_ask if rules == {"unreadable_amount"} with input as call(null)

test_other_actions_pass if rules == set() with input as {"action": "quote", "payload": {"amount": 1e9}}

test_settings if {
	settings := {"actions": ["settle"], "limit": 1, "two_people_above": 2}
	rules == {"above_limit", "two_people"} with input as {"action": "settle", "payload": {"amount": 3}}
		with data.settings.payments as settings
}
