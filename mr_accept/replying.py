"""The booker's answers on their way: composed, kept with the booking, into the outbox, a copy into Sent Items."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mailcore.outgoing import OutgoingMail
from mailcore.settings import Settings
from mailcore.view import MessageView
from mr_accept.booking_rows import Held, zone_of
from mr_accept.decision import Decision, Reason, Refusal, Verdict
from mr_accept.model import CalendarUser, Instance, Meeting
from mr_accept.policy import BookingPolicy
from mr_accept.reply import Request, Resource, compose_reply
from mr_accept.series_instance import instance_for
from store.bookings import DECLINED
from store.mailboxes import SENT
from store.message import prepare_message
from store.outbox import reply_times
from store.plan import SEEN, Filing, Outgoing, StorePlan, Submission
from userstore.resolve import Recipient

KIND = "reply"
BLOBS_PER_REPLY = 4  # two bodies, the whole as IMAP copy, and one to spare
MOST_SEPARATE = 50  # mails that decline single occurrences; more occurrences are declined in one
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply about one instance."""

    recurrence_id: str
    mail: OutgoingMail


@dataclass(frozen=True, slots=True)
class Voice:
    """What all answers to one message share; `now` is in epoch seconds, and `number` tells messages apart."""

    resource: Resource
    request: Request
    now: int
    number: str
    hostname: str

    def message_id(self, place: int) -> str:
        """The Message-ID of the answer at that place."""
        return f"<mr.{self.number}.{place}.{self.now}@{self.hostname}>"


def voice_of(
    recipient: Recipient,
    policy: BookingPolicy,
    settings: Settings,
    *,
    request: Request,
    now: int,
    number: str,
    hostname: str,
) -> Voice:
    """How a resource answers."""
    user = recipient.user
    zone = zone_of(recipient, settings)
    resource = Resource(user.fullname or user.name, user.address, zone, policy.reply_text)
    return Voice(resource, request, now, number, hostname)


def most_answers(fresh: Sequence[Instance], policy: BookingPolicy) -> int:
    """How many answers a request can have at most."""
    return len(fresh) + (MOST_SEPARATE if policy.partial_reply == "separate" else 0)


def compose_answers(
    meeting: Meeting,
    fresh: Sequence[Instance],
    attendee: CalendarUser,
    decision: Decision,
    policy: BookingPolicy,
    voice: Voice,
) -> tuple[Answer, ...]:
    """One reply for a whole meeting, or one for each instance that was asked for on its own.

    Where only some instances of a series name the resource, nothing is said about the series.  What a series has to do
    without is declined in the same mail, or in mails of their own.
    """
    invited = [instance for instance in fresh if not instance.cancelled] or list(fresh[:1])
    about = invited[:1] if not invited[0].recurrence_id else invited
    lacking = {clash.recurrence_id for clash in decision.clashes} if decision.accepted else set()
    about = [item for item in about if item.recurrence_id not in lacking]
    separate = policy.partial_reply == "separate" and len(decision.clashes) <= MOST_SEPARATE
    said = [(instance, decision) for instance in about]
    if decision.accepted and (separate or not about):
        refused = Refusal(Reason.BUSY, Reason.BUSY.value)
        said += [
            (instance_for(meeting, fresh[0], clash), Decision(Verdict.DECLINED, (refused,)))
            for clash in decision.clashes
        ]
    return tuple(
        Answer(
            instance.recurrence_id,
            compose_reply(
                meeting,
                instance,
                attendee,
                verdict,
                resource=voice.resource._replace(separate=separate),
                request=voice.request,
                now=voice.now,
                message_id=voice.message_id(place),
            ),
        )
        for place, (instance, verdict) in enumerate(said)
    )


def stored_answers(instances: Sequence[Instance], held: Held, recipient: Recipient) -> list[Answer]:
    """The replies that went out for these very revisions, the same bytes; none where there never was one.

    To those about a series belong those about the occurrences that it does without.
    """
    versions = {item.recurrence_id: item.version for item in instances}
    answers = []
    for stored in held.stored:
        version = versions.get(stored.recurrence_id)
        if version is None and stored.state == DECLINED:
            version = versions.get("")
        if stored.reply is not None and (stored.sequence, stored.dtstamp) == version:
            mail = OutgoingMail(
                recipient.user.address, stored.reply_to, stored.reply, stored.reply_message_id
            )
            answers.append(Answer(stored.recurrence_id, mail))
    return answers


def leaving(
    connection: Connection,
    job_id: int | None,
    answers: Sequence[Answer],
    recipient: Recipient,
    settings: Settings,
    policy: BookingPolicy,
) -> list[Submission]:
    """What puts answers into the outbox and a copy of each into Sent Items, unless subjects are not to be kept.

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
        keeps = not policy.strip_subject
        submissions.append(_submission(job_id, answer, recipient, not_before, keeps=keeps))
    return submissions


def _submission(
    job_id: int | None, answer: Answer, recipient: Recipient, not_before: float, *, keeps: bool
) -> Submission:
    view = MessageView(answer.mail.content)
    copies: tuple[Filing, ...] = ()
    sent = recipient.mailbox.special.get(SENT)
    if sent is not None and keeps:
        copies = (Filing(sent, b"", time.time(), flags=SEEN, imap=recipient.imap),)
    out = Outgoing(
        kind=KIND,
        subject=view.subject,
        mail=answer.mail,
        job_id=job_id,
        not_before=not_before,
    )
    plan = StorePlan(recipient.mailbox.id, copies, outgoing=(out,))
    return Submission(prepare_message(view, imap=recipient.imap), (plan,))
