# METADATA
# scope: package
# title: Tool allow-list
# description: |
#   Only the tools that an app's list names may be called. Settings: data.settings.tool_allowlist.apps, an object of
#   lists by app_id; `*` is the list of every app that has none of its own. An app without any list may call nothing.
#   A name may end in `*` (`read_*`).
package trailmix.policies.tool_allowlist

default lists := {}

lists := data.settings.tool_allowlist.apps

allowed := object.get(lists, input.app_id, object.get(lists, "*", []))

listed if input.action in allowed

listed if {
	some name in allowed
	endswith(name, "*")
	startswith(input.action, trim_suffix(name, "*"))
}

# METADATA
# title: Not on the list
# description: The app's list does not name this tool.
deny contains {"rule": "not_listed", "reason": $"{input.action} is not on the list of {input.app_id}"} if not listed
