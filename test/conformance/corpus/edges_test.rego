package edges_test

import data.edges

test_default if edges.limit == 10 with input as {}

test_default_is_not_for_false if edges.limit == 10 with input as {"limit": false}

test_fails if edges.limit == 11 with input as {}

test_undefined_fails if edges.never

test_false_fails := false

test_conflict_is_an_error if edges.conflicting == 1 with input as {"a": 1, "b": 2}

test_no_conflict_when_equal if edges.conflicting == 1 with input as {"a": 1, "b": 1}

todo_test_later if edges.never

test_prints if {
	print("limit", edges.limit, input.missing)
	edges.two == {1, 2} with input as {"xs": [1, 2, 2]}
}

test_prints_and_fails if {
	print("so much")
	1 == 2
}

test_cases[name] if {
	some name, tc in {"one": {"n": 1, "w": "third"}, "two": {"n": 2, "w": "second"}, "three": {"n": 3, "w": "first"}}
	edges.chosen == tc.w with input as {"n": tc.n}
}

test_cases_with_a_failure[name] if {
	some name, tc in {"good": 2, "bad": 3}
	edges.double(1) == tc
}

test_functions_can_be_replaced if edges.double(2) == 5 with edges.double as 5

test_builtins_can_be_replaced if edges.limit == 10 with input as {"limit": 3} with is_number as false

test_division_by_zero_is_undefined if edges.halves == {} with input as {"ns": {}}

test_builtin_error_is_undefined if not to_number("seven")

test_numbers if {
	1 == 1.0
	1e3 == 1000
	0.1 + 0.2 != 0.30000000000000005
	12345678901234567890 + 1 == 12345678901234567891
}

test_order if {
	sort([{}, [], "a", 2, true, null]) == [null, true, 2, "a", [], {}]
	"1" > 1000000
}

test_unicode if {
	count("💶é") == 2
	upper("straße") == "STRASSE"
}

test_every_of_nothing if {
	every x in [] {
		x == 1
	}
}

test_negation_of_a_missing_value if not input.nothing

test_sets if {
	{1, 2} | {2, 3} == {1, 2, 3}
	{1, 2} & {2} == {2}
	{1, 2} - {2} == {1}
}

test_iteration if edges.far with input as {"xs": [1, 2], "ys": [3, 2]}

test_iteration_that_fails if edges.far with input as {"xs": [1, 2], "ys": [3, 4]}

test_templates if $"{edges.limit} of {1 + 1}" == "10 of 2" with input as {}

test_regex if {
	regex.match(`^\p{L}+$`, "日本")
	not regex.match("^a{2,3}$", "aaaa")
}

test_data_can_be_replaced if data.anything.at.all == 7 with data.anything as {"at": {"all": 7}}

test_walk if count([x | walk({"a": [1, {"b": 2}]}, [_, x])]) == 5
