# Refunds above 500 need approval.
# So does a refund whose amount is not a number: nobody could say that it is small.
# (`not is_number(input.payload.amount)` would be undefined, hence silent, where there is no amount.)
package trailmix

approve contains "refund > 500" if {
	input.action == "issue_refund"
	is_number(input.payload.amount)
	input.payload.amount > 500
}

approve contains "refund without a readable amount" if {
	input.action == "issue_refund"
	not is_number(object.get(input, ["payload", "amount"], null))
}
