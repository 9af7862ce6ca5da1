# METADATA
# scope: package
# title: Destructive operations
# description: |
#   Calls whose name says that something is destroyed (delete_user, drop_table), and SQL or shell text that does, need
#   a person; in production (context.environment) two. Deleting everything (`*`, or SQL without WHERE) is refused.
#   Settings: data.settings.destructive {words, production}; by default the words here, and prod and production.
package trailmix.policies.destructive

default words := ["delete", "drop", "truncate", "destroy", "wipe", "purge", "erase", "remove", "terminate"]

words := data.settings.destructive.words

default production := ["prod", "production"]

production := data.settings.destructive.production

named if {
	some word in split(replace(replace(lower(input.action), "-", "_"), ".", "_"), "_")
	word in words
}

texts contains lower(text) if {
	walk(input.payload, [_, text])
	is_string(text)
}

written if {
	some text in texts
	regex.match(`\b(drop\s+(table|database|schema)|truncate\s+table|delete\s+from|rm\s+-[a-z]*r[a-z]*f?|mkfs)\b`, text)
}

destructive if named

destructive if written

everything if {
	named
	"*" in texts
}

everything if {
	some text in texts
	regex.match(`\bdelete\s+from\s+\S+\s*;?\s*$`, text)
}

# METADATA
# title: Everything at once
# description: A deletion without a bound is never what a single call should do.
deny contains {"rule": "everything", "reason": "it would destroy everything"} if everything

# METADATA
# title: Destroys something
# description: It cannot be taken back, so a person must look first.
approve contains {"rule": "destroys", "reason": $"{input.action} destroys something"} if destructive

# METADATA
# title: In production
# description: Two people must look before something in production is destroyed.
approve contains {"rule": "in_production", "reason": "it destroys something in production", "required": {"k": 2, "roles": []}} if {
	destructive
	input.context.environment in production
}
