# METADATA
# scope: package
# title: Off-hours
# description: |
#   Risky calls at night and at the weekend need a person. Hours are UTC; `from` is inside, `to` is not. Where the time
#   is not known (input.now), a person must look. Settings: data.settings.off_hours {risks, from, to, weekend}; by
#   default high and critical, 7 to 19, and no work on Saturday (6) and Sunday (0).
package trailmix.policies.off_hours

default risks := ["high", "critical"]

risks := data.settings.off_hours.risks

default opens := 7

opens := data.settings.off_hours.from

default closes := 19

closes := data.settings.off_hours.to

default weekend := [6, 0]

weekend := data.settings.off_hours.weekend

applies if input.risk in risks

part(start, length) := to_number(substring(input.now, start, length))

hour := part(11, 2)

# Sakamoto's rule: 0 is Sunday.
weekday := (((((year + floor(year / 4)) - floor(year / 100)) + floor(year / 400)) + [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4][month - 1]) + part(8, 2)) % 7 if {
	month := part(5, 2)
	year := part(0, 4) - count([1 | month < 3])
}

default at_work := false

at_work if {
	hour >= opens
	hour < closes
	not weekday in weekend
}

# METADATA
# title: Outside working hours
# description: Fewer people would notice; one must look before it happens.
approve contains {"rule": "off_hours", "reason": $"outside {opens} to {closes} o'clock UTC, or at the weekend"} if {
	applies
	is_number(weekday)
	at_work == false
}

# METADATA
# title: Time that is not known
# description: Without a time nobody could say that it is working time.
approve contains {"rule": "time_not_known", "reason": "the time of the call is not known"} if {
	applies
	not is_string(object.get(input, "now", null))
}
