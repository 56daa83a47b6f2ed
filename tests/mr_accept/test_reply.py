"""The answer to the organizer as a mail: envelope, header, parts."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.view import MessageView
from mr_accept.itip import attendee_for, find_calendar, parse_meeting
from mr_accept.limits import Limits
from mr_accept.reply import Request, compose_reply
from mr_accept.values import read_text
from tests.support.replies import (
    ACCEPTED,
    BERLIN,
    MESSAGE_ID,
    NOW,
    REFUSED,
    ROOM,
    event_of,
    parts,
    read,
    reply_to,
)

DATA = Path(__file__).parent / "data"


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
