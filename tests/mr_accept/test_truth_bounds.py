"""Hostile calendars: whatever they hold, reading and expanding ends soon, with a result or a reason."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mr_accept.expand import expand, goes_past, series_end
from mr_accept.itip import parse_meeting
from mr_accept.limits import Limits
from mr_accept.model import NotForBookingError, UnreadableError
from mr_accept.zones import IanaZone

BERLIN = IanaZone("Europe/Berlin")
START = datetime(2026, 1, 5, 9)
HORIZON = int(datetime(2028, 1, 1, tzinfo=UTC).timestamp())


def series(*numbers):
    return ",".join(str(number) for number in range(*numbers))


EVERY_SECOND = f"BYHOUR={series(24)};BYMINUTE={series(60)};BYSECOND={series(60)}"
EVERY_ORDINAL = ",".join(
    f"{n}{day}" for n in range(1, 54) for day in ("MO", "TU", "WE", "TH", "FR")
)
SHIFTS = ["", ";RANGE=THISANDFUTURE"]


def stamp(number):
    return f"{START + timedelta(days=number):%Y%m%dT%H%M%S}"


def event(*lines, start="", length="DURATION:PT1H"):
    start = start or f"DTSTART;TZID=Europe/Berlin:{stamp(0)}"
    head = ["UID:1", "DTSTAMP:20260101T000000Z", "ORGANIZER:mailto:a@example.org", start, length]
    return "\n".join(["BEGIN:VEVENT", *head, *lines, "END:VEVENT"])


def calendar(*blocks):
    return "\n".join(["BEGIN:VCALENDAR", "METHOD:REQUEST", *blocks, "END:VCALENDAR", ""])


def rule(text):
    return calendar(event(f"RRULE:{text}"))


def many(name, count, per_line=1):
    days = [stamp(number) for number in range(count)]
    lines = (days[n : n + per_line] for n in range(0, count, per_line))
    return [f"{name};TZID=Europe/Berlin:{','.join(line)}" for line in lines]


def changes(count, reach):
    return [
        event(
            f"RECURRENCE-ID{reach};TZID=Europe/Berlin:{stamp(n)}",
            start=f"DTSTART;TZID=Europe/Berlin:{stamp(n + n % 3)}",
        )
        for n in range(count)
    ]


def zone(observances, *lines, name="Odd"):
    body = "".join(
        f"BEGIN:STANDARD\nDTSTART:1970{1 + n % 12:02}01T{n // 12 % 24:02}0000\nTZOFFSETFROM:+0100\n"
        + "".join(f"{line}\n" for line in lines)
        + "TZOFFSETTO:+0200\nEND:STANDARD\n"
        for n in range(observances)
    )
    return f"BEGIN:VTIMEZONE\nTZID:{name}\n{body}END:VTIMEZONE"


def zoned(*zones, names=("Odd",)):
    extra = (f"EXDATE;TZID={name}:{stamp(1)}" for name in names)
    return calendar(*zones, event("RRULE:FREQ=DAILY", *extra))


ATTENDEE = "ATTENDEE;CN=Somebody;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:p{}@example.org"
NEVER = "BYMONTH=2;BYMONTHDAY=30"
# what it is, and whether it can be read and expanded
HOSTILE = {
    "secondly": (rule("FREQ=SECONDLY"), False),
    "secondly, counted": (rule("FREQ=SECONDLY;COUNT=999999999"), False),
    "secondly, never, counted": (rule(f"FREQ=SECONDLY;{NEVER};COUNT=5"), True),
    "secondly, one of the year": (
        rule("FREQ=SECONDLY;BYMONTH=3;BYMONTHDAY=1;BYHOUR=3;BYMINUTE=7;BYSECOND=5;COUNT=9"), True),
    "minutely to the year 9999": (rule("FREQ=MINUTELY;UNTIL=99991231T235959Z"), False),
    "set positions that do not exist": (rule("FREQ=DAILY;BYHOUR=9;BYSETPOS=366"), True),
    "the same every second": (rule("FREQ=SECONDLY;BYSECOND=1;BYSETPOS=9;UNTIL=20270101T000000Z"), False),
    "the 30th of February": (rule(f"FREQ=DAILY;{NEVER};UNTIL=99991231"), True),
    "every second of the day": (rule(f"FREQ=DAILY;{EVERY_SECOND}"), False),
    "the last second of the year": (rule(f"FREQ=YEARLY;{EVERY_SECOND};BYMONTHDAY=31;BYSETPOS=-1"), False),
    "every ordinal": (rule(f"FREQ=YEARLY;BYDAY={EVERY_ORDINAL};BYYEARDAY={series(1, 367)}"), True),
    "10,000 RDATEs": (calendar(event(*many("RDATE", 10_000, 1000))), False),
    "10,000 RDATE lines": (calendar(event(*many("RDATE", 10_000))), False),
    "4,900 RDATEs": (calendar(event(*many("RDATE", 4_900, 1000))), True),
    "10,000 EXDATEs": (calendar(event("RRULE:FREQ=DAILY", *many("EXDATE", 10_000, 1000))), False),
    "4,900 EXDATE lines": (calendar(event("RRULE:FREQ=DAILY", *many("EXDATE", 4_900))), True),
    "990 overrides": (calendar(event("RRULE:FREQ=DAILY"), *changes(990, "")), True),
    "990 ranges": (calendar(event("RRULE:FREQ=DAILY"), *changes(990, SHIFTS[1])), True),
    "1,000 overrides": (calendar(event("RRULE:FREQ=DAILY"), *changes(1000, "")), False),
    "15,000 attendees": (calendar(event(*map(ATTENDEE.format, range(15_000)))), True),
    "a zone that changes every second": (zoned(zone(1, "RRULE:FREQ=SECONDLY")), False),
    "for a time": (zoned(zone(1, "RRULE:FREQ=SECONDLY;UNTIL=20300101T000000Z")), False),
    "a zone of 990 rules": (zoned(zone(900, "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=3")), False),
    "a zone of 990 observances": (zoned(zone(990)), True),
    "300 zones that never change": (
        zoned(*(zone(1, f"RRULE:FREQ=DAILY;{NEVER}", name=f"Z{n}") for n in range(300)),
              names=[f"Z{n}" for n in range(300)]), False),
    "100 years long": (calendar(event("RRULE:FREQ=DAILY", length="DURATION:P36600D")), True),
}  # fmt: skip


@pytest.mark.parametrize(("text", "fine"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_calendars_end_soon(text, fine):
    began = time.perf_counter()
    try:
        found = expand(parse_meeting(text, BERLIN, Limits()).instances, HORIZON, Limits())
    except UnreadableError as error:
        assert not fine, error
    else:
        assert fine
        assert len(found) <= Limits().max_occurrences
    assert time.perf_counter() - began < 5


class Clock:
    """A deadline that passes with the n-th question."""

    def __init__(self, passes):
        self.passes = passes
        self.asked = 0

    def __call__(self):
        self.asked += 1
        return self.asked >= self.passes


SLOW = {
    "attendees": calendar(event(*map(ATTENDEE.format, range(500)))),
    "RDATEs": calendar(event(*many("RDATE", 2000))),
    "EXDATEs": calendar(event("RRULE:FREQ=DAILY;COUNT=3", *many("EXDATE", 2000))),
    "overrides": calendar(event("RRULE:FREQ=DAILY;COUNT=3"), *changes(100, "")),
    "lines": calendar(event(*(f"COMMENT:{n}" for n in range(10)), *["URL:https://example.org/" + "x" * 900] * 500)),
    "zones": zoned(*(zone(1, f"RRULE:FREQ=DAILY;{NEVER};UNTIL=19900101", name=f"Z{n}") for n in range(20)),
                   names=[f"Z{n}" for n in range(20)]),
}  # fmt: skip


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW.keys())
def test_reading_asks_the_deadline_again_and_again(text):
    patient = Clock(10**9)
    parse_meeting(text, BERLIN, Limits(out_of_time=patient))
    assert patient.asked >= 10
    for passes in (1, patient.asked // 2, patient.asked):
        clock = Clock(passes)
        with pytest.raises(UnreadableError, match="the time for one message is used up"):
            parse_meeting(text, BERLIN, Limits(out_of_time=clock))
        assert clock.asked == passes  # and goes no further


LONG = [
    rule(f"FREQ=DAILY;{NEVER};COUNT=3"),
    rule("FREQ=SECONDLY;COUNT=4000"),
    rule(f"FREQ=SECONDLY;{NEVER};UNTIL=99991231T000000Z"),
    rule("FREQ=DAILY;COUNT=9000;BYHOUR=9,10,11"),
    calendar(event(*many("RDATE", 4_000, 1000))),
]


@pytest.mark.parametrize("text", LONG)
@pytest.mark.parametrize("what", ["expand", "goes_past", "series_end"])
def test_expanding_asks_the_deadline_again_and_again(text, what):
    instances = parse_meeting(text, BERLIN, Limits()).instances
    work = {
        "expand": lambda limits: expand(instances, HORIZON * 4, limits),
        "goes_past": lambda limits: goes_past(instances, HORIZON, limits),
        "series_end": lambda limits: series_end(instances, limits),
    }[what]
    clock = Clock(2)
    with pytest.raises(UnreadableError, match="the time for one message is used up"):
        work(Limits(out_of_time=clock))
    assert clock.asked == 2


def test_no_more_candidates_than_allowed_are_looked_at():
    for text in LONG:
        instances = parse_meeting(text, BERLIN, Limits()).instances
        with pytest.raises(UnreadableError, match="too many candidates"):
            series_end(instances, Limits(max_candidates=3000))


TIMED = [":20260105T090000Z", ";TZID=Europe/Berlin:20260105T090000", ";TZID=Odd:20260105T090000",
         ";TZID=Europe/Berlin:20260329T023000", ":20240229T000000", ";TZID=Pacific/Apia:20111230T090000",
         ":90001231T235959Z", ":16010101T000000Z", ":19700101T000000"]  # fmt: skip
ODD_TIMES = [
    ";VALUE=DATE:20260105",
    ":99991231T235959Z",
    ":00010101T000000Z",
    ";TZID=None:20260105T090000",
]
UNTILS = [
    "20260105T090000",
    "20270101T000000Z",
    "20240229",
    "00010101T000000Z",
    "99991231T235959Z",
    "20280101",
]
LENGTHS = ["PT0S", "PT1H", "P1D", "P36600D", "PT999999H", "P1W", "P999999W", "-PT1H"]
BY_PARTS = {
    "MONTH": [1, 2, 6, 12],
    "MONTHDAY": [1, 13, 29, 30, 31, -1, -31],
    "YEARDAY": [1, 60, 365, 366, -1, -366],
    "WEEKNO": [1, 2, 52, 53, -1, -53],
    "HOUR": [0, 2, 9, 23],
    "MINUTE": [0, 7, 30, 59],
    "SECOND": [0, 5, 60],
    "SETPOS": [1, 2, -1, 366, -366],
}
by_parts = st.sampled_from(sorted(BY_PARTS)).flatmap(
    lambda name: st.lists(st.sampled_from(BY_PARTS[name]), min_size=1, max_size=4).map(
        lambda numbers: f"BY{name}={','.join(map(str, numbers))}"
    )
)
others = [
    "INTERVAL=2",
    "INTERVAL=999999999",
    "WKST=SU",
    "BYDAY=MO,WE",
    "BYDAY=2TU,-1SU,53FR",
    EVERY_SECOND,
]
limits_of_rules = st.one_of(
    st.sampled_from(["COUNT=1", "COUNT=30", "COUNT=4000", "COUNT=999999999", ""]),
    st.sampled_from(UNTILS).map("UNTIL={}".format),
)
rule_texts = st.tuples(
    st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"]),
    limits_of_rules,
    st.lists(st.one_of(by_parts, st.sampled_from(others)), max_size=3, unique_by=lambda part: part.split("=")[0]),
).map(lambda drawn: ";".join([f"FREQ={drawn[0]}", drawn[1], *drawn[2]]))  # fmt: skip
moments = st.sampled_from(TIMED)
lines = st.one_of(
    st.sampled_from([*TIMED, *ODD_TIMES]).map("EXDATE{}".format),
    moments.map("RDATE{}".format),
    st.tuples(moments, st.sampled_from(LENGTHS)).map(lambda drawn: f"RDATE{drawn[0]}/{drawn[1]}"),
    st.sampled_from(["STATUS:CANCELLED", "TRANSP:TRANSPARENT"]),
)
ends = st.sampled_from([*LENGTHS[:6], "DTEND;TZID=Odd:20280105T090000"]).map(
    lambda end: end if end.startswith("DTEND") else f"DURATION:{end}"
)
plain = st.tuples(moments, ends, st.lists(lines, max_size=2))
changed = st.tuples(moments, ends, st.sampled_from(SHIFTS), moments)


@st.composite
def calendars(draw):
    start, end, extra = draw(plain)
    extra = [f"RRULE:{draw(rule_texts)}", *extra] if draw(st.integers(0, 9)) else extra
    blocks = [event(*extra, start=f"DTSTART{start}", length=end)]
    for begin, until, reach, named in draw(st.lists(changed, max_size=2)):
        blocks.append(event(f"RECURRENCE-ID{reach}{named}", start=f"DTSTART{begin}", length=until))
    observance = draw(st.one_of(st.just("COMMENT:none"), rule_texts.map("RRULE:{}".format)))
    return calendar(zone(draw(st.integers(1, 3)), observance), *blocks)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    calendars(), st.sampled_from([HORIZON, HORIZON * 4]), st.sampled_from([None, 0, HORIZON - 9])
)
def test_any_calendar_is_a_result_or_a_reason(text, until, since):
    limits = Limits(max_candidates=5000, max_occurrences=500)
    try:
        instances = parse_meeting(text, BERLIN, limits).instances
    except NotForBookingError as error:
        assert str(error)
        return
    for work in (
        lambda: expand(instances, until, limits, since),
        lambda: goes_past(instances, until, limits),
        lambda: series_end(instances, limits),
    ):
        try:
            work()
        except UnreadableError as error:
            assert str(error)
