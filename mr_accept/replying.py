"""The booker's answers on their way: composed, kept with the booking, into the outbox, a copy into Sent Items."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mailcore.outgoing import OutgoingMail
from mailcore.settings import Settings
from mailcore.view import MessageView
from mr_accept.asking import Asked
from mr_accept.booking_rows import Held, zone_of
from mr_accept.model import Decision, Instance
from mr_accept.reply import Request, Resource, compose_reply
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
    """One reply for a whole meeting, or one for each instance that was asked for on its own.

    Where only some instances of a series name the resource, nothing is said about the series.
    """
    attendee = asked.attendee
    if attendee is None:
        return ()
    view = asked.view
    invited = [instance for instance in fresh if not instance.cancelled] or fresh[:1]
    about = invited[:1] if not invited[0].recurrence_id else invited
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


def stored_answers(instances: Sequence[Instance], held: Held, recipient: Recipient) -> list[Answer]:
    """The replies that went out for these very revisions, the same bytes; none where there never was one."""
    answers = []
    for instance in instances:
        stored = held.find(instance.recurrence_id)
        if stored is None or stored.reply is None:
            continue
        if (stored.sequence, stored.dtstamp) == instance.version:
            mail = OutgoingMail(
                recipient.user.address, stored.reply_to, stored.reply, stored.reply_message_id
            )
            answers.append(Answer(stored.recurrence_id, mail))
    return answers


def leaving(
    connection: Connection,
    job: Job,
    answers: Sequence[Answer],
    recipient: Recipient,
    settings: Settings,
) -> list[Submission]:
    """What puts answers into the outbox and a copy of each into Sent Items.

    A flood of requests never makes a flood of replies to one organizer: what is over the hourly limit waits;
    it is neither dropped nor counted twice.
    """
    now = time.time()
    limit = settings.booking.max_replies_per_hour
    submissions = []
    departures: dict[str, list[float]] = {}
    for answer in answers:
        rcpt_to = answer.mail.rcpt_to
        if rcpt_to not in departures:
            departures[rcpt_to] = reply_times(connection, KIND, rcpt_to, now - _HOUR)
        earlier = departures[rcpt_to]
        not_before = earlier[-limit] + _HOUR if limit and len(earlier) >= limit else now
        earlier.append(not_before)
        submissions.append(_submission(job, answer, recipient, not_before))
    return submissions


def _submission(job: Job, answer: Answer, recipient: Recipient, not_before: float) -> Submission:
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
        not_before=not_before,
    )
    plan = StorePlan(recipient.mailbox.id, copies, outgoing=(out,))
    return Submission(prepare_message(view, imap=recipient.imap), (plan,))
