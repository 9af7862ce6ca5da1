# METADATA
# scope: package
# title: Personal data leaving a region
# description: |
#   A model call from a protected region (context.region) with personal data (payload.contains_pii) is refused, unless
#   the model runs in that region (context.model_region). Where it is not said whether there is personal data, a person
#   must look. Settings: data.settings.pii_region {actions, regions}; by default llm_call and EU.
package trailmix.policies.pii_region

default actions := ["llm_call"]

actions := data.settings.pii_region.actions

default regions := ["EU"]

regions := data.settings.pii_region.regions

leaves if {
	input.action in actions
	input.context.region in regions
	object.get(input, ["context", "model_region"], null) != input.context.region
}

contains_pii := object.get(input, ["payload", "contains_pii"], null)

# METADATA
# title: Personal data would leave
# description: The call says that it carries personal data out of its region.
deny contains {"rule": "leaves", "reason": $"PII cannot exit {input.context.region}"} if {
	leaves
	contains_pii == true
}

# METADATA
# title: Not said
# description: Neither true nor false is said of personal data, so nobody could say that there is none.
approve contains {"rule": "not_said", "reason": "it is not said whether there is PII"} if {
	leaves
	not is_boolean(contains_pii)
}
