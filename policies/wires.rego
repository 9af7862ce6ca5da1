# METADATA
# title: Wires above 10,000 need approval
# description: A wire whose amount cannot be read as a number needs it too.
package trailmix

approve contains "wire > 10,000" if {
	input.action == "send_wire"
	is_number(input.payload.amount)
	input.payload.amount > 10000
}

approve contains "wire without a readable amount" if {
	input.action == "send_wire"
	not is_number(input.payload.amount)
}
