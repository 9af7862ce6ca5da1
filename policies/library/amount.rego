# METADATA
# scope: package
# title: The amount of a call
# description: |
#   `value` is the number under payload.<field>, where the call site names the field as context.amount_field (the
#   Python SDK's amount_field), else under payload.amount. A dotted name (`order.total`) goes down. It is undefined
#   where there is no number; `unreadable` is then true, for a missing amount must not pass for a small one.
package trailmix.lib.amount

field := object.get(input, ["context", "amount_field"], "amount")

found := object.get(input.payload, split(field, "."), null)

value := found if is_number(found)

unreadable if not is_number(object.get({"found": found}, "found", null))
