"""The booker's answers on their way: composed, kept with the booking, into the outbox, a copy into Sent Items."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mailcore.outgoing import OutgoingMail
from mailcore.settings import Settings
from mailcore.view import MessageView
from mr_accept.asking import Asked
from mr_accept.booking_rows import zone_of
from mr_accept.model import Decision, Instance
from mr_accept.reply import Request, Resource, compose_reply
from store.calendars import BookingRow
from store.jobs import Job
from store.mailboxes import SENT
from store.message import prepare_message
from store.outbox import reply_times
from store.plan import SEEN, Filing, Outgoing, StorePlan, Submission
from userstore.resolve import Recipient

KIND = "reply"
BLOBS_PER_REPLY = 4  # two bodies, the whole as IMAP copy, and one to spare
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply about one instance."""

    recurrence_id: str
    mail: OutgoingMail


def compose_answers(
    job: Job,
    asked: Asked,
    fresh: Sequence[Instance],
    decision: Decision,
    recipient: Recipient,
    *,
    settings: Settings,
    hostname: str,
) -> tuple[Answer, ...]:
    """One reply for a whole meeting, or one for each instance that was asked for on its own."""
    attendee = asked.attendee
    if attendee is None:
        return ()
    view = asked.view
    about = fresh[:1] if not fresh[0].recurrence_id else fresh
    return tuple(
        Answer(
            instance.recurrence_id,
            compose_reply(
                asked.meeting,
                instance,
                attendee,
                decision,
                resource=Resource(
                    recipient.user.fullname or recipient.user.name,
                    recipient.user.address,
                    zone_of(recipient, settings),
                ),
                request=Request(view.message_id, view.header("References") or ""),
                now=int(time.time()),
                message_id=f"<mr.{job.id}.{number}.{int(time.time())}@{hostname}>",
            ),
        )
        for number, instance in enumerate(about)
    )


def stored_answer(stored: BookingRow, recipient: Recipient) -> Answer | None:
    """The reply that went out for what is booked, the same bytes; None where there never was one."""
    if stored.reply is None:
        return None
    mail = OutgoingMail(
        recipient.user.address, stored.reply_to, stored.reply, stored.reply_message_id
    )
    return Answer(stored.recurrence_id, mail)


def leaving(
    connection: Connection, job: Job, answer: Answer, recipient: Recipient, settings: Settings
) -> Submission:
    """What puts an answer into the outbox and a copy of it into Sent Items."""
    view = MessageView(answer.mail.content)
    copies: tuple[Filing, ...] = ()
    sent = recipient.mailbox.special.get(SENT)
    if sent is not None:
        copies = (Filing(sent, b"", time.time(), flags=SEEN, imap=recipient.imap),)
    out = Outgoing(
        kind=KIND,
        subject=view.subject,
        mail=answer.mail,
        job_id=job.id,
        not_before=_not_before(connection, answer.mail.rcpt_to, settings),
    )
    plan = StorePlan(recipient.mailbox.id, copies, outgoing=(out,))
    return Submission(prepare_message(view, imap=recipient.imap), (plan,))


def _not_before(connection: Connection, rcpt_to: str, settings: Settings) -> float:
    """When a reply to this organizer may leave: a flood of requests never makes a flood of replies.

    What is over the hourly limit waits; it is neither dropped nor counted twice.
    """
    limit = settings.booking.max_replies_per_hour
    times = reply_times(connection, KIND, rcpt_to, time.time() - _HOUR)
    if not limit or len(times) < limit:
        return 0.0
    return times[-limit] + _HOUR
