# METADATA
# scope: package
# title: Refunds by amount
# description: |
#   A refund above the limit needs a person; one above the ceiling is refused. So does a refund whose amount is no
#   number. Settings: data.settings.refunds {actions, limit, ceiling}; by default issue_refund, 500, 10,000.
package trailmix.policies.refunds

import data.trailmix.lib.amount

default actions := ["issue_refund"]

actions := data.settings.refunds.actions

default limit := 500

limit := data.settings.refunds.limit

default ceiling := 10000

ceiling := data.settings.refunds.ceiling

applies if input.action in actions

# METADATA
# title: Above the ceiling
# description: Nobody approves a refund of this size here.
deny contains {"rule": "above_ceiling", "reason": $"refund > {ceiling}"} if {
	applies
	amount.value > ceiling
}

# METADATA
# title: Above the limit
# description: A person must look at a refund of this size.
approve contains {"rule": "above_limit", "reason": $"refund > {limit}"} if {
	applies
	amount.value > limit
}

# METADATA
# title: Amount that cannot be read
# description: Nobody could say that it is small.
approve contains {"rule": "unreadable_amount", "reason": "refund without a readable amount"} if {
	applies
	amount.unreadable
}
