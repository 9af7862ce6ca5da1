package trailmix_pii_test

import data.trailmix

call(region, pii) := {
	"action": "llm_call",
	"context": {"region": region},
	"payload": {"contains_pii": pii},
}

test_pii_in_the_eu_is_denied if {
	trailmix.decision == {"result": "deny", "reasons": ["PII cannot exit EU"]} with input as call("EU", true)
}

test_no_pii_in_the_eu_is_allowed if {
	trailmix.decision == {"result": "allow", "reasons": []} with input as call("EU", false)
}

test_pii_elsewhere_is_allowed if {
	trailmix.decision == {"result": "allow", "reasons": []} with input as call("US", true)
}
