"""The rules of a resource as tables: what is asked, by which rules, and what the organizer is told."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mr_accept.decision import Reason, Refusal, Standing, Wanted
from mr_accept.expand import expand
from mr_accept.itip import parse_meeting
from mr_accept.judge import persons_of, refusals_of
from mr_accept.limits import Limits
from mr_accept.model import Instance, Interval, UnreadableError
from mr_accept.open_hours import closed_for
from mr_accept.policy import BookingPolicy
from mr_accept.policy_text import read_policy
from mr_accept.zones import IanaZone

BERLIN = IanaZone("Europe/Berlin")
LIMITS = Limits()
NOW = int(datetime(2028, 11, 20, 8, tzinfo=UTC).timestamp())  # a Monday, 09:00 in Berlin
HORIZON = NOW + 400 * 86_400
OWN = frozenset({"aurora@example.org"})
HOLIDAYS = """BEGIN:VCALENDAR
BEGIN:VEVENT
DTSTART;VALUE=DATE:20200101
RRULE:FREQ=YEARLY
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20281225
DTEND;VALUE=DATE:20281227
END:VEVENT
END:VCALENDAR
"""


def vevent(start: str, end: str = "", *more: str, recurrence_id: str = "") -> str:
    """A VEVENT from values such as 20281120T090000Z or 20281120; local times are Berlin's."""
    lines = [
        "UID:one",
        "DTSTAMP:20280101T000000Z",
        _time("DTSTART", start),
        *([_time("DTEND", end)] if end else []),
        *([_time("RECURRENCE-ID", recurrence_id)] if recurrence_id else []),
        "ORGANIZER;CN=Anna:mailto:Anna@example.net",
        "ATTENDEE;CUTYPE=ROOM:mailto:aurora@example.org",
        *more,
    ]
    return "\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT"])


def _time(name: str, value: str) -> str:
    if "T" not in value:
        return f"{name};VALUE=DATE:{value}"
    return f"{name}:{value}" if value.endswith("Z") else f"{name};TZID=Europe/Berlin:{value}"


def instances_of(*events: str) -> tuple[Instance, ...]:
    blocks = ["BEGIN:VCALENDAR", "METHOD:REQUEST", *events, "END:VCALENDAR", ""]
    return parse_meeting("\r\n".join(blocks), BERLIN, LIMITS).instances


def wanted(*events: str, keeps: Collection[int] = (), **more: Any) -> Wanted:
    """What the VEVENTs ask for; the occurrences with these numbers are held already."""
    instances = instances_of(*events)
    occurrences = expand(instances, HORIZON, LIMITS)
    asks = tuple(item for number, item in enumerate(occurrences) if number not in keeps)
    return Wanted(instances, occurrences, asks, BERLIN, OWN, **more)


def judged(asked: Wanted, policy: BookingPolicy | str, now: int = NOW) -> tuple[Refusal, ...]:
    if isinstance(policy, str):
        policy = policy_of(policy)
    return refusals_of(asked, policy, now, LIMITS)


def policy_of(text: str) -> BookingPolicy:
    return read_policy(dict(word.split("=") for word in text.split()))


def reasons(asked: Wanted, policy: BookingPolicy | str, now: int = NOW) -> list[Reason]:
    return [refusal.reason for refusal in judged(asked, policy, now)]


TODAY = vevent("20281120T100000", "20281120T110000")
TOMORROW = vevent("20281121T100000", "20281121T110000")
WEEKLY = "RRULE:FREQ=WEEKLY"
PAST, WINDOW, SOON = Reason.PAST, Reason.BEYOND_WINDOW, Reason.TOO_SOON
SHORT, LONG, SERIES = Reason.TOO_SHORT, Reason.TOO_LONG, Reason.SERIES_TOO_LONG
HOURS, RECURRING = Reason.OUTSIDE_HOURS, Reason.RECURRING

SINGLE = [
    # start, end, policy, what the organizer is told; '' is nothing
    (TODAY, "", ""),
    (TODAY, "enforce_horizon=yes max_series_days=1", ""),
    # booking window: the end counts
    (vevent("20281130T080000", "20281130T090000"), "booking_window_days=10", ""),
    (
        vevent("20281130T080000", "20281130T090001"),
        "booking_window_days=10",
        "at most 10 days ahead can be booked, up to Thu 30 November 2028, 09:00, and it ends on"
        " Thu 30 November 2028, 09:00",
    ),
    (
        vevent("20281205T080000", "20281205T090000"),
        "booking_window_days=1",
        "at most 1 day ahead can be booked, up to Tue 21 November 2028, 09:00, and it ends on"
        " Tue 5 December 2028, 09:00",
    ),
    (
        vevent("20281205", "20281207"),
        "booking_window_days=10",
        "at most 10 days ahead can be booked, up to Thu 30 November 2028, 09:00, and it ends on"
        " Wed 6 December 2028",
    ),
    (vevent("20381205T080000", "20381205T090000"), "booking_window_days=0", ""),
    # notice
    (TODAY, "lead_time_minutes=60", ""),
    (
        TODAY,
        "lead_time_minutes=61",
        "it begins in 1 hour (Mon 20 November 2028, 10:00), and it has to be asked for 1 hour"
        " and 1 minute ahead",
    ),
    (
        vevent("20281120T090030", "20281120T110000"),
        "lead_time_minutes=10",
        "it begins in 30 seconds (Mon 20 November 2028, 09:00), and it has to be asked for"
        " 10 minutes ahead",
    ),
    (
        vevent("20281120T083000", "20281120T110000"),
        "lead_time_minutes=1",
        "it has begun already (Mon 20 November 2028, 08:30), and it has to be asked for 1 minute ahead",
    ),
    (vevent("20281120T083000", "20281120T110000"), "lead_time_minutes=0", ""),
    # length
    (TODAY, "min_duration_minutes=60 max_duration_minutes=60", ""),
    (TODAY, "min_duration_minutes=61", "it lasts 1 hour, and at least 1 hour and 1 minute can be booked"),
    (TODAY, "max_duration_minutes=59", "it lasts 1 hour, and at most 59 minutes can be booked"),
    (
        vevent("20281120T100000", "20281120T150000"),
        "max_duration_minutes=240",
        "it lasts 5 hours, and at most 4 hours can be booked",
    ),
    (
        vevent("20281120T100000", "20281120T100000"),
        "min_duration_minutes=5",
        "it lasts 0 minutes, and at least 5 minutes can be booked",
    ),
    (vevent("20281121", "20281123"), "max_duration_minutes=2880", ""),
    (
        vevent("20281121", "20281123"),
        "max_duration_minutes=2879",
        "it lasts 2 days, and at most 1 day, 23 hours and 59 minutes can be booked",
    ),
    (vevent("20290325", "20290326"), "min_duration_minutes=1440", ""),  # a day of 23 hours
    (vevent("20291028", "20291029"), "max_duration_minutes=1440", ""),  # a day of 25 hours
    (
        vevent("20290325T000000", "20290326T000000"),
        "min_duration_minutes=1440",
        "it lasts 23 hours, and at least 1 day can be booked",
    ),
    # days and hours, in the resource's zone
    (vevent("20281121T080000", "20281121T180000"), "work_hours=08:00-18:00", ""),
    (
        vevent("20281121T075900", "20281121T180000"),
        "work_hours=08:00-18:00",
        "Tue 21 November 2028, 07:59 to 18:00 (Europe/Berlin, UTC+01:00) is not within the hours"
        " that can be booked, 08:00 to 18:00",
    ),
    (
        vevent("20281121T170000", "20281121T180001"),
        "work_hours=08:00-18:00",
        "Tue 21 November 2028, 17:00 to 18:00 (Europe/Berlin, UTC+01:00) is not within the hours"
        " that can be booked, 08:00 to 18:00",
    ),
    (
        vevent("20281121T220000Z", "20281121T230000Z"),
        "work_hours=08:00-18:00",
        "Tue 21 November 2028, 23:00 to Wed 22 November 2028, 00:00 (Europe/Berlin, UTC+01:00) is"
        " not within the hours that can be booked, 08:00 to 18:00",
    ),
    (vevent("20281121T220000", "20281122T000000"), "work_hours=08:00-24:00", ""),
    (vevent("20281121T220000", "20281122T010000"), "", ""),
    (vevent("20281121T220000", "20281122T010000"), "work_days=tue-wed", ""),
    (
        vevent("20281121T220000", "20281122T010000"),
        "work_days=tue",
        "it cannot be booked on Wed 22 November 2028, only on Tue",
    ),
    (vevent("20281121T220000", "20281122T000000"), "work_days=tue", ""),
    (
        vevent("20281125T100000", "20281125T110000"),
        "work_days=mon-fri work_hours=12:00-18:00",  # the day closes it whatever the hour
        "it cannot be booked on Sat 25 November 2028, only on Mon to Fri",
    ),
    (vevent("20281121", "20281125"), "work_days=mon-fri work_hours=08:00-18:00", ""),
    (
        vevent("20281121", "20281126"),
        "work_days=mon-fri",
        "it cannot be booked on Sat 25 November 2028, only on Mon to Fri",
    ),
    # the clock is changed: the wall clock counts
    (vevent("20290325T010000", "20290325T040000"), "work_hours=01:00-04:00", ""),
    (vevent("20291028T020000", "20291028T040000"), "work_hours=02:00-04:00", ""),
    (vevent("20290326T060000Z", "20290326T160000Z"), "work_hours=08:00-18:00", ""),
    (
        vevent("20290323T060000Z", "20290323T160000Z"),  # the Friday before, 07:00 to 17:00
        "work_hours=08:00-18:00",
        "Fri 23 March 2029, 07:00 to 17:00 (Europe/Berlin, UTC+01:00) is not within the hours"
        " that can be booked, 08:00 to 18:00",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("event", "policy", "text"), SINGLE)
def test_a_single_meeting(event: str, policy: str, text: str) -> None:
    found = judged(wanted(event), policy)
    assert [refusal.text for refusal in found] == ([text] if text else [])


COUNTED = "RRULE:FREQ=WEEKLY;COUNT=4"
SERIES_CASES = [
    # the first occurrence, its rule, the policy, what the organizer is told
    ("20281121", WEEKLY, "", ""),
    ("20281121", WEEKLY, "booking_window_days=10", ""),
    ("20281121", COUNTED, "booking_window_days=30 enforce_horizon=yes", ""),
    (
        "20281121",
        COUNTED,
        "booking_window_days=10 enforce_horizon=yes",
        "at most 10 days ahead can be booked, up to Thu 30 November 2028, 09:00, and its occurrence"
        " on Tue 5 December 2028 ends on Tue 5 December 2028, 11:00",
    ),
    (
        "20281121",
        WEEKLY,
        "booking_window_days=500 enforce_horizon=yes",  # further than it is expanded
        "at most 500 days ahead can be booked, up to Thu 4 April 2030, 10:00, and the series goes"
        " on for longer",
    ),
    (
        "20281205",
        WEEKLY,
        "booking_window_days=10",
        "at most 10 days ahead can be booked, up to Thu 30 November 2028, 09:00, and its occurrence"
        " on Tue 5 December 2028 ends on Tue 5 December 2028, 11:00",
    ),
    ("20281107", WEEKLY, "booking_window_days=3", ""),  # its first to come is tomorrow
    (
        "20281107",
        "RRULE:FREQ=WEEKLY;INTERVAL=3",
        "booking_window_days=3",
        "at most 3 days ahead can be booked, up to Thu 23 November 2028, 09:00, and its occurrence"
        " on Tue 28 November 2028 ends on Tue 28 November 2028, 11:00",
    ),
    (
        "20281107",
        "RRULE:FREQ=YEARLY;INTERVAL=3",
        "booking_window_days=3",
        "at most 3 days ahead can be booked, up to Thu 23 November 2028, 09:00, and its next"
        " occurrence is later",
    ),
    ("20281107", "RRULE:FREQ=YEARLY;INTERVAL=3", "booking_window_days=0", ""),
    ("20281121", WEEKLY, "lead_time_minutes=1440", ""),
    (
        "20281121",
        WEEKLY,
        "lead_time_minutes=2880",
        "its occurrence on Tue 21 November 2028 begins in 1 day and 1 hour"
        " (Tue 21 November 2028, 10:00), and it has to be asked for 2 days ahead",
    ),
    ("20281107", WEEKLY, "lead_time_minutes=1440", ""),  # what is over needs no notice
    (
        "20281121",
        COUNTED,
        "max_duration_minutes=30",
        "its occurrence on Tue 21 November 2028 lasts 1 hour, and at most 30 minutes can be booked",
    ),
    ("20281121", COUNTED, "max_series_days=22", ""),
    (
        "20281121",
        COUNTED,
        "max_series_days=21",
        "the series lasts 22 days, and at most 21 days can be booked",
    ),
    (
        "20281121",
        WEEKLY,
        "max_series_days=3000",
        "the series has no end, and at most 3000 days can be booked",
    ),
    ("20281121", WEEKLY, "work_days=tue work_hours=10:00-11:00", ""),  # through the whole year
    (
        "20281121",
        "RRULE:FREQ=DAILY;COUNT=10",
        "work_days=mon-fri",
        "it cannot be booked on Sat 25 November 2028, only on Mon to Fri",
    ),
    ("20281121", COUNTED, "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("day", "rule", "policy", "text"), SERIES_CASES)
def test_a_series(day: str, rule: str, policy: str, text: str) -> None:
    found = judged(wanted(vevent(f"{day}T100000", f"{day}T110000", rule)), policy)
    assert [refusal.text for refusal in found] == ([text] if text else [])


def test_a_refusal_names_the_occurrences_that_it_is_about() -> None:
    asked = wanted(vevent("20281124T100000", "20281124T110000", "RRULE:FREQ=DAILY;COUNT=10"))
    (days,) = judged(asked, "work_days=mon-fri")
    assert days.occurrences == tuple(asked.occurrences[number] for number in (1, 2, 8, 9))
    (soon,) = judged(asked, f"lead_time_minutes={6 * 1440}")
    assert soon.occurrences == asked.occurrences[:2]
    (beyond,) = judged(asked, "booking_window_days=11 enforce_horizon=yes")
    assert beyond.occurrences == asked.occurrences[-3:]


def test_a_series_may_last_as_long_as_the_limit_and_no_longer() -> None:
    asked = wanted(vevent("20281121T100000", "20281122T100000", COUNTED))  # 22 days to the second
    assert judged(asked, "max_series_days=22") == ()
    assert reasons(asked, "max_series_days=21") == [SERIES]


def test_a_series_whose_next_occurrence_is_far_away_is_not_judged_for_what_it_holds() -> None:
    rule = "RRULE:FREQ=YEARLY;INTERVAL=3"
    begun = vevent("20281101T100000", "20281101T110000", rule)
    assert reasons(wanted(begun), "booking_window_days=10") == [WINDOW]
    assert reasons(wanted(begun, keeps=[0]), "booking_window_days=10") == []


def test_all_rules_that_are_broken_are_named_in_one_order() -> None:
    policy = replace(
        policy_of(
            "booking_window_days=3 lead_time_minutes=1440 min_duration_minutes=90 max_series_days=1"
            " work_days=mon-fri work_hours=12:00-18:00 enforce_horizon=yes enforce_capacity=yes"
        ),
        decline_recurring=True,
        seats=1,
    )
    people = [f"ATTENDEE:mailto:{name}@example.org" for name in ("ben", "eve")]
    rule = "RRULE:FREQ=DAILY;COUNT=7"
    asked = wanted(vevent("20281120T100000", "20281120T110000", rule, *people))
    assert reasons(asked, policy) == [
        *(RECURRING, WINDOW, SOON, SHORT, SERIES, HOURS, HOURS),
        Reason.TOO_MANY_PEOPLE,
    ]


@pytest.mark.parametrize(
    "policy",
    [
        "booking_window_days=1 enforce_horizon=yes",
        "booking_window_days=1",
        "lead_time_minutes=100000",
        "min_duration_minutes=1000",
        "max_duration_minutes=1",
        "max_series_days=1",
        "work_days=sun",
        "work_hours=20:00-21:00",
        "past_requests=decline",
    ],
)
@pytest.mark.parametrize("rule", ["", COUNTED, WEEKLY])
def test_what_is_held_already_is_not_judged_again(policy: str, rule: str) -> None:
    more = [rule] if rule else []
    event = vevent("20281123T100000", "20281123T110000", *more)
    asked = wanted(event, keeps=range(400))
    assert not asked.more
    assert asked.occurrences
    assert judged(asked, policy) == ()
    assert judged(asked, replace(policy_of(policy), decline_recurring=True)) == ()


def test_only_what_is_asked_besides_is_judged() -> None:
    event = vevent("20281120T110000", "20281120T120000", COUNTED)
    assert reasons(wanted(event), "lead_time_minutes=1440") == [SOON]
    assert reasons(wanted(event, keeps={0}), "lead_time_minutes=1440") == []
    assert reasons(wanted(event, keeps={1, 2, 3}), "lead_time_minutes=1440") == [SOON]


@pytest.mark.parametrize(
    ("events", "past_requests", "expected"),
    [
        ([vevent("20281120T080000", "20281120T090000")], "decline", [PAST]),  # ends just now
        ([vevent("20281120T080000", "20281120T090001")], "decline", []),
        ([vevent("20281120T080000", "20281120T090000")], "accept", []),
        ([vevent("20281120T080000", "20281120T090000")], "ignore", []),  # not for a rule to say
        ([vevent("20281119")], "decline", [PAST]),
        ([vevent("20281120")], "decline", []),  # today, all day
        ([vevent("20281107T100000", "20281107T110000", COUNTED)], "decline", []),
        ([vevent("20281001T100000", "20281001T110000", COUNTED)], "decline", [PAST]),
        (
            [vevent("20281001T100000", "20281001T110000", "RRULE:FREQ=YEARLY;INTERVAL=5")],
            "decline",
            [],
        ),
        (
            [
                vevent("20281001T100000", "20281001T110000", COUNTED),
                vevent("20281201T100000", "20281201T110000", recurrence_id="20281008T100000"),
            ],
            "decline",
            [],
        ),
    ],
)
def test_what_has_ended(events: list[str], past_requests: str, expected: list[Reason]) -> None:
    policy = f"past_requests={past_requests} booking_window_days=0"
    assert reasons(wanted(*events), policy) == expected


def test_time_that_is_over_breaks_no_rule_about_time() -> None:
    over = wanted(vevent("20281119T030000", "20281119T230000"))
    rules = "lead_time_minutes=60 max_duration_minutes=60 work_days=mon work_hours=10:00-11:00"
    assert reasons(over, f"{rules} past_requests=accept") == []
    assert reasons(over, f"{rules} past_requests=decline") == [PAST]


def test_recurring_meetings_may_be_refused_as_such() -> None:
    policy = BookingPolicy(decline_recurring=True)
    series = vevent("20281121T100000", "20281121T110000", WEEKLY)
    (refusal,) = judged(wanted(series), policy)
    assert (refusal.reason, refusal.text) == (RECURRING, "recurring meetings are not allowed")
    assert reasons(wanted(TOMORROW), policy) == []
    empty = vevent("20281121T100000", "20281121T110000", COUNTED, *_excluded())
    assert wanted(empty).occurrences == ()
    assert reasons(wanted(empty), policy) == [RECURRING]


def _excluded() -> list[str]:
    days = ("20281121", "20281128", "20281205", "20281212")
    return [f"EXDATE;TZID=Europe/Berlin:{day}T100000" for day in days]


@pytest.mark.parametrize(
    ("standing", "external", "policy", "expected"),
    [
        (Standing.ALLOWED, False, "", []),
        (Standing.ALLOWED, True, "", []),
        (Standing.ALLOWED, True, "allow_external=no", [Reason.EXTERNAL]),
        (Standing.ALLOWED, False, "allow_external=no", []),
        (Standing.NOBODY, False, "book_in_policy=staff", [Reason.NOT_ALLOWED]),
        (Standing.NOBODY, True, "book_in_policy=staff", [Reason.NOT_ALLOWED]),
        (
            Standing.NOBODY,
            True,
            "book_in_policy=staff allow_external=no",
            [Reason.EXTERNAL],
        ),
        # who is in either list is no stranger
        (Standing.ALLOWED, True, "book_in_policy=@example.net allow_external=no", []),
        (Standing.FREE, True, "book_out_of_policy=@example.net allow_external=no", []),
        # who may not book hears of no other rule, who may book freely is held to none
        (
            Standing.NOBODY,
            False,
            "book_in_policy=staff max_duration_minutes=1",
            [Reason.NOT_ALLOWED],
        ),
        (Standing.ALLOWED, False, "book_in_policy=staff max_duration_minutes=1", [LONG]),
        (Standing.FREE, False, "max_duration_minutes=1 work_days=sun lead_time_minutes=9999", []),
    ],
)
def test_who_asks(standing: Standing, external: bool, policy: str, expected: list[Reason]) -> None:
    asked = wanted(TOMORROW, standing=standing, external=external)
    assert reasons(asked, policy) == expected


def test_who_may_not_book_is_told_so_by_name() -> None:
    (refusal,) = judged(wanted(TOMORROW, standing=Standing.NOBODY), "book_in_policy=staff")
    assert refusal.text == "Anna@example.net may not book it"


def test_who_may_book_freely_keeps_no_rule_at_all() -> None:
    series = vevent("20281001T100000", "20281001T110000", COUNTED)
    policy = BookingPolicy(decline_recurring=True, past_requests="decline")
    assert reasons(wanted(series), policy) == [RECURRING, PAST]
    assert reasons(wanted(series, standing=Standing.FREE), policy) == []


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (vevent("20281222T100000", "20281222T110000"), ""),
        (vevent("20281225T100000", "20281225T110000"), "Mon 25 December 2028 is a day off"),
        (vevent("20281224T230000", "20281225T010000"), "Mon 25 December 2028 is a day off"),
        (vevent("20281224T220000", "20281225T000000"), ""),
        (vevent("20281227T000000", "20281227T010000"), ""),
        (vevent("20281226T233000Z", "20281227T003000Z"), ""),  # the 27th in Berlin
        (vevent("20281223", "20281227"), "Mon 25 December 2028 is a day off"),
        (vevent("20281230", "20290103"), "Mon 1 January 2029 is a day off"),
        (vevent("20290102T100000", "20290102T110000", WEEKLY), ""),
        (
            vevent("20281204T100000", "20281204T110000", WEEKLY),
            "Mon 25 December 2028 is a day off",
        ),
    ],
)
def test_days_off(event: str, text: str) -> None:
    found = judged(wanted(event), BookingPolicy(holidays=HOLIDAYS))
    assert [refusal.text for refusal in found] == ([text] if text else [])


@given(
    st.integers(0, 7 * 1440),
    st.integers(0, 2 * 1440),
    st.sets(st.integers(0, 6), min_size=1),
    st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda hours: hours[0] < hours[1]),
    st.booleans(),
)
def test_time_is_open_when_each_minute_of_it_is(
    begin: int, length: int, days: set[int], hours: tuple[int, int], all_hours: bool
) -> None:
    policy = BookingPolicy(work_days=frozenset(days), work_hours=None if all_hours else hours)
    start = NOW + begin * 60
    span = Interval(start, start + length * 60)
    walls = [BERLIN.from_utc(start + 60 * minute) for minute in range(max(1, length))]
    minutes = [wall.hour * 60 + wall.minute for wall in walls]
    open_ = all(wall.weekday() in days for wall in walls)
    if not all_hours and length:
        # Hours until 24:00 and from 0:00 do not make two days one.
        one_day = len({wall.date() for wall in walls}) == 1
        open_ = open_ and one_day and all(hours[0] <= minute < hours[1] for minute in minutes)
    elif not all_hours:
        open_ = open_ and hours[0] <= minutes[0] <= hours[1]
    assert (closed_for(span, False, policy, BERLIN) is None) is open_


@pytest.mark.parametrize(
    ("attendees", "people"),
    [
        ([], 1),  # the organizer
        (["ATTENDEE:mailto:ben@example.org"], 2),
        (["ATTENDEE:mailto:ben@example.org", "ATTENDEE:mailto:Ben@EXAMPLE.org"], 2),
        (["ATTENDEE:mailto:anna@example.net"], 1),
        (["ATTENDEE;PARTSTAT=DECLINED:mailto:anna@example.net"], 0),
        (["ATTENDEE;PARTSTAT=DECLINED:mailto:ben@example.org"], 1),
        (["ATTENDEE;PARTSTAT=TENTATIVE:mailto:ben@example.org"], 2),
        (["ATTENDEE;CUTYPE=INDIVIDUAL:mailto:ben@example.org"], 2),
        (["ATTENDEE;CUTYPE=GROUP:mailto:staff@example.org"], 2),
        (["ATTENDEE;CUTYPE=ROOM:mailto:other@example.org"], 1),
        (["ATTENDEE;CUTYPE=RESOURCE:mailto:beamer@example.org"], 1),
        (["ATTENDEE;CUTYPE=UNKNOWN:mailto:what@example.org"], 1),
        (["ATTENDEE:mailto:aurora@example.org"], 1),  # itself, by whichever type
    ],
)
def test_people(attendees: list[str], people: int) -> None:
    (instance,) = instances_of(vevent("20281121T100000", "20281121T110000", *attendees))
    assert persons_of(instance, OWN) == people
    asked = wanted(vevent("20281121T100000", "20281121T110000", *attendees))
    for seats, enforce in [(people, True), (people - 1, True), (people - 1, False)]:
        policy = BookingPolicy(seats=max(0, seats), enforce_capacity=enforce)
        over = enforce and 0 < seats < people
        assert bool(judged(asked, policy)) is over


def test_too_many_people_are_counted_in_the_text() -> None:
    people = [f"ATTENDEE:mailto:p{number}@example.org" for number in range(12)]
    asked = wanted(vevent("20281121T100000", "20281121T110000", *people))
    (refusal,) = judged(asked, BookingPolicy(seats=8, enforce_capacity=True))
    assert refusal.text == "13 people are invited, and there is room for 8"


def test_one_occurrence_may_have_too_many_people() -> None:
    people = [f"ATTENDEE:mailto:p{number}@example.org" for number in range(3)]
    series = vevent("20281121T100000", "20281121T110000", COUNTED)
    special = vevent("20281128T100000", "20281128T110000", *people, recurrence_id="20281128T100000")
    policy = BookingPolicy(seats=3, enforce_capacity=True)
    assert reasons(wanted(series, special), policy) == [Reason.TOO_MANY_PEOPLE]
    gone = special.replace("UID:one", "UID:one\r\nSTATUS:CANCELLED")
    assert reasons(wanted(series, gone), policy) == []


def test_a_longer_occurrence_of_a_series_is_found_and_named() -> None:
    series = vevent("20281121T100000", "20281121T110000", COUNTED)
    longer = vevent("20281128T100000", "20281128T150000", recurrence_id="20281128T100000")
    (refusal,) = judged(wanted(series, longer), "max_duration_minutes=240")
    assert refusal.text == (
        "its occurrence on Tue 28 November 2028 lasts 5 hours, and at most 4 hours can be booked"
    )
    assert len(refusal.occurrences) == 1


def test_days_are_named_in_the_organizers_zone_and_ruled_in_the_resources() -> None:
    event = vevent("20281121T230000Z", "20281121T233000Z").replace(
        "DTSTART:20281121T230000Z", "DTSTART;TZID=America/New_York:20281121T180000"
    )
    texts = [item.text for item in judged(wanted(event), "lead_time_minutes=9999 work_days=tue")]
    assert "(Tue 21 November 2028, 18:00)" in texts[0]
    assert texts[1] == "it cannot be booked on Wed 22 November 2028, only on Tue"


def test_time_without_end_is_no_endless_work() -> None:
    event = vevent("20281121T100000", "", "DURATION:P36000D", "RRULE:FREQ=WEEKLY;COUNT=6")
    policy = BookingPolicy(holidays=HOLIDAYS, booking_window_days=0)
    with pytest.raises(UnreadableError, match="too costly"):
        judged(wanted(event), policy)


def test_a_long_series_is_judged_fast_enough_to_be_asked_for_under_a_lock() -> None:
    series = vevent("20281120T100000", "20281120T110000", "RRULE:FREQ=HOURLY;COUNT=5000")
    asked = wanted(series)
    assert len(asked.more) > 4990
    calls = 0

    def out_of_time() -> bool:
        nonlocal calls
        calls += 1
        return False

    policy = BookingPolicy(holidays=HOLIDAYS, work_days=frozenset(range(5)), work_hours=(0, 1440))
    (first, *_) = refusals_of(asked, policy, NOW, Limits(out_of_time=out_of_time))
    assert first.reason is HOURS
    assert calls  # the caller's deadline is asked for
    assert timedelta(seconds=asked.more[-1].end - NOW) > timedelta(days=200)
