# Wires above 10,000 need approval.
# So does a wire whose amount is not a number: nobody could say that it is small.
# (`not is_number(input.payload.amount)` would be undefined, hence silent, where there is no amount.)
package trailmix

approve contains "wire > 10,000" if {
	input.action == "send_wire"
	is_number(input.payload.amount)
	input.payload.amount > 10000
}

approve contains "wire without a readable amount" if {
	input.action == "send_wire"
	not is_number(object.get(input, ["payload", "amount"], null))
}
