package trailmix.policies.destructive_test

import data.trailmix.policies.destructive

call(action, payload) := {"action": action, "payload": payload, "context": {}}

rules := {entry.rule | some entry in destructive.approve}

test_names_that_destroy_ask if {
	every action in ["delete_user", "user.delete", "Drop-Table"] {
		rules == {"destroys"} with input as call(action, {"id": "42"})
		destructive.deny == set() with input as call(action, {"id": "42"})
	}
}

test_names_that_only_sound_so_pass if {
	every action in ["undelete", "dropdown_open", "read"] {
		rules == set() with input as call(action, {})
	}
}

test_text_that_destroys_asks if {
	every text in ["DROP TABLE users", "delete from users where id = 1", "sudo rm -rf /srv/x"] {
		rules == {"destroys"} with input as call("run", {"command": [text]})
	}
}

test_everything_is_refused if {
	destructive.deny == {{"rule": "everything", "reason": "it would destroy everything"}} with input as call("run", {"sql": "DELETE FROM users;"})
	count(destructive.deny) == 1 with input as call("delete_files", {"path": "*"})
	destructive.deny == set() with input as call("list_files", {"path": "*"})
}

test_production_asks_two_people if {
	rules == {"destroys", "in_production"} with input as {
		"action": "delete_user",
		"payload": {},
		"context": {"environment": "prod"},
	}
}

test_settings if {
	rules == {"destroys", "in_production"} with input as {"action": "burn", "payload": {}, "context": {"environment": "live"}}
		with data.settings.destructive as {"words": ["burn"], "production": ["live"]}
}
