package trailmix.policies.off_hours_test

import data.trailmix.policies.off_hours

at(now) := {"action": "x", "risk": "high", "now": now}

rules := {entry.rule | some entry in off_hours.approve}

test_working_hours_pass if {
	every now in ["2026-11-20T07:00:00Z", "2026-11-20T18:59:59.999999Z", "2024-02-29T12:00:00Z"] {
		rules == set() with input as at(now)
	}
}

test_night_asks if {
	every now in ["2026-11-20T06:59:59Z", "2026-11-20T19:00:00Z", "2026-11-20T00:00:00Z"] {
		rules == {"off_hours"} with input as at(now)
	}
}

test_the_weekend_asks if {
	every now in ["2026-11-21T12:00:00Z", "2026-11-22T12:00:00Z", "2000-01-01T12:00:00Z", "2023-01-01T12:00:00Z"] {
		rules == {"off_hours"} with input as at(now)
	}
}

test_weekdays if {
	off_hours.weekday == 0 with input as at("2026-11-22T00:00:00Z")
	off_hours.weekday == 3 with input as at("2025-12-31T00:00:00Z")
	off_hours.weekday == 4 with input as at("2024-02-29T00:00:00Z")
}

test_low_risk_passes if rules == set() with input as {"action": "x", "risk": "low", "now": "2026-11-22T03:00:00Z"}

test_no_time_asks if rules == {"time_not_known"} with input as {"action": "x", "risk": "high"}

test_settings if {
	settings := {"risks": ["low"], "from": 0, "to": 24, "weekend": []}
	rules == set() with input as {"action": "x", "risk": "low", "now": "2026-11-22T03:00:00Z"}
		with data.settings.off_hours as settings
}
