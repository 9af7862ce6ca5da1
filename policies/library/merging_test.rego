package trailmix_library_test

import data.trailmix

refund := {"action": "issue_refund", "payload": {"amount": 20000}, "context": {}, "app_id": "bot", "risk": "high"}

test_only_policies_that_are_named_count if {
	trailmix.decision.reasons == ["refund > 500"] with input as refund
	not trailmix.decision.rules with input as refund
}

test_reasons_and_rule_names_merge_denials_first if {
	trailmix.decision == {
		"result": "deny",
		"reasons": ["refund > 10000", "refund > 500", "the time of the call is not known"],
		"rules": ["refunds.above_ceiling", "off_hours.time_not_known", "refunds.above_limit"],
	} with input as refund
		with data.settings.policies as ["refunds", "off_hours"]
}
