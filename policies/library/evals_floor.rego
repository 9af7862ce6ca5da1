# METADATA
# scope: package
# title: Missing evaluations
# description: |
#   What goes out to people must have been evaluated: context.evals holds `{name, score}` for the needed evaluation,
#   with a score at or above the floor. Without one a person must look; below the floor it is refused.
#   Settings: data.settings.evals_floor {actions, name, floor}; by default send_email, send_reply, publish,
#   groundedness, 0.8.
package trailmix.policies.evals_floor

default actions := ["send_email", "send_reply", "publish"]

actions := data.settings.evals_floor.actions

default needed := "groundedness"

needed := data.settings.evals_floor.name

default floor_score := 0.8

floor_score := data.settings.evals_floor.floor

applies if input.action in actions

scores contains evaluation.score if {
	some evaluation in input.context.evals
	evaluation.name == needed
	is_number(evaluation.score)
}

# METADATA
# title: Below the floor
# description: It was evaluated, and found too poor.
deny contains {"rule": "below_floor", "reason": $"{needed} is below {floor_score}"} if {
	applies
	min(scores) < floor_score
}

# METADATA
# title: Not evaluated
# description: Nobody has shown that it is good enough.
approve contains {"rule": "not_evaluated", "reason": $"{needed} was not evaluated"} if {
	applies
	count(scores) == 0
}
