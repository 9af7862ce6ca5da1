package trailmix.policies.evals_floor_test

import data.trailmix.policies.evals_floor

call(evals) := {"action": "send_reply", "payload": {}, "context": {"evals": evals}}

asks if {entry.rule | some entry in evals_floor.approve} == {"not_evaluated"}

test_good_enough_passes if {
	not asks with input as call([{"name": "groundedness", "score": 0.8}])
	evals_floor.deny == set() with input as call([{"name": "groundedness", "score": 0.8}])
}

test_below_the_floor_is_refused if {
	evals_floor.deny == {{"rule": "below_floor", "reason": "groundedness is below 0.8"}} with input as call([
		{"name": "groundedness", "score": 0.9},
		{"name": "groundedness", "score": 0.79},
	])
}

test_not_evaluated_asks if {
	every evals in [[], [{"name": "toxicity", "score": 1}], [{"name": "groundedness", "score": "1"}]] {
		asks with input as call(evals)
	}
	asks with input as {"action": "publish", "payload": {}, "context": {}}
}

test_other_actions_pass if not asks with input as {"action": "read", "payload": {}, "context": {}}

test_settings if {
	count(evals_floor.deny) == 1 with input as {"action": "post", "payload": {}, "context": {"evals": [{"name": "tone", "score": 2}]}}
		with data.settings.evals_floor as {"actions": ["post"], "name": "tone", "floor": 3}
}
