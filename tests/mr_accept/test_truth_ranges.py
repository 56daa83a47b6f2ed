"""RANGE=THISANDFUTURE: what it moves, ends and leaves alone, against a table and against a plain reckoning."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mr_accept.expand import expand, goes_past, occurrences_of, series_end
from mr_accept.itip import parse_meeting
from mr_accept.limits import Limits
from mr_accept.model import ONWARDS, Lineage, LineageState, UnreadableError
from mr_accept.zones import IanaZone

BERLIN = ZoneInfo("Europe/Berlin")
DAILY = "RRULE:FREQ=DAILY;COUNT=5"
A_DAY = {"DTSTART": "DTSTART;VALUE=DATE:20260105", "DTEND": None}


def instant(text):
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC).timestamp())


HORIZON = instant("2028-01-01 00:00")


def shown(occurrences):
    return [
        f"{datetime.fromtimestamp(start, BERLIN):%m-%d %H:%M}+{(end - start) // 60}"
        for start, end, _, _ in occurrences
    ]


def onwards(ics, day, start, *lines, length="PT30M", name="THISANDFUTURE"):
    return ics.vevent(
        f"RECURRENCE-ID;RANGE={name};TZID=Europe/Berlin:{day}T090000",
        *lines,
        DTSTART=f"DTSTART;TZID=Europe/Berlin:{start}",
        DTEND=f"DURATION:{length}",
    )


def override(ics, day, start, *lines):
    return ics.vevent(
        f"RECURRENCE-ID;TZID=Europe/Berlin:{day}T090000",
        *lines,
        DTSTART=f"DTSTART;TZID=Europe/Berlin:{start}",
        DTEND="DURATION:PT15M",
    )


def series(ics, *blocks, rule=DAILY, **changed):
    return ics.parse(ics.vcalendar(ics.vevent(rule, **changed), *blocks)).instances


MOVED = ("20260107", "20260107T140000")
GONE = ("20260107", "20260107T090000", "STATUS:CANCELLED")

RANGES = [
    # the VEVENTs beside a daily series of 5 from 5 January 09:00, the occurrences in Berlin
    ([(onwards, *MOVED)],
     ["01-05 09:00+60", "01-06 09:00+60", "01-07 14:00+30", "01-08 14:00+30", "01-09 14:00+30"]),
    ([(onwards, *GONE)], ["01-05 09:00+60", "01-06 09:00+60"]),
    # by days too, and backwards, over those that come before
    ([(onwards, "20260108", "20260106T080000")],
     ["01-05 09:00+60", "01-06 08:00+30", "01-06 09:00+60", "01-07 08:00+30", "01-07 09:00+60"]),
    # the latest range that has begun counts, alone
    ([(onwards, *MOVED), (onwards, "20260109", "20260109T100000")],
     ["01-05 09:00+60", "01-06 09:00+60", "01-07 14:00+30", "01-08 14:00+30", "01-09 10:00+30"]),
    ([(onwards, *GONE), (onwards, "20260109", "20260109T100000")],
     ["01-05 09:00+60", "01-06 09:00+60", "01-09 10:00+30"]),
    ([(onwards, *MOVED), (onwards, "20260109", "20260109T090000", "STATUS:CANCELLED")],
     ["01-05 09:00+60", "01-06 09:00+60", "01-07 14:00+30", "01-08 14:00+30"]),
    # an override wins, also one of the very instance that the range begins with
    ([(onwards, *MOVED), (override, "20260108", "20260108T110000")],
     ["01-05 09:00+60", "01-06 09:00+60", "01-07 14:00+30", "01-08 11:00+15", "01-09 14:00+30"]),
    ([(onwards, *MOVED), (override, "20260107", "20260107T110000")],
     ["01-05 09:00+60", "01-06 09:00+60", "01-07 11:00+15", "01-08 14:00+30", "01-09 14:00+30"]),
    ([(onwards, *GONE), (override, "20260108", "20260108T110000")],
     ["01-05 09:00+60", "01-06 09:00+60", "01-08 11:00+15"]),
    ([(onwards, *MOVED), (override, "20260108", "20260108T110000", "STATUS:CANCELLED")],
     ["01-05 09:00+60", "01-06 09:00+60", "01-07 14:00+30", "01-09 14:00+30"]),
    # before the first instance, after the last, and between two
    ([(onwards, "20260101", "20260101T100000")], [f"01-{day:02} 10:00+30" for day in range(5, 10)]),
    ([(onwards, "20260201", "20260201T100000")], [f"01-{day:02} 09:00+60" for day in range(5, 10)]),
]  # fmt: skip


@pytest.mark.parametrize(("blocks", "expected"), RANGES)
def test_ranges(ics, blocks, expected):
    instances = series(ics, *(make(ics, *details) for make, *details in blocks))
    found = expand(instances, HORIZON, Limits())
    assert shown(found) == expected


def test_a_range_that_names_no_instance_counts_from_its_time_on(ics):
    between = onwards(ics, "20260110", "20260110T100000")  # a Saturday
    weekly = series(ics, between, rule="RRULE:FREQ=WEEKLY;COUNT=3")
    found = expand(weekly, HORIZON, Limits())
    assert shown(found) == ["01-05 09:00+60", "01-12 10:00+30", "01-19 10:00+30"]


def test_moved_occurrences_keep_their_ids(ics):
    instances = series(ics, onwards(ics, *MOVED))
    assert [item.recurrence_id for item in instances] == ["", "20260107T080000Z" + ONWARDS]
    found = expand(instances, HORIZON, Limits())
    assert [item.recurrence_id for item in found] == [f"202601{day:02}T080000Z" for day in range(5, 10)]  # fmt: skip


def test_the_shift_is_one_of_the_wall_clock(ics):
    # from Friday on at 15:00; the clocks go forward on Sunday 29 March
    moved = ics.vevent(
        "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260327T090000",
        DTSTART="DTSTART:20260327T140000Z",  # named in another zone: 15:00 in Berlin
        DTEND="DURATION:P1D",
    )
    instances = series(
        ics,
        moved,
        rule="RRULE:FREQ=DAILY;COUNT=4",
        DTSTART="DTSTART;TZID=Europe/Berlin:20260326T090000",
        DTEND="DURATION:PT1H",
    )
    assert shown(expand(instances, HORIZON, Limits())) == [
        "03-26 09:00+60",
        "03-27 15:00+1440",
        "03-28 15:00+1380",
        "03-29 15:00+1440",
    ]


def test_rdates_are_moved_and_lose_lengths_of_their_own(ics):
    lines = ["RDATE;VALUE=PERIOD:20260106T080000Z/PT2H,20260110T120000Z/PT2H"]
    instances = ics.parse(
        ics.vcalendar(ics.vevent(DAILY, *lines), onwards(ics, "20260107", "20260107T100000"))
    ).instances
    assert shown(expand(instances, HORIZON, Limits())) == [
        "01-05 09:00+60",
        "01-06 09:00+120",
        "01-07 10:00+30",
        "01-08 10:00+30",
        "01-09 10:00+30",
        "01-10 14:00+30",
    ]


def test_all_day_series_move_by_days(ics):
    moved = ics.vevent(
        "RECURRENCE-ID;VALUE=DATE;RANGE=THISANDFUTURE:20260107",
        DTSTART="DTSTART;VALUE=DATE:20260108",
        DTEND="DURATION:P2D",
    )
    found = expand(series(ics, moved, rule="RRULE:FREQ=DAILY;COUNT=4", **A_DAY), HORIZON, Limits())
    assert shown(found) == ["01-05 00:00+1440", "01-06 00:00+1440", "01-08 00:00+2880", "01-09 00:00+2880"]  # fmt: skip
    assert [item.recurrence_id for item in found][2:] == ["20260107", "20260108"]


def test_stored_ranges_count_by_their_state(ics):
    master, moved = series(ics, onwards(ics, *MOVED))
    first = Lineage("", LineageState.ACCEPTED, master)
    plain = shown(expand([master], HORIZON, Limits()))

    def with_range(state, instance):
        rows = [Lineage(moved.recurrence_id, state, instance), first]
        return shown(occurrences_of(rows, HORIZON, Limits()))

    assert with_range(LineageState.DECLINED, None) == plain
    assert with_range(LineageState.DECLINED, moved) == plain
    assert with_range(LineageState.CANCELLED, None) == plain[:2]
    assert with_range(LineageState.CANCELLED, moved) == plain[:2]
    later = ["01-07 14:00+30", "01-08 14:00+30", "01-09 14:00+30"]
    assert with_range(LineageState.ACCEPTED, moved) == plain[:2] + later


@pytest.mark.parametrize("state", [LineageState.CANCELLED, LineageState.DECLINED, None])
def test_without_an_accepted_master_a_range_makes_nothing(ics, state):
    master, moved = series(ics, onwards(ics, *MOVED))
    rows = [Lineage(moved.recurrence_id, LineageState.ACCEPTED, moved)]
    rows += [Lineage("", state, master)] if state else []
    assert occurrences_of(rows, HORIZON, Limits()) == ()


def test_horizon_and_since_go_by_the_moved_time(ics):
    forward = series(ics, onwards(ics, "20260107", "20260117T090000"), rule="RRULE:FREQ=DAILY")
    found = expand(forward, instant("2026-01-19 12:00"), Limits(), instant("2026-01-10 00:00"))
    assert shown(found) == ["01-17 09:00+30", "01-18 09:00+30", "01-19 09:00+30"]
    back = series(ics, onwards(ics, "20260127", "20260107T140000"), rule="RRULE:FREQ=DAILY")
    found = expand(back, instant("2026-01-09 00:00"), Limits(), instant("2026-01-07 00:00"))
    assert shown(found) == ["01-07 09:00+60", "01-07 14:00+30", "01-08 09:00+60", "01-08 14:00+30"]


def test_a_long_range_reaches_over_since(ics):
    long = onwards(ics, "20260107", "20260107T090000", length="P10D")
    held = series(ics, long, rule="RRULE:FREQ=DAILY;UNTIL=20260109T080000Z")
    found = expand(held, HORIZON, Limits(), instant("2026-01-17 08:00"))
    assert shown(found) == ["01-08 09:00+14400", "01-09 09:00+14400"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["RECURRENCE-ID;RANGE=THISANDPRIOR:20260107T080000Z"], "THISANDPRIOR"),
        (["RECURRENCE-ID;RANGE=THISANDFUTURE:20260107T080000Z", DAILY], "recurrence of its own"),
        (["RECURRENCE-ID;RANGE=THISANDFUTURE:20260107T080000Z", "RDATE:20260108T080000Z"], "of its own"),
    ],
)  # fmt: skip
def test_ranges_that_cannot_be_read(ics, lines, message):
    with pytest.raises(UnreadableError, match=message):
        ics.meeting(*lines)


def test_ranges_that_cannot_be_applied(ics):
    for moved in (
        ics.vevent("RECURRENCE-ID;RANGE=THISANDFUTURE:20260107T080000Z", **A_DAY),
        onwards(ics, "20260107", "20460107T090000"),
    ):
        with pytest.raises(UnreadableError, match="change of all instances"):
            expand(series(ics, moved), HORIZON, Limits())
    timed = series(ics, onwards(ics, *MOVED))[1]
    all_day = ics.meeting(DAILY, **A_DAY).instances[0]
    with pytest.raises(UnreadableError, match="type"):
        expand([all_day, timed], HORIZON, Limits())


def test_a_cancelled_range_is_read_without_a_start(ics):
    meeting = ics.meeting(
        "RECURRENCE-ID;RANGE=thisandfuture;TZID=Europe/Berlin:20260107T090000",
        method="CANCEL",
        DTSTART=None,
        DTEND=None,
    )
    assert meeting.instances[0].recurrence_id == "20260107T080000Z+"
    assert meeting.instances[0].cancelled


ENDS = [
    # rule, further VEVENTs, the end of the last occurrence in UTC
    ("RRULE:FREQ=DAILY;COUNT=5", [], "2026-01-09 09:00"),
    ("RRULE:FREQ=DAILY;UNTIL=20260107T080000Z", [], "2026-01-07 09:00"),
    ("RRULE:FREQ=DAILY;UNTIL=20260107T075959Z", [], "2026-01-06 09:00"),
    ("RRULE:FREQ=DAILY", [], None),
    ("RRULE:FREQ=DAILY;UNTIL=99991231T235959Z", [], None),
    ("RRULE:FREQ=YEARLY;COUNT=200", [], None),
    ("RRULE:FREQ=YEARLY;COUNT=50", [], "2075-01-05 09:00"),
    ("RDATE:20260301T080000Z,20260201T080000Z", [], "2026-03-01 09:00"),
    ("SUMMARY:Once", [], "2026-01-05 09:00"),
    (DAILY, [(onwards, *MOVED)], "2026-01-09 13:30"),
    (DAILY, [(onwards, *GONE)], "2026-01-06 09:00"),
    ("RRULE:FREQ=DAILY", [(onwards, *GONE)], "2026-01-06 09:00"),
    ("RRULE:FREQ=DAILY", [(onwards, *MOVED)], None),
    ("RRULE:FREQ=DAILY", [(onwards, *GONE), (onwards, "20260109", "20260109T100000")], None),
    (DAILY, [(override, "20260106", "20260120T090000")], "2026-01-20 08:15"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "blocks", "expected"), ENDS)
def test_the_end_of_a_series(ics, rule, blocks, expected):
    made = [make(ics, *details) for make, *details in blocks]
    changed = {"SUMMARY": None} if rule.startswith("SUMMARY") else {}
    instances = series(ics, *made, rule=rule, **changed)
    end = instant(expected) if expected else None
    assert series_end(instances, Limits()) == end
    if end is None:
        assert goes_past(instances, instant("2100-01-01 00:00"), Limits())
        return
    occurrences = expand(instances, HORIZON * 2, Limits())
    latest = max(item.start for item in occurrences)
    assert goes_past(instances, latest, Limits())
    assert goes_past(instances, occurrences[0].start, Limits())
    assert not goes_past(instances, latest + 1, Limits())


def test_an_occurrence_of_no_length_is_at_its_instant(ics):
    single = ics.meeting(DTEND=None).instances
    start = instant("2026-01-05 08:00")
    assert goes_past(single, start, Limits())
    assert not goes_past(single, start + 1, Limits())
    assert series_end(single, Limits()) == start


def test_a_series_of_which_nothing_is_left_ends_where_it_began(ics):
    none = ics.meeting("RRULE:FREQ=DAILY;COUNT=1", "EXDATE:20260105T080000Z").instances
    assert expand(none, HORIZON, Limits()) == ()
    assert series_end(none, Limits()) == instant("2026-01-05 08:00")
    assert not goes_past(none, 0, Limits())


@pytest.mark.parametrize("rule", ["FREQ=DAILY", "FREQ=SECONDLY"])
def test_an_endless_rule_is_known_without_expanding(ics, rule):
    instances = ics.meeting(f"RRULE:{rule}").instances
    frugal = Limits(max_candidates=1, out_of_time=lambda: True)
    assert goes_past(instances, HORIZON, frugal)
    assert series_end(instances, frugal) is None


# A plain reckoning: every start of the series, the range that counts for it, and only then the window.
FIRST = datetime(2026, 3, 20, 9)
ZONE = IanaZone("Europe/Berlin")


def utc(wall):
    return int(wall.replace(tzinfo=BERLIN).timestamp())


def identifier(wall):
    return f"{datetime.fromtimestamp(utc(wall), UTC):%Y%m%dT%H%M%SZ}"


changes = st.one_of(
    st.none(), st.tuples(st.integers(-72, 72), st.integers(0, 100), st.booleans())
)  # hours, hours, an instance or between two


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.integers(-2, 24), changes, max_size=4),
    st.frozensets(st.integers(0, 20), max_size=3),
    st.integers(-5, 30),
    st.one_of(st.none(), st.integers(-5, 30)),
    st.sampled_from(["", ";COUNT=15"]),
)
def test_random_ranges_agree_with_a_plain_reckoning(ranges, excluded, until, since, count):
    instances, rules = _parsed(ranges, excluded, count)
    end = utc(FIRST + timedelta(days=until, hours=1))
    begin = None if since is None else utc(FIRST + timedelta(days=since, hours=5))
    expected = []
    for number in range(15 if count else 120):
        wall, length = FIRST + timedelta(days=number), timedelta(hours=1)
        begun = [first for first in rules if first <= wall]
        change = rules[max(begun)] if begun else (timedelta(0), length)
        if number in excluded or change is None:
            continue
        start = utc(wall + change[0])
        stop = start + int(change[1].total_seconds())
        if start < end and (begin is None or stop > begin):
            expected.append((start, stop, identifier(wall)))
    found = expand(instances, end, Limits(), begin)
    assert [tuple(item[:3]) for item in found] == sorted(expected)


def _parsed(ranges, excluded, count):
    head = "DTSTAMP:20260101T000000Z\nUID:1\nORGANIZER:mailto:a@example.org"
    lines = [f"EXDATE:{identifier(FIRST + timedelta(days=number))}" for number in excluded]
    events = [
        "\n".join([f"{head}\nRRULE:FREQ=DAILY{count}\nDURATION:PT1H", *lines,
                   f"DTSTART;TZID=Europe/Berlin:{FIRST:%Y%m%dT%H%M%S}"])
    ]  # fmt: skip
    rules = {}
    for number, change in ranges.items():
        hours, length, between = change or (0, 1, False)
        named = FIRST + timedelta(days=number, hours=-12 if between else 0)
        moved = named + timedelta(hours=hours)
        rules[named] = (timedelta(hours=hours), timedelta(hours=length)) if change else None
        status = "CONFIRMED" if change else "CANCELLED"
        events.append(
            f"{head}\nRECURRENCE-ID;RANGE=THISANDFUTURE:{identifier(named)}\nSTATUS:{status}\n"
            f"DTSTART;TZID=Europe/Berlin:{moved:%Y%m%dT%H%M%S}\nDURATION:PT{length}H"
        )
    blocks = "".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT\n" for event in events)
    text = f"BEGIN:VCALENDAR\nMETHOD:REQUEST\n{blocks}END:VCALENDAR\n"
    return parse_meeting(text, ZONE, Limits()).instances, rules
