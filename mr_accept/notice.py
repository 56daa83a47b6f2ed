"""The notice to whoever looks after a resource that occurrences of a series cannot be held any more; pure.

It is a mail from the resource that a program has written (RFC 3834 section 5) and that nobody has to answer, so its
envelope sender is null: what cannot be delivered of it comes back to nobody, and it cannot loop.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import NamedTuple

from mailcore.charset import one_line
from mailcore.header_text import header_mailbox, header_text
from mailcore.mime_writing import text_entity
from mailcore.outgoing import OutgoingMail
from mr_accept.model import CalendarUser, Occurrence, Zone
from mr_accept.reply import Resource
from mr_accept.reply_text import listed, shortened
from mr_accept.wording import days_text, times_text

_TEXT = """\
{resource} was booked for a series, and cannot be held for all of it any more,
because something else is booked at that time.

What: {summary}
Organizer: {organizer}

Not held:
{times}

Everything else of the series stays booked. {told}
"""
_TOLD = "The organizer gets a mail that\ndeclines what is not held."
_NOT_TOLD = "The organizer gets no mail\nabout this: please tell them."


class OwnerNotice(NamedTuple):
    """A finished notice: the whole message with CRLF line ends, and to whom it goes.

    Without `rcpt_tos` it is for the resource's own Inbox.  `message_id` has its brackets.
    """

    content: bytes
    rcpt_tos: tuple[str, ...]
    message_id: str

    def mails(self) -> tuple[OutgoingMail, ...]:
        """The notice as mail that leaves, one for each owner, with the null envelope sender."""
        return tuple(
            OutgoingMail("", rcpt_to, self.content, self.message_id) for rcpt_to in self.rcpt_tos
        )


def compose_notice(
    resource: Resource,
    organizer: CalendarUser,
    summary: str,
    occurrences: Sequence[Occurrence],
    owners: Sequence[str],
    *,
    now: int,
    message_id: str,
    told: bool = True,
) -> OwnerNotice:
    """Return the notice that these occurrences of an organizer's series are not held.

    `owners` are mail addresses; with none it is addressed to the resource itself.  Times are in the resource's zone.
    `told` says whether the organizer gets a reply about it.  `now` is in epoch seconds, `message_id` has its brackets.
    The same arguments give the same bytes.
    """
    name = shortened(resource.name)
    title = shortened(summary) or "(no title)"
    times = (_time(item, resource.zone) for item in occurrences)
    to = [header_mailbox("", owner) for owner in owners]
    fields = [
        f"From: {header_mailbox(resource.name, resource.address)}",
        f"To: {_list(to) or header_mailbox(resource.name, resource.address)}",
        f"Subject: {header_text(f'Not held any more: {title}', 'Subject')}",
        f"Date: {format_datetime(datetime.fromtimestamp(now, UTC))}",
        f"Message-ID: {message_id}",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
        "MIME-Version: 1.0",
    ]
    text = _TEXT.format(
        resource=name,
        summary=title,
        organizer=_person(organizer),
        times="\n".join(listed(times, len(occurrences))),
        told=_TOLD if told else _NOT_TOLD,
    )
    head = "".join(f"{field}\r\n" for field in fields).encode("utf-8", "replace")
    return OwnerNotice(head + text_entity("text/plain", text), tuple(owners), message_id)


def _list(mailboxes: Sequence[str]) -> str:
    return ",\r\n ".join(mailboxes)


def _person(user: CalendarUser) -> str:
    name, address = shortened(user.name), one_line(user.written)
    return f"{name} <{address}>" if name else address


def _time(occurrence: Occurrence, zone: Zone) -> str:
    """An occurrence in words; one whose id is a date lasts whole days."""
    if occurrence.recurrence_id and "T" not in occurrence.recurrence_id:
        return days_text(zone.from_utc(occurrence.start), zone.from_utc(occurrence.end))
    return times_text(occurrence.start, occurrence.end, zone)
