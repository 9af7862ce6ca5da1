package edges

default limit := 10

limit := input.limit if is_number(input.limit)

two contains x if some x in input.xs

conflicting := input.a if input.a

conflicting := input.b if input.b

double(x) := x * 2

halves[name] := half if {
	some name, n in input.ns
	half := n / 2
}

chosen := "first" if {
	input.n > 2
} else := "second" if {
	input.n > 1
} else := "third"

never if false

far if {
	some i
	input.xs[i] == input.ys[i]
}
