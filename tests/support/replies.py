"""Replies composed and read back: to a resource's meetings, with any decision."""

import email.policy
from collections.abc import Sequence
from email import message_from_bytes
from email.message import EmailMessage
from typing import Any

from mailcore.outgoing import OutgoingMail
from mr_accept.decision import Decision, Reason, Refusal, Verdict
from mr_accept.grammar import Component, parse_component
from mr_accept.limits import Limits
from mr_accept.model import Instance, Meeting, Occurrence
from mr_accept.reply import Request, Resource, compose_reply
from mr_accept.values import utc_text
from mr_accept.zones import IanaZone

BERLIN = IanaZone("Europe/Berlin")
ROOM = Resource("Room Aurora", "room-aurora@example.org", BERLIN)
NO_THREAD = Request()
NOW = 1767603600  # 2026-01-05 09:00 UTC
ACCEPTED = Decision(Verdict.ACCEPTED)
REFUSED = Decision(Verdict.DECLINED, (Refusal(Reason.RECURRING, Reason.RECURRING.value),))
MESSAGE_ID = "<reply-1@mail.example.org>"
MONDAY = 1767600000  # 2026-01-05 09:00 in Berlin
WEEK = 7 * 86400


def declined(*refusals: Sequence[Any], **more: Any) -> Decision:
    """A decline for these reasons, each as Refusal takes it."""
    return Decision(Verdict.DECLINED, tuple(Refusal(*refusal) for refusal in refusals), **more)


def busy(*spans: tuple[int, int]) -> Decision:
    """A decline because these times are taken."""
    clashes = tuple(Occurrence(start, end, "") for start, end in spans)
    return declined((Reason.BUSY, Reason.BUSY.value), clashes=clashes)


def mondays(count: int, first: int = MONDAY) -> tuple[Occurrence, ...]:
    """So many Mondays from 09:00 to 10:00 in Berlin, as occurrences of a weekly series from 5 January 2026."""
    starts = [first + n * WEEK for n in range(count)]
    return tuple(Occurrence(start, start + 3600, utc_text(start)) for start in starts)


PARTLY = Decision(Verdict.ACCEPTED, clashes=mondays(3)[1:], asked_for=52)
"""A series of a year, accepted but for two Mondays."""


def reply_to(
    meeting: Meeting,
    decision: Decision = ACCEPTED,
    *,
    instance: int | Instance = 0,
    request: Request = NO_THREAD,
    resource: Resource = ROOM,
) -> OutgoingMail:
    """The reply about one of the meeting's instances, by its number, or about another one; to its last attendee."""
    found = meeting.instances[instance] if isinstance(instance, int) else instance
    return compose_reply(
        meeting,
        found,
        found.attendees[-1],
        decision,
        resource=resource,
        request=request,
        now=NOW,
        message_id=MESSAGE_ID,
    )


def read(outgoing: OutgoingMail) -> EmailMessage:
    """The mail as a mail program reads it; its lines end and are as long as they may be."""
    assert not outgoing.content.replace(b"\r\n", b"").count(b"\n")
    assert max(map(len, outgoing.content.split(b"\r\n"))) <= 998
    return message_from_bytes(outgoing.content, policy=email.policy.default)


def parts(outgoing: OutgoingMail) -> tuple[str, str]:
    """The words and the VCALENDAR."""
    text, calendar = read(outgoing).iter_parts()
    return text.get_content(), calendar.get_content()


def events_of(calendar_text: str) -> list[Component]:
    """The VEVENTs of a VCALENDAR."""
    return parse_component(calendar_text, Limits()).named("VEVENT")


def event_of(calendar_text: str) -> Component:
    """The first VEVENT of a VCALENDAR."""
    return events_of(calendar_text)[0]
