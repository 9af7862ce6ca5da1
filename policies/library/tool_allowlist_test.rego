package trailmix.policies.tool_allowlist_test

import data.trailmix.policies.tool_allowlist

call(app, action) := {"app_id": app, "action": action}

lists := {"bot": ["quote", "read_*"], "*": ["ping"]}

refused if count(tool_allowlist.deny) == 1

test_what_is_listed_passes if {
	every action in ["quote", "read_balance"] {
		not refused with input as call("bot", action) with data.settings.tool_allowlist.apps as lists
	}
}

test_what_is_not_listed_is_refused if {
	every action in ["send_wire", "quotes", "ping"] {
		refused with input as call("bot", action) with data.settings.tool_allowlist.apps as lists
	}
}

test_every_other_app if {
	not refused with input as call("other", "ping") with data.settings.tool_allowlist.apps as lists
	refused with input as call("other", "quote") with data.settings.tool_allowlist.apps as lists
}

test_no_list_allows_nothing if {
	tool_allowlist.deny == {{"rule": "not_listed", "reason": "ping is not on the list of bot"}} with input as call("bot", "ping")
}
