# METADATA
# scope: package
# title: Payments by amount
# description: |
#   Paying a vendor, an invoice or a payout above the limit needs a person, above the second limit two.
#   Settings: data.settings.payments {actions, limit, two_people_above}; by default pay_vendor, pay_invoice, payout,
#   1,000, 25,000.
package trailmix.policies.payments

import data.trailmix.lib.amount

default actions := ["pay_vendor", "pay_invoice", "payout"]

actions := data.settings.payments.actions

default limit := 1000

limit := data.settings.payments.limit

default two_people_above := 25000

two_people_above := data.settings.payments.two_people_above

applies if input.action in actions

# METADATA
# title: Above the limit
# description: A person must look at a payment of this size.
approve contains {"rule": "above_limit", "reason": $"payment > {limit}"} if {
	applies
	amount.value > limit
}

# METADATA
# title: Two people
# description: Above the second limit, one pair of eyes is too few.
approve contains {"rule": "two_people", "reason": $"payment > {two_people_above}", "required": {"k": 2, "roles": []}} if {
	applies
	amount.value > two_people_above
}

# METADATA
# title: Amount that cannot be read
# description: Nobody could say that it is small.
approve contains {"rule": "unreadable_amount", "reason": "payment without a readable amount"} if {
	applies
	amount.unreadable
}
