package trailmix.policies.pii_region_test

import data.trailmix.policies.pii_region

call(region, pii) := {"action": "llm_call", "context": {"region": region}, "payload": {"contains_pii": pii}}

test_pii_from_the_eu_is_refused if {
	pii_region.deny == {{"rule": "leaves", "reason": "PII cannot exit EU"}} with input as call("EU", true)
	pii_region.approve == set() with input as call("EU", true)
}

test_no_pii_passes if {
	pii_region.deny == set() with input as call("EU", false)
	pii_region.approve == set() with input as call("EU", false)
}

test_elsewhere_passes if pii_region.deny == set() with input as call("US", true)

test_a_model_in_the_region_passes if {
	sent := {"action": "llm_call", "context": {"region": "EU", "model_region": "EU"}, "payload": {"contains_pii": true}}
	pii_region.deny == set() with input as sent
}

test_not_said_asks if {
	every pii in [null, "no", 0] {
		{entry.rule | some entry in pii_region.approve} == {"not_said"} with input as call("EU", pii)
	}
}

test_settings if {
	pii_region.deny == {{"rule": "leaves", "reason": "PII cannot exit CH"}} with input as {
		"action": "embed",
		"context": {"region": "CH"},
		"payload": {"contains_pii": true},
	}
		with data.settings.pii_region as {"actions": ["embed"], "regions": ["CH"]}
}
