package trailmix.policies.wires_test

import data.trailmix.policies.wires

call(n) := {"action": "send_wire", "payload": {"amount": n, "iban": "DE0012"}}

rules := {entry.rule | some entry in wires.approve}

test_small_wires_pass if rules == set() with input as call(10000)

test_large_wires_ask if rules == {"above_limit"} with input as call(12000)

test_very_large_wires_ask_two_people if rules == {"above_limit", "two_people"} with input as call(100001)

test_unreadable_wires_ask if {
	rules == {"unreadable_amount", "unreadable_account"} with input as {"action": "send_wire", "payload": {"args": [1]}}
}

test_blocked_countries_are_refused if {
	wires.deny == {{"rule": "blocked_country", "reason": "wire to DE"}} with input as call(1)
		with data.settings.wires as {"blocked_countries": ["DE"]}
	wires.deny == set() with input as call(1)
}

test_settings if {
	rules == {"above_limit", "two_people"} with input as {"action": "sepa", "payload": {"amount": 3, "iban": "FR1"}}
		with data.settings.wires as {"actions": ["sepa"], "limit": 1, "two_people_above": 2}
}
