# METADATA
# scope: package
# title: Budgets of a session
# description: |
#   What a session may spend and how often it may ask before a person looks: spend with this call, gated calls in all,
#   calls of one action. A session that goes on asking after several refusals in a row is refused. Where the session is
#   not known, a person must look. Amounts are added as numbers, whatever the currency.
#   Settings: data.settings.session_budget {spend, calls, calls_of_one_action, refusals}; by default 1,000, 100, 20, 5.
package trailmix.policies.session_budget

import data.trailmix.lib.amount

default spend := 1000

spend := data.settings.session_budget.spend

default calls := 100

calls := data.settings.session_budget.calls

default calls_of_one_action := 20

calls_of_one_action := data.settings.session_budget.calls_of_one_action

default refusals := 5

refusals := data.settings.session_budget.refusals

session := input.session

default this_amount := 0

this_amount := amount.value

latest := array.slice(session.actions, count(session.actions) - refusals, count(session.actions))

# METADATA
# title: Goes on after refusals
# description: The latest calls of the session were all refused; a person should look at it.
deny contains {"rule": "refused_again_and_again", "reason": $"the last {refusals} calls were refused"} if {
	count(latest) == refusals
	every action in latest {
		action.decision == "deny"
	}
}

# METADATA
# title: Spend
# description: With this call the session would have spent more than its budget.
approve contains {"rule": "spend", "reason": $"the session would spend more than {spend}"} if {
	this_amount > 0
	session.spend + this_amount > spend
}

# METADATA
# title: Calls
# description: The session has asked for more gated calls than its budget.
approve contains {"rule": "calls", "reason": $"more than {calls} calls in this session"} if {
	session.counts.asked >= calls
}

# METADATA
# title: Calls of one action
# description: The session has asked for this action more often than its budget.
approve contains {"rule": "calls_of_one_action", "reason": $"more than {calls_of_one_action} calls of {input.action}"} if {
	object.get(session.counts.by_action, input.action, 0) >= calls_of_one_action
}

# METADATA
# title: Session that is not known
# description: What came before is not known whole, so nobody could say what is left of the budget.
approve contains {"rule": "session_not_known", "reason": "the session so far is not known"} if {
	object.get(input, ["session", "complete"], false) != true
}
