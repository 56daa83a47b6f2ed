"""What is kept of a meeting under a policy, and what is never touched."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mr_accept.itip import parse_meeting
from mr_accept.kept import kept_source, kept_summary
from mr_accept.limits import Limits
from mr_accept.model import CalendarUser, Instance, Meeting, UnreadableError
from mr_accept.policy import BookingPolicy
from mr_accept.zones import IanaZone

BERLIN = IanaZone("Europe/Berlin")
ANNA = CalendarUser("anna@example.org", "Anna@Example.org", name="Berg; Anna")
FLAGS = ("strip_subject", "strip_body", "strip_attachments", "organizer_prefix", "remove_private")
POLICIES = [
    BookingPolicy(**dict(zip(FLAGS, chosen, strict=True)))  # type: ignore[arg-type]
    for chosen in product((False, True), repeat=len(FLAGS))
]

ZONE = """BEGIN:VTIMEZONE
TZID:Here
BEGIN:STANDARD
COMMENT:a zone is left as it is
DTSTART:19700101T000000
TZOFFSETFROM:+0100
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
"""
RICH = f"""BEGIN:VCALENDAR
PRODID:-//example//test//EN
VERSION:2.0
METHOD:REQUEST
X-WR-CALDESC:secret body
{ZONE}BEGIN:VEVENT
UID:one@example.org
DTSTAMP:20260101T100000Z
SEQUENCE:3
DTSTART;TZID=Here:20260105T090000
DTEND;TZID=Here:20260105T100000
RRULE:FREQ=WEEKLY;COUNT=5
SUMMARY;LANGUAGE=de:Secret subject\\, really
DESCRIPTION;ALTREP="cid:part":Secret body that goes on and on and on and on and on and on and on and
  on\\nand on
description:secret body in small letters
X-ALT-DESC;FMTTYPE=text/html:<p>secret body</p>
X-MICROSOFT-SKYPETEAMSMEETINGURL:https://example.org/secret-body
X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE
CONFERENCE;VALUE=URI:https://example.org/secret-body
URL:https://example.org/secret-body
COMMENT:secret body
CONTACT:secret body
ATTACH:https://example.org/secret-file
ATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=secret-file:QUJD
CLASS:PRIVATE
LOCATION:North
ORGANIZER;CN="Berg; Anna":mailto:Anna@Example.org
ATTENDEE;RSVP=TRUE:mailto:room@example.org
ATTENDEE:mailto:ben@example.org
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT15M
DESCRIPTION:Secret subject or body
ATTACH:https://example.org/secret-file
END:VALARM
END:VEVENT
BEGIN:VEVENT
UID:one@example.org
DTSTAMP:20260101T100000Z
SEQUENCE:3
RECURRENCE-ID;TZID=Here:20260112T090000
DTSTART;TZID=Here:20260112T110000
DURATION:PT30M
SUMMARY:Secret subject
ORGANIZER;CN="Berg; Anna":mailto:Anna@Example.org
ATTENDEE:mailto:room@example.org
END:VEVENT
END:VCALENDAR
"""


def read(text: str) -> Meeting:
    return parse_meeting(text, BERLIN, Limits())


def keep(text: str, policy: BookingPolicy) -> str:
    return kept_source(text, policy, read(text).organizer, Limits())


def essence(instance: Instance) -> Instance:
    """What a policy must not touch."""
    start = (
        instance.start.wall,
        instance.start.epoch,
        instance.start.form,
        instance.start.zone.name,
    )
    return replace(instance, start=start, summary="", lines=())  # type: ignore[arg-type]


def check_kept(text: str, policy: BookingPolicy) -> str:
    """What holds under any policy; return what is kept."""
    before, kept = read(text), keep(text, policy)
    after = read(kept)
    assert (after.method, after.uid, after.timezones) == (
        before.method,
        before.uid,
        before.timezones,
    )
    assert [essence(one) for one in after.instances] == [essence(one) for one in before.instances]
    assert [one.summary for one in after.instances] == [
        kept_summary(one, policy) for one in before.instances
    ]
    assert keep(kept, policy) == kept
    return kept


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "policy", POLICIES, ids=lambda one: " ".join(f for f in FLAGS if getattr(one, f))
)
def test_every_combination(policy: BookingPolicy, line_end: str) -> None:
    kept = check_kept(RICH.replace("\n", line_end), policy)
    low = kept.lower().replace("\r\n ", "")
    assert ("secret subject" in low) is not policy.strip_subject
    # An alarm's text may be either, so it goes with both.
    assert ("secret body" in low or "secret-body" in low) is not policy.strip_body
    assert ("secret-file" in low) is not policy.strip_attachments
    assert ("class:private" in low) is not policy.remove_private
    assert ("begin:valarm" in low) is not (policy.strip_body or policy.strip_subject)
    assert ("berg\\; anna" in low) is policy.organizer_prefix
    for line in (
        "x-microsoft-cdo-busystatus:tentative",
        "location:north",
        "a zone is left as it is",
    ):
        assert line in low


def test_without_such_a_policy_the_source_is_kept_as_it_came() -> None:
    for text in (RICH, "what is not read is not judged"):
        assert kept_source(text, BookingPolicy(max_conflicts=3), ANNA, Limits()) is text


def test_lines_are_folded_and_end_with_crlf() -> None:
    kept = keep(RICH.replace("North", "N\xf6rdlich " * 30), BookingPolicy(remove_private=True))
    lines = kept.split("\r\n")
    assert lines.pop() == ""
    assert not any("\n" in line or "\r" in line for line in lines)
    assert max(len(line.encode()) for line in lines) <= 75
    assert len(icalendar.Calendar.from_ical(kept).events) == 2


TITLES = [
    # subject as written, its form with the organizer's name
    ("SUMMARY:Planning", "Berg; Anna: Planning"),
    ("SUMMARY;LANGUAGE=en:Planning\\, part 2\\nof 3", "Berg; Anna: Planning, part 2\nof 3"),
    ("SUMMARY:", "Berg; Anna"),
    ("SUMMARY: ", "Berg; Anna"),
    ("X-NONE:1", "Berg; Anna"),
    ("SUMMARY:Berg\\; Anna: Planning", "Berg; Anna: Planning"),  # it is there already
    ("SUMMARY:Berg\\; Anna", "Berg; Anna"),
    ("SUMMARY:First\nSUMMARY:Second", "Berg; Anna: First"),
]


@pytest.mark.parametrize(("written", "title"), TITLES)
def test_the_organizers_name_before_the_subject(written: str, title: str) -> None:
    text = RICH.replace("SUMMARY:Secret subject", written)
    kept = check_kept(text, BookingPolicy(organizer_prefix=True))
    assert read(kept).instances[1].summary == title
    assert kept.count("SUMMARY") == 2
    hidden = check_kept(text, BookingPolicy(organizer_prefix=True, strip_subject=True))
    assert [one.summary for one in read(hidden).instances] == ["Berg; Anna"] * 2


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "Anna@Example.org"),
        (" \t ", "Anna@Example.org"),
        ("Anna\r\nDTSTART:20300101T000000Z", "Anna DTSTART:20300101T000000Z"),
        ("Anna \x00\x1b Berg", "Anna Berg"),
        ("A" * 5000, "A" * 100),
    ],
)
def test_a_name_can_do_no_harm(name: str, shown: str) -> None:
    policy = BookingPolicy(organizer_prefix=True, strip_subject=True)
    kept = kept_source(RICH, policy, replace(ANNA, name=name), Limits())
    meeting = read(kept)
    assert [one.summary for one in meeting.instances] == [shown] * 2
    assert [essence(one) for one in meeting.instances] == [
        essence(one) for one in read(RICH).instances
    ]


def test_an_addition_is_kept_as_one() -> None:
    text = RICH.replace("METHOD:REQUEST", "METHOD:ADD").replace("RRULE:FREQ=WEEKLY;COUNT=5\n", "")
    text = text.replace("RECURRENCE-ID;TZID=Here:20260112T090000\n", "")
    kept = check_kept(text, BookingPolicy(strip_subject=True))
    assert [one.recurrence_id for one in read(kept).instances] == [
        "20260105T080000Z",
        "20260112T100000Z",
    ]


def test_what_could_not_be_read_again_is_refused() -> None:
    policy = BookingPolicy(organizer_prefix=True)
    assert kept_source(RICH, policy, ANNA, Limits(max_source=len(RICH) + 300))
    with pytest.raises(UnreadableError, match="too large"):
        kept_source(RICH, policy, ANNA, Limits(max_source=len(RICH)))
    with pytest.raises(UnreadableError):
        kept_source("BEGIN:VCALENDAR", policy, ANNA, Limits())


NAMES = ["SUMMARY", "Summary", "DESCRIPTION", "COMMENT", "URL", "ATTACH", "CLASS", "X-ALT-DESC"]
values = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=100)
extra_lines = st.tuples(st.sampled_from([*NAMES, "X-OWN", "LOCATION"]), values).map(
    lambda pair: f"{pair[0]}:{pair[1]}"
)
odd_lines = st.sampled_from(
    ["", " ", "BEGIN:VALARM\nDESCRIPTION:a\nEND:VALARM", "X-A:1\n X-B:2", "X-A:1\r DTSTART:2", ":"]
)


@given(
    st.lists(st.lists(extra_lines | odd_lines, max_size=6), min_size=2, max_size=2),
    st.sampled_from(POLICIES),
)
def test_any_lines_beside_leave_the_rest_as_it_is(
    lines: Sequence[Sequence[str]], policy: BookingPolicy
) -> None:
    text = RICH.replace("SUMMARY:Secret subject\n", "\n".join([*lines[0], ""]))
    text = text.replace("LOCATION:North\n", "\n".join([*lines[1], ""]))
    try:
        read(text)
    except UnreadableError:
        return
    check_kept(text, policy)
