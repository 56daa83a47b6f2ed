"""The VCALENDAR of a reply."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from icalendar import Calendar

from mailcore.view import MessageView
from mr_accept.decision import Decision, Reason, Verdict
from mr_accept.grammar import parse_component
from mr_accept.itip import find_calendar, parse_meeting
from mr_accept.limits import Limits
from mr_accept.model import ONWARDS, Occurrence
from mr_accept.reply_calendar import fold
from mr_accept.series_instance import series_instance
from tests.support.replies import (
    ACCEPTED,
    BERLIN,
    MONDAY,
    PARTLY,
    REFUSED,
    ROOM,
    WEEK,
    busy,
    declined,
    event_of,
    events_of,
    mondays,
    parts,
    read,
    reply_to,
)

DATA = Path(__file__).parent / "data"


def test_the_echo(ics):
    meeting = ics.meeting(
        "SEQUENCE:4", "DESCRIPTION:secret", "ATTACH:https://example.org/x", "RRULE:FREQ=DAILY",
        "BEGIN:VALARM", "TRIGGER:-PT5M", "END:VALARM", "X-ODD:1",
        "ATTENDEE;CN=Room Aurora;CUTYPE=ROOM;ROLE=NON-PARTICIPANT;RSVP=FALSE"
        ";PARTSTAT=NEEDS-ACTION:mailto:Room-Aurora@Example.org",
        ATTENDEE="ATTENDEE:mailto:ben@example.org",
        DTSTART="DTSTART:20260105T080000Z", DTEND="DURATION:PT1H",
    )  # fmt: skip
    _, calendar = parts(reply_to(meeting))
    root = parse_component(calendar, Limits())
    assert root.lines[1:] == ["VERSION:2.0", "METHOD:REPLY"]
    assert event_of(calendar).lines == [
        "DTSTAMP:20260105T090000Z",
        "SEQUENCE:4",
        "UID:meeting-1@example.org",
        "DTSTART:20260105T080000Z",
        "DURATION:PT1H",
        "SUMMARY:Planning",
        "ORGANIZER;CN=Anna Berg:mailto:anna@example.org",
        "ATTENDEE;PARTSTAT=ACCEPTED;CUTYPE=ROOM;ROLE=NON-PARTICIPANT"
        ';CN="Room Aurora":mailto:Room-Aurora@Example.org',
        "REQUEST-STATUS:2.0;Success",
    ]
    assert not event_of(calendar).children


@pytest.mark.parametrize(
    ("decision", "partstat", "status"),
    [
        (ACCEPTED, "ACCEPTED", "2.0"),
        (REFUSED, "DECLINED", "3.14"),
        (busy((1, 2)), "DECLINED", "4.0"),
        (declined((Reason.ABSENT, "away")), "DECLINED", "4.0"),
        (declined((Reason.ITSELF, "overlap")), "DECLINED", "4.0"),
        (declined((Reason.EXTERNAL, "inside only")), "DECLINED", "3.8"),
        (declined((Reason.NOT_ALLOWED, "may not")), "DECLINED", "3.8"),
        (declined((Reason.PAST, "over")), "DECLINED", "3.5"),
        (declined((Reason.BEYOND_WINDOW, "too far")), "DECLINED", "3.5"),
        (declined((Reason.TOO_SOON, "too soon")), "DECLINED", "3.5"),
        (declined((Reason.TOO_SHORT, "too short")), "DECLINED", "3.5"),
        (declined((Reason.TOO_LONG, "too long")), "DECLINED", "3.5"),
        (declined((Reason.OUTSIDE_HOURS, "closed")), "DECLINED", "3.5"),
        (declined((Reason.SERIES_TOO_LONG, "too many")), "DECLINED", "3.6"),
        (declined((Reason.TOO_MANY_PEOPLE, "too many")), "DECLINED", "3.14"),
        (declined(), "DECLINED", "4.0"),
    ],
)
def test_the_answer(ics, decision, partstat, status):
    _, calendar = parts(reply_to(ics.meeting(), decision))
    event = event_of(calendar)
    assert event.first("ATTENDEE").parameters["PARTSTAT"] == partstat
    assert event.first("REQUEST-STATUS").value.startswith(status + ";")
    read_back = Calendar.from_ical(calendar)
    assert read_back["METHOD"] == "REPLY"
    assert not read_back.events[0].errors


def test_the_vtimezone_goes_along_and_without_one_times_are_in_utc():
    view = MessageView((DATA / "outlook_series.eml").read_bytes())
    meeting = parse_meeting(find_calendar(view).text, BERLIN, Limits())
    _, calendar = parts(reply_to(meeting))
    root = parse_component(calendar, Limits())
    assert [zone.first("TZID").value for zone in root.named("VTIMEZONE")] == [
        "W. Europe Standard Time"
    ]
    assert "DTSTART;TZID=W. Europe Standard Time:20260105T090000" in event_of(calendar).lines
    _, of_one = parts(reply_to(meeting, instance=1))
    assert "RECURRENCE-ID;TZID=W. Europe Standard Time:20260126T090000" in event_of(of_one).lines


def test_a_named_zone_without_vtimezone_is_written_in_utc(ics):
    meeting = ics.meeting("RECURRENCE-ID;TZID=Europe/Berlin:20260105T080000")
    _, calendar = parts(reply_to(meeting))
    lines = event_of(calendar).lines
    assert "RECURRENCE-ID:20260105T070000Z" in lines
    assert "DTSTART:20260105T080000Z" in lines
    assert "DTEND:20260105T090000Z" in lines
    assert not parse_component(calendar, Limits()).named("VTIMEZONE")


def test_calendar_lines_are_folded_between_characters(ics):
    meeting = ics.meeting(SUMMARY="SUMMARY:" + "会議" * 100)
    calendar = read(reply_to(meeting)).get_payload(1).get_payload(decode=True)
    for line in calendar.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()
    assert event_of(calendar.decode()).first("SUMMARY").value == "会議" * 100


@given(st.text(max_size=300).filter(lambda text: not set(text) & set("\r\n")))
@example("X" * 75)
@example("X" * 76)
@example("\xe9" * 40)
def test_folding_is_undone_by_unfolding(line):
    folded = fold(line)
    assert folded.replace("\r\n ", "") == line
    assert all(len(piece.encode("utf-8", "replace")) <= 75 for piece in folded.split("\r\n"))


def test_every_reason_has_a_status(ics):
    for reason in Reason:
        _, calendar = parts(reply_to(ics.meeting(), declined((reason, "so"))))
        assert event_of(calendar).first("REQUEST-STATUS").value[0] in "345"


def test_several_reasons_are_several_statuses_and_each_only_once(ics):
    decision = declined(
        (Reason.TOO_LONG, "too long"), (Reason.TOO_SOON, "too soon"), (Reason.RECURRING, "no series")
    )  # fmt: skip
    _, calendar = parts(reply_to(ics.meeting("RRULE:FREQ=DAILY"), decision))
    statuses = [line.value for line in event_of(calendar).all("REQUEST-STATUS")]
    assert statuses == ["3.5;Invalid date or time", "3.14;Unsupported capability"]
    assert not Calendar.from_ical(calendar).events[0].errors


def test_a_series_accepted_in_part_is_one_reply_for_it_and_each_declined_occurrence(ics):
    meeting = ics.meeting("RRULE:FREQ=WEEKLY;COUNT=52", "SEQUENCE:2")
    message = read(reply_to(meeting, PARTLY))
    assert message["subject"] == "Accepted: Planning"
    assert len(list(message.iter_parts())) == 2
    _, calendar = parts(reply_to(meeting, PARTLY))
    events = events_of(calendar)
    assert [event.first("UID").value for event in events] == ["meeting-1@example.org"] * 3
    assert [event.first("SEQUENCE").value for event in events] == ["2"] * 3
    assert [
        (
            event.first("ATTENDEE").parameters["PARTSTAT"],
            event.first("RECURRENCE-ID") and event.first("RECURRENCE-ID").text,
            event.first("REQUEST-STATUS").value[:4],
        )
        for event in events
    ] == [
        ("ACCEPTED", None, "2.0;"),
        ("DECLINED", "RECURRENCE-ID:20260112T080000Z", "4.0;"),
        ("DECLINED", "RECURRENCE-ID:20260119T080000Z", "4.0;"),
    ]
    assert not any(event.errors for event in Calendar.from_ical(calendar).events)


def test_the_occurrences_can_be_left_to_replies_of_their_own(ics):
    meeting = ics.meeting("RRULE:FREQ=WEEKLY;COUNT=52")
    text, calendar = parts(reply_to(meeting, PARTLY, resource=ROOM._replace(separate=True)))
    assert len(events_of(calendar)) == 1
    assert "2 of 52 occurrences could not be booked and are declined." in text
    one = series_instance(meeting.instances[0], PARTLY.clashes[0])
    said, calendar = parts(
        reply_to(meeting, busy((MONDAY + WEEK, MONDAY + WEEK + 3600)), instance=one)
    )
    assert "RECURRENCE-ID:20260112T080000Z" in event_of(calendar).lines
    assert said.splitlines()[0].startswith(
        "Room Aurora has declined one occurrence of the meeting: "
    )
    assert (
        "When: Mon 12 January 2026, 09:00 to 10:00 (Europe/Berlin, UTC+01:00)" in said.splitlines()
    )


def test_declined_occurrences_have_the_zone_and_the_sequence_that_the_message_has_for_them():
    view = MessageView((DATA / "outlook_series.eml").read_bytes())
    meeting = parse_meeting(find_calendar(view).text, BERLIN, Limits())
    override = meeting.instances[1]
    moved = Occurrence(
        override.start.epoch, override.start.epoch + 5400, override.recurrence_id
    )  # fmt: skip
    decision = Decision(Verdict.ACCEPTED, clashes=(mondays(2)[1], moved), asked_for=12)
    _, calendar = parts(reply_to(meeting, decision))
    root = parse_component(calendar, Limits())
    assert len(root.named("VTIMEZONE")) == 1
    _, by_the_rule, own = root.named("VEVENT")
    assert "RECURRENCE-ID;TZID=W. Europe Standard Time:20260112T090000" in by_the_rule.lines
    assert "DTEND;TZID=W. Europe Standard Time:20260112T100000" in by_the_rule.lines
    assert "RECURRENCE-ID;TZID=W. Europe Standard Time:20260126T090000" in own.lines
    assert "DTSTART;TZID=W. Europe Standard Time:20260127T140000" in own.lines


def test_an_accepted_single_event_never_declines_itself(ics):
    decision = Decision(Verdict.ACCEPTED, clashes=(Occurrence(MONDAY, MONDAY + 3600, ""),))
    text, calendar = parts(reply_to(ics.meeting(), decision))
    assert len(events_of(calendar)) == 1
    assert text.splitlines()[:2] == ["Room Aurora has accepted the meeting and is booked.", ""]
    assert "not free" not in text


@pytest.mark.parametrize(
    ("written", "echoed"),
    [
        ("RECURRENCE-ID;RANGE=THISANDFUTURE:20260112T080000Z",
         "RECURRENCE-ID;RANGE=THISANDFUTURE:20260112T080000Z"),
        ("RECURRENCE-ID;TZID=Europe/Berlin;RANGE=THISANDFUTURE:20260112T090000",  # no VTIMEZONE along
         "RECURRENCE-ID;RANGE=THISANDFUTURE:20260112T080000Z"),
        ("RECURRENCE-ID;VALUE=DATE;RANGE=THISANDFUTURE:20260112",
         "RECURRENCE-ID;VALUE=DATE;RANGE=THISANDFUTURE:20260112"),
    ],
)  # fmt: skip
def test_the_range_of_a_change_is_echoed(ics, written, echoed):
    meeting = ics.meeting(written)
    assert meeting.instances[0].recurrence_id.endswith(ONWARDS)
    text, calendar = parts(reply_to(meeting, REFUSED))
    assert echoed in event_of(calendar).lines
    assert text.startswith("Room Aurora has declined the meeting from one occurrence on: ")
    assert "; this one and those after it" in text


def test_a_range_accepted_in_part_declines_the_others(ics):
    meeting = ics.meeting("RECURRENCE-ID;RANGE=THISANDFUTURE:20260105T080000Z")
    _, calendar = parts(reply_to(meeting, PARTLY))
    ids = [event.first("RECURRENCE-ID").text for event in events_of(calendar)]
    assert ids == [
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20260105T080000Z",
        "RECURRENCE-ID:20260112T080000Z",
        "RECURRENCE-ID:20260119T080000Z",
    ]


@pytest.mark.parametrize(
    ("invited", "answered"),
    [
        ('ATTENDEE;DELEGATED-FROM="mailto:room-borealis@example.org":mailto:room-aurora@example.org',
         'ATTENDEE;PARTSTAT=ACCEPTED;DELEGATED-FROM="mailto:room-borealis@example.org"'
         ":mailto:room-aurora@example.org"),
        ('ATTENDEE;DELEGATED-FROM="mailto:a@example.org","mailto:b@example.org":mailto:room-aurora@example.org',
         'ATTENDEE;PARTSTAT=ACCEPTED;DELEGATED-FROM="mailto:a@example.org","mailto:b@example.org"'
         ":mailto:room-aurora@example.org"),
    ],
)  # fmt: skip
def test_a_delegate_says_so(ics, invited, answered):
    _, calendar = parts(reply_to(ics.meeting(ATTENDEE=invited)))
    assert answered in event_of(calendar).lines
