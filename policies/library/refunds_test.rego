package trailmix.policies.refunds_test

import data.trailmix.policies.refunds

call(n) := {"action": "issue_refund", "payload": {"amount": n}, "context": {}}

rules(set) := {entry.rule | some entry in set}

test_above_the_limit_asks if {
	rules(refunds.approve) == {"above_limit"} with input as call(500.01)
	rules(refunds.deny) == set() with input as call(500.01)
}

test_the_limit_itself_passes if refunds.approve == set() with input as call(500)

test_above_the_ceiling_is_refused if {
	refunds.deny == {{"rule": "above_ceiling", "reason": "refund > 10000"}} with input as call(10001)
}

test_an_amount_in_words_asks if rules(refunds.approve) == {"unreadable_amount"} with input as call("20")

test_another_field if {
	sent := {"action": "issue_refund", "payload": {"total": 600}, "context": {"amount_field": "total"}}
	rules(refunds.approve) == {"above_limit"} with input as sent
}

test_settings if {
	settings := {"actions": ["give_back"], "limit": 5, "ceiling": 50}
	rules(refunds.approve) == {"above_limit"} with input as {"action": "give_back", "payload": {"amount": 6}}
		with data.settings.refunds as settings
	rules(refunds.deny) == {"above_ceiling"} with input as {"action": "give_back", "payload": {"amount": 51}}
		with data.settings.refunds as settings
	refunds.approve == set() with input as call(600) with data.settings.refunds as settings
}
