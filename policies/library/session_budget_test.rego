package trailmix.policies.session_budget_test

import data.trailmix.policies.session_budget

session(spend, asked, by_action, decisions) := {
	"turns": 1,
	"actions": [{"name": "pay", "decision": decision} | some decision in decisions],
	"counts": {"asked": asked, "allow": 0, "deny": 0, "approve": 0, "by_action": by_action},
	"spend": spend,
	"first_seen_tools": ["pay"],
	"complete": true,
}

call(n, so_far) := {"action": "pay", "payload": {"amount": n}, "session": so_far}

rules := {entry.rule | some entry in session_budget.approve}

test_within_the_budget if {
	rules == set() with input as call(100, session(900, 99, {"pay": 19}, []))
	session_budget.deny == set() with input as call(100, session(900, 99, {"pay": 19}, []))
}

test_spend if rules == {"spend"} with input as call(100.5, session(900, 1, {}, []))

test_a_call_without_an_amount_spends_nothing if {
	rules == set() with input as {"action": "read", "payload": {}, "session": session(2000, 1, {}, [])}
}

test_calls if rules == {"calls"} with input as call(1, session(0, 100, {}, []))

test_calls_of_one_action if rules == {"calls_of_one_action"} with input as call(1, session(0, 20, {"pay": 20}, []))

test_refusals if {
	d := ["allow", "deny", "deny", "deny", "deny", "deny"]
	{entry.rule | some entry in session_budget.deny} == {"refused_again_and_again"} with input as call(1, session(0, 6, {}, d))
	e := ["deny", "deny", "deny", "deny", "deny", "allow"]
	session_budget.deny == set() with input as call(1, session(0, 6, {}, e))
	f := ["deny", "deny"]
	session_budget.deny == set() with input as call(1, session(0, 2, {}, f))
}

test_a_session_that_is_not_known_asks if {
	rules == {"session_not_known"} with input as {"action": "pay", "payload": {"amount": 1}}
	cut := object.union(session(0, 1, {}, []), {"complete": false})
	rules == {"session_not_known"} with input as call(1, cut)
}

test_settings if {
	settings := {"spend": 1, "calls": 1, "calls_of_one_action": 1, "refusals": 1}
	rules == {"spend", "calls", "calls_of_one_action"} with input as call(2, session(0, 1, {"pay": 1}, ["deny"]))
		with data.settings.session_budget as settings
	count(session_budget.deny) == 1 with input as call(2, session(0, 1, {"pay": 1}, ["deny"]))
		with data.settings.session_budget as settings
}
