# METADATA
# scope: package
# title: Wires
# description: |
#   A wire above the limit needs a person, above the second limit two. A wire to a country on the blocked list (the
#   first two letters of the IBAN) is refused, one without an IBAN asks.
#   Settings: data.settings.wires {actions, limit, two_people_above, blocked_countries}; by default send_wire, 10,000,
#   100,000, none.
package trailmix.policies.wires

import data.trailmix.lib.amount

default actions := ["send_wire"]

actions := data.settings.wires.actions

default limit := 10000

limit := data.settings.wires.limit

default two_people_above := 100000

two_people_above := data.settings.wires.two_people_above

default blocked_countries := []

blocked_countries := data.settings.wires.blocked_countries

applies if input.action in actions

iban := object.get(input, ["payload", "iban"], null)

# METADATA
# title: Blocked country
# description: The account is held where wires may not go.
deny contains {"rule": "blocked_country", "reason": $"wire to {country}"} if {
	applies
	is_string(iban)
	country := upper(substring(trim_space(iban), 0, 2))
	country in blocked_countries
}

# METADATA
# title: Above the limit
# description: A person must look at a wire of this size.
approve contains {"rule": "above_limit", "reason": $"wire > {limit}"} if {
	applies
	amount.value > limit
}

# METADATA
# title: Two people
# description: Above the second limit, one pair of eyes is too few.
approve contains {"rule": "two_people", "reason": $"wire > {two_people_above}", "required": {"k": 2, "roles": []}} if {
	applies
	amount.value > two_people_above
}

# METADATA
# title: Amount that cannot be read
# description: Nobody could say that it is small.
approve contains {"rule": "unreadable_amount", "reason": "wire without a readable amount"} if {
	applies
	amount.unreadable
}

# METADATA
# title: Account that cannot be read
# description: Nobody could say where the money goes.
approve contains {"rule": "unreadable_account", "reason": "wire without an IBAN"} if {
	applies
	not is_string(iban)
}
