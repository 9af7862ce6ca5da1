# From the airline's own policy text (tau-bench-airline.jsonl, the system message of each run). The call site puts what the
# agent looked up into context: `reservation` and `user`, as the airline's tools answered.
package trailmix

day_before := "2024-05-14T15:00:00"

reservation := object.get(input, ["context", "reservation"], null)

user := object.get(input, ["context", "user"], null)

# What needs the reservation needs it looked up.
deny contains $"{input.action} without looking up the reservation" if {
	input.action in {
		"cancel_reservation", "update_reservation_flights", "update_reservation_baggages",
		"update_reservation_passengers",
	}
	reservation == null
}

# Cancel flight
booked_within_a_day if {
	is_string(reservation.created_at)
	reservation.created_at >= day_before
}

deny contains "cancelling (basic) economy after 24 hours without insurance" if {
	input.action == "cancel_reservation"
	reservation.cabin in {"economy", "basic_economy"}
	reservation.insurance == "no"
	not booked_within_a_day
}

approve contains "cancelling on insurance: a person reads the reason" if {
	input.action == "cancel_reservation"
	reservation.cabin in {"economy", "basic_economy"}
	reservation.insurance == "yes"
	not booked_within_a_day
}

deny contains "cancelling what was changed in this session" if {
	input.action == "cancel_reservation"
	some earlier in object.get(input, ["session", "actions"], [])
	earlier.name == "update_reservation_flights"
	earlier.decision == "allow"
	reservation.cabin == "business"
	not booked_within_a_day
}

# Modify flight
flights_of(list) := [[flight.flight_number, flight.date] | some flight in list]

deny contains "changing the flights of basic economy" if {
	input.action == "update_reservation_flights"
	reservation.cabin == "basic_economy"
	flights_of(input.payload.flights) != flights_of(reservation.flights)
}

deny contains "paying a change by travel certificate" if {
	input.action == "update_reservation_flights"
	is_string(input.payload.payment_id)
	startswith(input.payload.payment_id, "certificate_")
}

# Change baggage and passengers
deny contains "removing checked bags" if {
	input.action == "update_reservation_baggages"
	is_number(input.payload.total_baggages)
	is_number(reservation.total_baggages)
	input.payload.total_baggages < reservation.total_baggages
}

free_bags := {
	"regular": {"basic_economy": 0, "economy": 1, "business": 2},
	"silver": {"basic_economy": 1, "economy": 2, "business": 3},
	"gold": {"basic_economy": 2, "economy": 3, "business": 3},
}

deny contains "charging too few extra bags" if {
	input.action == "update_reservation_baggages"
	is_number(input.payload.total_baggages)
	is_number(input.payload.nonfree_baggages)
	each := free_bags[user.membership][reservation.cabin]
	input.payload.nonfree_baggages < input.payload.total_baggages - (each * count(reservation.passengers))
}

deny contains "changing the number of passengers" if {
	input.action == "update_reservation_passengers"
	count(input.payload.passengers) != count(reservation.passengers)
}

# Refund
deny contains "a certificate for a regular member without insurance in (basic) economy" if {
	input.action == "send_certificate"
	user.membership == "regular"
	reservation.insurance == "no"
	reservation.cabin in {"economy", "basic_economy"}
}

approve contains "a certificate is a person's word" if input.action == "send_certificate"

# Book flight
deny contains "more than five passengers" if {
	input.action == "book_reservation"
	count(input.payload.passengers) > 5
}

paid_by(kind) := count([1 |
	some method in input.payload.payment_methods
	startswith(method.payment_id, kind)
])

deny contains "more than one travel certificate" if {
	input.action == "book_reservation"
	paid_by("certificate_") > 1
}

deny contains "more than one credit card" if {
	input.action == "book_reservation"
	paid_by("credit_card_") > 1
}

deny contains "more than three gift cards" if {
	input.action == "book_reservation"
	paid_by("gift_card_") > 3
}
