# METADATA
# title: Refunds above 500 need approval
# description: A refund whose amount cannot be read as a number needs it too, for nobody could say that it is small.
package trailmix

approve contains "refund > 500" if {
	input.action == "issue_refund"
	is_number(input.payload.amount)
	input.payload.amount > 500
}

approve contains "refund without a readable amount" if {
	input.action == "issue_refund"
	not is_number(input.payload.amount)
}
