"""The notice to whoever looks after a resource."""

import email.policy
from email import message_from_bytes

import pytest

from mailcore.automatic import why_automatic
from mailcore.view import MessageView
from mr_accept.model import CalendarUser, Occurrence
from mr_accept.notice import compose_notice
from tests.support.replies import BERLIN, NOW, ROOM, mondays

ANNA = CalendarUser("anna@example.org", "Anna@example.org", "Anna Berg")
OWNERS = ("facility@example.org", "ben@example.org")
MESSAGE_ID = "<notice-1@mail.example.org>"


def notice(**changed):
    plain = {
        "resource": ROOM,
        "organizer": ANNA,
        "summary": "Planning",
        "occurrences": mondays(2),
        "owners": OWNERS,
        "now": NOW,
        "message_id": MESSAGE_ID,
    }
    return compose_notice(**{**plain, **changed})


def read(found):
    assert not found.content.replace(b"\r\n", b"").count(b"\n")
    return message_from_bytes(found.content, policy=email.policy.default)


def test_header():
    message = read(notice())
    assert message["from"] == "Room Aurora <room-aurora@example.org>"
    assert message["to"] == "facility@example.org, ben@example.org"
    assert message["subject"] == "Not held any more: Planning"
    assert message["date"] == "Mon, 05 Jan 2026 09:00:00 +0000"
    assert message["message-id"] == MESSAGE_ID
    assert message["auto-submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"


def test_the_words():
    assert read(notice()).get_content().splitlines() == [
        "Room Aurora was booked for a series, and cannot be held for all of it any more,",
        "because something else is booked at that time.",
        "",
        "What: Planning",
        "Organizer: Anna Berg <Anna@example.org>",
        "",
        "Not held:",
        "  Mon 5 January 2026, 09:00 to 10:00 (Europe/Berlin, UTC+01:00)",
        "  Mon 12 January 2026, 09:00 to 10:00 (Europe/Berlin, UTC+01:00)",
        "",
        "Everything else of the series stays booked. The organizer gets a mail that",
        "declines what is not held.",
    ]


def test_an_organizer_who_gets_no_reply_has_to_be_told():
    text = read(notice(told=False)).get_content()
    assert text.splitlines()[-2:] == [
        "Everything else of the series stays booked. The organizer gets no mail",
        "about this: please tell them.",
    ]


def test_one_mail_for_each_owner_and_none_comes_back():
    found = notice()
    assert [(mail.mail_from, mail.rcpt_to) for mail in found.mails()] == [
        ("", "facility@example.org"),
        ("", "ben@example.org"),
    ]
    assert {mail.content for mail in found.mails()} == {found.content}
    assert {mail.message_id for mail in found.mails()} == {MESSAGE_ID}


def test_without_an_owner_it_is_for_the_resource():
    found = notice(owners=())
    assert found.mails() == ()
    assert found.rcpt_tos == ()
    assert read(found)["to"] == "Room Aurora <room-aurora@example.org>"


def test_no_machine_answers_it():
    assert why_automatic(MessageView(notice().content)) == "auto-submitted"


def test_the_same_again_gives_the_same_bytes():
    assert notice() == notice()


def test_ten_times_are_named():
    lines = read(notice(occurrences=mondays(12))).get_content().splitlines()
    begin = lines.index("Not held:")
    assert lines[begin + 10].startswith("  Mon 9 March 2026, ")
    assert lines[begin + 11] == "  and 2 more"


@pytest.mark.parametrize(
    ("recurrence_id", "when"),
    [
        ("20260106", "Tue 6 January 2026, all day"),
        ("", "Tue 6 January 2026, 00:00 to Wed 7 January 2026, 00:00 (Europe/Berlin, UTC+01:00)"),
        ("20260105T230000Z",
         "Tue 6 January 2026, 00:00 to Wed 7 January 2026, 00:00 (Europe/Berlin, UTC+01:00)"),
    ],
)  # fmt: skip
def test_whole_days(recurrence_id, when):
    day = BERLIN.to_utc(BERLIN.from_utc(NOW).replace(day=6, hour=0))
    found = notice(occurrences=[Occurrence(day, day + 86400, recurrence_id)])
    assert f"  {when}" in read(found).get_content().splitlines()


@pytest.mark.parametrize(
    ("changed", "subject", "organizer"),
    [
        ({"summary": "one\r\nBcc: eve@example.org\u2028two"}, "one Bcc: eve@example.org two", None),
        ({"summary": ""}, "(no title)", None),
        ({"summary": "Besprechung Köln"}, "Besprechung Köln", None),
        ({"summary": "x" * 5000}, "x" * 300 + "...", None),
        ({"organizer": CalendarUser("", "anna@example.org")}, "Planning", "anna@example.org"),
        ({"organizer": CalendarUser("", "anna@example.org", "Anna\nTo: b@example.org")}, "Planning",
         "Anna To: b@example.org <anna@example.org>"),
        ({"resource": ROOM._replace(name="Room\r\nBcc: eve@example.org")}, "Planning", None),
    ],
)  # fmt: skip
def test_what_comes_from_others_stays_in_its_line(changed, subject, organizer):
    message = read(notice(**changed))
    assert message["subject"] == f"Not held any more: {subject}"
    assert message["bcc"] is None
    assert len(message.keys()) == 10
    lines = message.get_content().splitlines()
    assert f"What: {subject}" in lines
    assert f"Organizer: {organizer or 'Anna Berg <Anna@example.org>'}" in lines
    assert not any(line.startswith(("Bcc", "To:", "two")) for line in lines)
