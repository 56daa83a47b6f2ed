"""The answer to the organizer: mail header, words, VCALENDAR."""

import email.policy
from email import message_from_bytes
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from mailcore.view import MessageView
from mr_accept.grammar import parse_component
from mr_accept.itip import attendee_for, find_calendar, parse_meeting
from mr_accept.limits import Limits
from mr_accept.model import Decision, Occurrence, Reason, Refusal, Verdict
from mr_accept.reply import Request, Resource, compose_reply
from mr_accept.reply_calendar import fold
from mr_accept.values import read_text
from mr_accept.zones import IanaZone

DATA = Path(__file__).parent / "data"
BERLIN = IanaZone("Europe/Berlin")
ROOM = Resource("Room Aurora", "room-aurora@example.org", BERLIN)
NO_THREAD = Request()
NOW = 1767603600  # 2026-01-05 09:00 UTC
ACCEPTED = Decision(Verdict.ACCEPTED)
REFUSED = Decision(Verdict.DECLINED, (Refusal(Reason.RECURRING, Reason.RECURRING.value),))
MESSAGE_ID = "<reply-1@mail.example.org>"


def busy(*spans):
    clashes = tuple(Occurrence(start, end, "") for start, end in spans)
    return Decision(Verdict.DECLINED, (Refusal(Reason.BUSY, Reason.BUSY.value),), clashes=clashes)


def reply_to(meeting, decision=ACCEPTED, *, instance=0, request=NO_THREAD, resource=ROOM):
    found = meeting.instances[instance]
    attendee = found.attendees[-1]
    return compose_reply(
        meeting, found, attendee, decision,
        resource=resource, request=request, now=NOW, message_id=MESSAGE_ID,
    )  # fmt: skip


def read(outgoing):
    assert not outgoing.content.replace(b"\r\n", b"").count(b"\n")
    assert max(map(len, outgoing.content.split(b"\r\n"))) <= 998
    return message_from_bytes(outgoing.content, policy=email.policy.default)


def parts(outgoing):
    text, calendar = read(outgoing).iter_parts()
    return text.get_content(), calendar.get_content()


def event_of(calendar_text):
    return parse_component(calendar_text, Limits()).named("VEVENT")[0]


def test_header_and_envelope(ics):
    meeting = ics.meeting(SUMMARY="SUMMARY:Planning")
    request = Request("<ask@example.org>", "<first@example.org> <second@example.org>")
    outgoing = reply_to(meeting, request=request)
    assert (outgoing.mail_from, outgoing.rcpt_to) == ("room-aurora@example.org", "anna@example.org")
    assert outgoing.message_id == MESSAGE_ID
    message = read(outgoing)
    assert message["from"] == "Room Aurora <room-aurora@example.org>"
    assert message["to"] == "Anna Berg <anna@example.org>"
    assert message["subject"] == "Accepted: Planning"
    assert message["message-id"] == MESSAGE_ID
    assert message["in-reply-to"] == "<ask@example.org>"
    assert message["references"].split() == [
        "<first@example.org>", "<second@example.org>", "<ask@example.org>"
    ]  # fmt: skip
    assert message["auto-submitted"] == "auto-replied"
    assert message["date"] == "Mon, 05 Jan 2026 09:00:00 +0000"
    assert message["mime-version"] == "1.0"
    assert message.get_content_type() == "multipart/alternative"
    plain, calendar = message.iter_parts()
    assert plain.get_content_type() == "text/plain"
    assert calendar.get_content_type() == "text/calendar"
    assert calendar.get_param("method") == "REPLY"
    assert calendar.get_param("charset") == "UTF-8"


def test_the_same_again_gives_the_same_bytes(ics):
    meeting = ics.meeting()
    assert reply_to(meeting) == reply_to(meeting)


def test_our_own_reader_takes_a_reply_for_no_request(ics):
    found = find_calendar(MessageView(reply_to(ics.meeting()).content))
    assert found.method == "REPLY"


@pytest.mark.parametrize(
    ("summary", "decision", "subject"),
    [
        ("Planning", ACCEPTED, "Accepted: Planning"),
        ("Planning", REFUSED, "Declined: Planning"),
        ("", ACCEPTED, "Accepted: (no title)"),
        ("Grüße aus Köln", ACCEPTED, "Accepted: Grüße aus Köln"),
        ("one\\nBcc: eve@example.org", ACCEPTED, "Accepted: one Bcc: eve@example.org"),
        ("one\\n\\n<html>", ACCEPTED, "Accepted: one <html>"),
        ("=?utf-8?q?hidden?=", ACCEPTED, "Accepted: =?utf-8?q?hidden?="),
        ("long " * 40, ACCEPTED, "Accepted: " + ("long " * 40).strip()),
        ("会議 " * 40, ACCEPTED, "Accepted: " + ("会議 " * 40).strip()),
        ("a\x00b\x0bc\u2028d", ACCEPTED, "Accepted: a b c d"),
        ("x" * 5000, ACCEPTED, "Accepted: " + "x" * 300 + "..."),
    ],
)
def test_subjects(ics, summary, decision, subject):
    message = read(reply_to(ics.meeting(SUMMARY=f"SUMMARY:{summary}"), decision))
    assert message["subject"] == subject
    assert message["bcc"] is None
    assert message["auto-submitted"] == "auto-replied"


@given(st.text(max_size=120))
def test_no_summary_breaks_the_header(summary):
    line = "SUMMARY:" + "".join(c for c in summary if c not in "\r\n")
    text = (
        "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"
        "DTSTART:20260105T090000Z\r\nORGANIZER:mailto:anna@example.org\r\n"
        f"ATTENDEE:mailto:room-aurora@example.org\r\n{line}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    meeting = parse_meeting(text, BERLIN, Limits())
    assert meeting.instances[0].summary == read_text(line[8:].strip())
    message = read(reply_to(meeting))
    assert list(message.keys())[-1] == "Content-Type"
    assert len(message.keys()) == 8
    assert [part.get_content_type() for part in message.iter_parts()] == [
        "text/plain", "text/calendar"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("organizer", "to", "rcpt_to"),
    [
        ("ORGANIZER;CN=Anna Berg:mailto:anna@example.org", "Anna Berg <anna@example.org>", "anna@example.org"),
        ("ORGANIZER:mailto:anna@example.org", "anna@example.org", "anna@example.org"),
        ('ORGANIZER;CN="Berg, Anna":mailto:anna@example.org', '"Berg, Anna" <anna@example.org>', "anna@example.org"),
        ("ORGANIZER;CN=Änne:mailto:anna@example.org", "Änne <anna@example.org>", "anna@example.org"),
        ("ORGANIZER:mailto:anna@bücher.example", "anna@xn--bcher-kva.example", "anna@bücher.example"),
    ],
)  # fmt: skip
def test_to_whom(ics, organizer, to, rcpt_to):
    outgoing = reply_to(ics.meeting(ORGANIZER=organizer))
    assert str(read(outgoing)["to"]) == to
    assert outgoing.rcpt_to == rcpt_to


@pytest.mark.parametrize(
    ("request_", "parent", "references"),
    [
        (Request(), None, None),
        (Request("no brackets"), None, None),
        (Request("<a@b>"), "<a@b>", "<a@b>"),
        (Request("<a@b>\r\nBcc: x"), "<a@b>", "<a@b>"),
        (Request("<a@b>", "<a@b> <c@d> junk"), "<a@b>", "<c@d> <a@b>"),
    ],
)
def test_threading(ics, request_, parent, references):
    message = read(reply_to(ics.meeting(), request=request_))
    assert message["in-reply-to"] == parent
    assert message["references"] == references
    assert message["bcc"] is None


def test_many_references_keep_the_first_and_the_last(ics):
    many = " ".join(f"<{n}@example.org>" for n in range(100))
    message = read(reply_to(ics.meeting(), request=Request("<ask@example.org>", many)))
    found = message["references"].split()
    assert (len(found), found[0], found[-1]) == (21, "<0@example.org>", "<ask@example.org>")


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
def test_folding_is_undone_by_unfolding(line):
    folded = fold(line)
    assert folded.replace("\r\n ", "") == line
    assert all(len(piece.encode("utf-8", "replace")) <= 75 for piece in folded.split("\r\n"))


def test_the_words_of_an_acceptance(ics):
    text, _ = parts(reply_to(ics.meeting("LOCATION:North")))
    assert text.splitlines() == [
        "Room Aurora has accepted the meeting and is booked.",
        "",
        "What: Planning",
        "When: Mon 5 January 2026, 09:00 to 10:00 (Europe/Berlin, UTC+01:00)",
        "Where: North",
    ]


@pytest.mark.parametrize(
    ("changed", "lines", "when"),
    [
        ({"DTSTART": "DTSTART;TZID=America/New_York:20260706T090000", "DTEND": "DURATION:PT1H"}, [],
         "Mon 6 July 2026, 09:00 to 10:00 (America/New_York, UTC-04:00)"),
        ({"DTSTART": "DTSTART:20260706T090000Z", "DTEND": "DURATION:PT1H"}, [],
         "Mon 6 July 2026, 11:00 to 12:00 (Europe/Berlin, UTC+02:00)"),
        ({"DTSTART": "DTSTART:20260706T090000", "DTEND": "DURATION:P1DT1H"}, [],
         "Mon 6 July 2026, 09:00 to Tue 7 July 2026, 10:00 (Europe/Berlin, UTC+02:00)"),
        ({"DTSTART": "DTSTART;VALUE=DATE:20260706", "DTEND": None}, [], "Mon 6 July 2026, all day"),
        ({"DTSTART": "DTSTART;VALUE=DATE:20260706", "DTEND": "DTEND;VALUE=DATE:20260709"}, [],
         "Mon 6 July 2026 to Wed 8 July 2026, all day"),
        ({}, ["RRULE:FREQ=WEEKLY"],
         "Mon 5 January 2026, 09:00 to 10:00 (Europe/Berlin, UTC+01:00); this is the first of a series"),
        ({"DTSTART": "DTSTART;TZID=W. Europe Standard Time:20260105T090000", "DTEND": "DURATION:PT1H"}, [],
         "Mon 5 January 2026, 09:00 to 10:00 (W. Europe Standard Time, UTC+01:00)"),
    ],
)  # fmt: skip
def test_when(ics, changed, lines, when):
    text, _ = parts(reply_to(ics.meeting(*lines, **changed)))
    assert f"When: {when}" in text.splitlines()


def test_the_words_of_a_refusal_name_each_clash_in_the_organizer_s_zone(ics):
    meeting = ics.meeting(
        "RRULE:FREQ=DAILY",
        DTSTART="DTSTART;TZID=America/New_York:20260105T090000",
        DTEND="DURATION:PT1H",
    )
    spans = [(1767621600 + n * 86400, 1767625200 + n * 86400) for n in range(12)]
    text, _ = parts(reply_to(meeting, busy(*spans)))
    lines = text.splitlines()
    assert lines[0] == (
        "Room Aurora has declined the meeting: the resource is already booked at that time."
    )
    begin = lines.index("These times are not free:")
    assert lines[begin + 1] == "  Mon 5 January 2026, 09:00 to 10:00 (America/New_York, UTC-05:00)"
    assert len(lines) == begin + 12
    assert lines[-1] == "  and 2 more"


def test_an_accepted_meeting_without_a_length_does_not_claim_to_be_booked(ics):
    text, _ = parts(reply_to(ics.meeting(DTEND=None)))
    assert text.splitlines()[0] == (
        "Room Aurora has accepted the meeting. It has no length, so no time is held for it."
    )


def test_the_clashes_of_an_all_day_event_are_days(ics):
    meeting = ics.meeting(DTSTART="DTSTART;VALUE=DATE:20260706", DTEND=None)
    start = meeting.instances[0].start.epoch
    text, _ = parts(reply_to(meeting, busy((start, start + 86400))))
    assert text.splitlines()[-1] == "  Mon 6 July 2026, all day"


def test_the_text_of_an_absence_stands_in_the_words(ics):
    said = "\n".join(["word " * 300, "", "tab\tand\x1b[31m", "x" * 2000])
    decision = Decision(Verdict.DECLINED, (Refusal(Reason.ABSENT, Reason.ABSENT.value),), note=said)
    text, _ = parts(reply_to(ics.meeting(), decision))
    lines = text.splitlines()
    assert lines[:2] == [
        "Room Aurora has declined the meeting: out of office at present.",
        "",
    ]
    assert "tab and [31m" in lines
    assert all(
        line.isprintable() and len(line) <= 70 for line in lines[2 : lines.index("tab and [31m")]
    )
    empty = Decision(Verdict.DECLINED, (Refusal(Reason.ABSENT, Reason.ABSENT.value),), note=" \n")
    _, blank, what, *_ = parts(reply_to(ics.meeting(), empty))[0].splitlines()
    assert (blank, what[:6]) == ("", "What: ")


def test_the_words_of_a_refused_series(ics):
    text, _ = parts(reply_to(ics.meeting("RRULE:FREQ=DAILY"), REFUSED))
    assert text.startswith(
        "Room Aurora has declined the meeting: recurring meetings are not allowed."
    )


@pytest.mark.parametrize(
    "file", ["outlook_series.eml", "google_single.eml", "apple_allday.eml"]
)  # fmt: skip
def test_replies_to_known_programs(file):
    view = MessageView((DATA / file).read_bytes())
    meeting = parse_meeting(find_calendar(view).text, BERLIN, Limits())
    attendee = attendee_for(meeting.instances[0], {"room-aurora@example.org"})
    outgoing = compose_reply(
        meeting, meeting.instances[0], attendee, ACCEPTED,
        resource=ROOM, request=Request(view.message_id), now=NOW, message_id=MESSAGE_ID,
    )  # fmt: skip
    message = read(outgoing)
    assert message["from"].addresses[0].addr_spec.lower() == "room-aurora@example.org"
    assert message["in-reply-to"] == view.message_id
    _, calendar = parts(outgoing)
    event = event_of(calendar)
    assert event.first("UID").value == meeting.uid
    assert [line.parameters["PARTSTAT"] for line in event.all("ATTENDEE")] == ["ACCEPTED"]
    assert "RSVP" not in calendar
