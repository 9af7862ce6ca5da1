package trailmix_test

import data.trailmix

economy := {
	"cabin": "economy", "insurance": "no", "created_at": "2024-05-01T00:00:00", "total_baggages": 2,
	"passengers": [{"first_name": "A"}], "flights": [{"flight_number": "HAT1", "date": "2024-05-20"}],
}

call(action, payload, changes) := {
	"action": action, "payload": payload,
	"context": {"reservation": object.union(economy, changes), "user": {"membership": "regular"}},
}

result(given) := word if word := trailmix.decision.result with input as given

test_economy_is_not_cancelled if result(call("cancel_reservation", {}, {})) == "deny"

test_within_a_day_is if result(call("cancel_reservation", {}, {"created_at": "2024-05-15T00:00:00"})) == "allow"

test_insured_asks if result(call("cancel_reservation", {}, {"insurance": "yes"})) == "approve"

test_business_is_cancelled if result(call("cancel_reservation", {}, {"cabin": "business"})) == "allow"

test_upgraded_to_be_cancelled_is_not if {
	earlier := {"session": {"actions": [{"name": "update_reservation_flights", "decision": "allow"}]}}
	result(object.union(call("cancel_reservation", {}, {"cabin": "business"}), earlier)) == "deny"
}

test_unknown_reservation_is_denied if result({"action": "cancel_reservation", "payload": {}, "context": {}}) == "deny"

other := {"flights": [{"flight_number": "HAT2", "date": "2024-05-20"}], "payment_id": "credit_card_1"}

same := {"flights": economy.flights, "cabin": "business", "payment_id": "credit_card_1"}

test_basic_economy_keeps_its_flights if {
	result(call("update_reservation_flights", other, {"cabin": "basic_economy"})) == "deny"
	result(call("update_reservation_flights", same, {"cabin": "basic_economy"})) == "allow"
	result(call("update_reservation_flights", other, {})) == "allow"
}

test_no_certificate_pays_a_change if {
	result(call("update_reservation_flights", object.union(same, {"payment_id": "certificate_1"}), {})) == "deny"
}

test_bags if {
	result(call("update_reservation_baggages", {"total_baggages": 1, "nonfree_baggages": 0}, {})) == "deny"
	result(call("update_reservation_baggages", {"total_baggages": 3, "nonfree_baggages": 1}, {})) == "deny"
	result(call("update_reservation_baggages", {"total_baggages": 3, "nonfree_baggages": 2}, {})) == "allow"
}

test_passengers_stay_as_many if {
	result(call("update_reservation_passengers", {"passengers": [{}, {}]}, {})) == "deny"
	result(call("update_reservation_passengers", {"passengers": [{}]}, {})) == "allow"
}

test_certificates if {
	result(call("send_certificate", {"amount": 50}, {})) == "deny"
	result(call("send_certificate", {"amount": 50}, {"insurance": "yes"})) == "approve"
}

book(passengers, methods) := {
	"action": "book_reservation",
	"payload": {"passengers": passengers, "payment_methods": [{"payment_id": id} | some id in methods]},
	"context": {},
}

test_bookings if {
	result(book([1], ["certificate_1", "credit_card_1", "gift_card_1"])) == "allow"
	result(book([1, 2, 3, 4, 5, 6], ["credit_card_1"])) == "deny"
	result(book([1], ["certificate_1", "certificate_2"])) == "deny"
	result(book([1], ["credit_card_1", "credit_card_2"])) == "deny"
	result(book([1], ["gift_card_1", "gift_card_2", "gift_card_3", "gift_card_4"])) == "deny"
}
