"""Booking: load, decide, commit.

Everything that takes time (parsing, zones, expansion) comes before the transaction.  Its first statement raises the
calendar's version, which is the lock; inside are range queries, the decision, the rows, the reply and the end of the
job, so that all of it is true together or none of it.  What was read before the lock is compared once it is held.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from mailcore import failpoint
from mailcore.errors import TemporaryError
from mailcore.settings import Settings
from mailcore.view import MessageView
from mr_accept.asking import Asked, limits_of, read_request
from mr_accept.booking_rows import Held, held_of, policy_for, zone_of
from mr_accept.calendar_writer import CalendarWriter
from mr_accept.change import Change, change_of, lineages_after, lineages_of, outdated
from mr_accept.decide import decide
from mr_accept.expand import expand, occurrences_of
from mr_accept.fate import Fate, fate_of_cancel, known_of, organizer_obeyed, reply_allowed
from mr_accept.horizon import extend_series, held_until, horizon_of
from mr_accept.model import Decision, Instance, Interval, NotForBookingError, Occurrence, OldTime
from mr_accept.replying import BLOBS_PER_REPLY, Answer, compose_answers, leaving, stored_answers
from store.batch import Reserved
from store.bookings import ACCEPTED, CANCELLED, load_lineages
from store.calendars import LockedCalendar, lock_calendar
from store.commit import Committer
from store.jobs import Job, finish_job
from store.mailboxes import INBOX, TRASH
from store.message import blobs_of, prepare_message
from store.occurrences import held_between, held_by
from store.plan import SEEN, Filing, StorePlan, Submission
from userstore.resolve import Directory, Recipient

_ATTEMPTS = 5
_UNTIED = "no reply: nothing ties the sender to the organizer"
_TO_ITSELF = "no reply: the organizer is the resource itself"

Settled = tuple[Fate, str]
"""A fate, and the reason where there is something to say."""


class ChangedError(TemporaryError):
    """The booking changed between reading and locking."""


@dataclass(frozen=True, slots=True)
class _Work:
    """One meeting message for one resource, read and ready."""

    job: Job
    asked: Asked
    recipient: Recipient
    processed: Submission

    @property
    def answers(self) -> bool:
        """Whether the organizer may get an automatic reply."""
        return reply_allowed(self.asked.meeting.organizer, self.asked.origin, self.asked.own)

    @property
    def silence(self) -> str:
        """Why the organizer does not get one."""
        own = self.asked.meeting.organizer.address in self.asked.own
        return _TO_ITSELF if own else _UNTIED


@dataclass(frozen=True, slots=True)
class _Case:
    """A request that has to be decided, expanded as far as it will be held (`until`, epoch seconds)."""

    held: Held
    change: Change
    wanted: tuple[Occurrence, ...]  # the occurrences in question
    beside: tuple[Occurrence, ...]  # those of the same meeting that stand whatever is decided
    until: int


class Booker:
    """Settles meeting messages; safe in several threads, processes and hosts."""

    def __init__(
        self, committer: Committer, directory: Directory, settings: Settings, hostname: str
    ) -> None:
        self._committer = committer
        self._database = committer.database
        self._directory = directory
        self._settings = settings
        self._hostname = hostname

    def book(self, job: Job) -> Settled:
        """Settle a job.

        Everything is committed, the end of the job included, except for the fate NOT_OBEYED: then nothing has
        changed and the message is to be delivered as ordinary mail.  Raises NotForBookingError for ordinary mail,
        TemporaryError for what may work later.
        """
        recipient = self._directory.by_store(job.store_id)
        if not recipient.mailbox.mr_accept:  # switched off while the message waited
            raise NotForBookingError("the mailbox does not answer meeting requests any more")
        addresses = (*recipient.user.addresses, job.rcpt_to)
        asked = read_request(
            MessageView(job.content),
            addresses,
            zone_of(recipient, self._settings),
            limits_of(self._settings.booking),
        )
        work = _Work(job, asked, recipient, self._processed(job, asked, recipient))
        settle = self._cancel if asked.meeting.method == "CANCEL" else self._request
        for _ in range(_ATTEMPTS):
            try:
                return settle(work)
            except ChangedError:
                continue
        raise ChangedError("the booking keeps changing while it is worked on")

    def _request(self, work: _Work) -> Settled:
        asked = work.asked
        held = self._load(work)
        rows, stored = held.rows, held.organizer()
        obeyed = organizer_obeyed(asked.meeting.organizer, asked.origin, stored)
        if not obeyed and all(row.state == CANCELLED for row in held.stored):
            # The trace of a cancelled meeting protects nothing; it only outdates its own organizer's requests.
            obeyed = True
            if stored is not None and stored.address != asked.meeting.organizer.address:
                rows = ()
        change = change_of(asked.instances, rows, obeyed)
        if change.fate is Fate.NOT_OBEYED:
            return _stranger(asked, held)
        if change.fate is not None:
            return self._say_again(work, held, change.fate)
        return self._decide(work, self._case(work, held, change))

    def _case(self, work: _Work, held: Held, change: Change) -> _Case:
        limits = work.asked.limits
        with self._database.read() as connection:
            horizon = horizon_of(
                connection, work.recipient.mailbox.id, self._settings.booking, int(time.time())
            )
        until = held_until(change.fresh, horizon, self._settings.booking)
        if change.whole:
            wanted = occurrences_of(lineages_after(change), until, limits)
            return _Case(held, change, wanted, (), until)
        replaced = {item.recurrence_id for item in change.fresh}
        standing = occurrences_of(lineages_of(change.remaining), until, limits)
        beside = tuple(item for item in standing if item.recurrence_id not in replaced)
        return _Case(held, change, expand(change.fresh, until, limits), beside, until)

    def _decide(self, work: _Work, case: _Case) -> Settled:
        reserved = self._reserve(work, len(case.change.fresh))
        last = max((item.end for item in case.wanted), default=0)
        with self._database.write() as connection:
            locked = self._lock(connection, work, case.held)
            extend_series(connection, locked, work.recipient, self._settings, until=last)
            decision = self._decision(connection, locked, work, case)
            answers = self._answers(work, case.change.fresh, decision)
            writer = CalendarWriter(connection, locked, work.asked, case.held)
            if decision.accepted:
                writer.accept(case.change, case.wanted, answers, case.until)
            else:
                writer.decline(case.change, answers)
            fate = Fate.ACCEPTED if decision.accepted else Fate.DECLINED
            reasons = [
                decision.reasons,
                "" if answers else work.silence,
            ]
            settled = fate, "; ".join(filter(None, reasons))
            self._finish(connection, work, settled, answers, reserved)
        failpoint.hit(failpoint.AFTER_BOOKING_COMMIT)
        return settled

    def _decision(
        self, connection: Connection, locked: LockedCalendar, work: _Work, case: _Case
    ) -> Decision:
        """Decide under the lock, against everything else that holds the resource."""
        busy = {
            one
            for item in case.wanted
            for one in held_between(connection, locked, item.start, item.end, case.held.ids)
        }
        spans = [Interval(one.start, one.end) for one in busy]
        spans += [Interval(item.start, item.end) for item in case.beside]
        single = None if case.change.whole else [item.recurrence_id for item in case.change.fresh]
        own = held_by(connection, case.held.ids, single) if case.held.ids else []
        recurring = work.asked.meeting.recurring
        organizer = work.asked.meeting.organizer.address
        policy = policy_for(work.recipient, organizer, self._settings, time.time())
        decision = decide(case.wanted, recurring, spans, policy, own)
        booked = any(row.state == ACCEPTED for row in case.held.stored)
        return replace(
            decision, old_time=OldTime.KEPT if booked and not decision.accepted else OldTime.NONE
        )

    def _say_again(self, work: _Work, held: Held, fate: Fate) -> Settled:
        """A repeated request gets the stored reply once more; a stale one gets nothing."""
        answers: list[Answer] = []
        if fate is Fate.REPEATED and work.answers:
            answers = stored_answers(work.asked.instances, held, work.recipient)
        reserved = self._reserve(work, len(answers))
        with self._database.write() as connection:
            self._lock(connection, work, held)
            self._finish(connection, work, (fate, ""), answers, reserved)
        return fate, ""

    def _cancel(self, work: _Work) -> Settled:
        asked = work.asked
        held = self._load(work)
        stored = held.organizer()
        obeyed = organizer_obeyed(asked.meeting.organizer, asked.origin, stored)
        if stored is None:  # nothing to free; to be remembered only if it comes from the organizer
            obeyed = reply_allowed(asked.meeting.organizer, asked.origin)
        if not obeyed:
            return _stranger(asked, held)
        fates = [(item, _cancel_fate(item, held)) for item in asked.instances]
        fate = next((own for _, own in fates if own is not Fate.STALE), Fate.STALE)
        reserved = self._reserve(work, 0)
        with self._database.write() as connection:
            locked = self._lock(connection, work, held)
            writer = CalendarWriter(connection, locked, asked, held)
            writer.cancel([item for item, own in fates if own is not Fate.STALE])
            self._finish(connection, work, (fate, ""), [], reserved)
        failpoint.hit(failpoint.AFTER_BOOKING_COMMIT)
        return fate, ""

    def _load(self, work: _Work) -> Held:
        with self._database.read() as connection:
            stored = load_lineages(connection, work.recipient.mailbox.id, work.asked.meeting.uid)
        return held_of(stored, zone_of(work.recipient, self._settings), work.asked.limits)

    def _lock(self, connection: Connection, work: _Work, held: Held) -> LockedCalendar:
        """Take the calendar's lock; raises ChangedError when the booking is not as it was read."""
        store_id = work.recipient.mailbox.id
        locked = lock_calendar(connection, store_id)
        if tuple(load_lineages(connection, store_id, work.asked.meeting.uid)) != held.stored:
            raise ChangedError("the booking was changed by another worker")
        return locked

    def _answers(
        self, work: _Work, fresh: Sequence[Instance], decision: Decision
    ) -> tuple[Answer, ...]:
        if not work.answers:
            return ()
        return compose_answers(
            work.job,
            work.asked,
            fresh,
            decision,
            work.recipient,
            settings=self._settings,
            hostname=self._hostname,
        )

    def _processed(self, job: Job, asked: Asked, recipient: Recipient) -> Submission:
        """The meeting message itself, filed where the settings want it; its large bodies are on disk already."""
        where = self._settings.booking.processed_requests
        special = recipient.mailbox.special
        filings: tuple[Filing, ...] = ()
        if where != "drop":
            folder = special[INBOX] if where == "inbox" else special.get(TRASH, special[INBOX])
            filings = (Filing(folder, job.trace, time.time(), flags=SEEN, imap=recipient.imap),)
        message = prepare_message(asked.view, imap=recipient.imap)
        processed = Submission(message, (StorePlan(recipient.mailbox.id, filings),))
        return self._committer.write_files(processed)

    def _reserve(self, work: _Work, answers: int) -> Reserved:
        """The ids for the message and its answers; they cannot be had inside the transaction."""
        blobs = blobs_of(work.processed.message)
        return self._committer.reserve(1 + answers, len(blobs) + BLOBS_PER_REPLY * answers)

    def _finish(
        self,
        connection: Connection,
        work: _Work,
        settled: Settled,
        answers: Sequence[Answer],
        reserved: Reserved,
    ) -> None:
        """File the message, send the answers and end the job, all in the caller's transaction."""
        replies = leaving(connection, work.job, answers, work.recipient, self._settings)
        staged = self._committer.stage([work.processed, *replies], reserved)
        self._committer.apply(connection, staged)
        finish_job(connection, work.job, settled[0].value, settled[1])
        failpoint.hit(failpoint.BEFORE_BOOKING_COMMIT)


def _cancel_fate(instance: Instance, held: Held) -> Fate:
    """The fate of one instance of a CANCEL that is obeyed."""
    known = {row.recurrence_id: row.known for row in held.rows}
    own, master = known.get(instance.recurrence_id), known.get("")
    if own is None and known and (master is None or not master.cancelled):
        # An instance of a series, or the whole of what is booked by instances.
        late = master is not None and outdated(instance, master)
        return Fate.STALE if late else Fate.FREED
    return fate_of_cancel(known_of(own, master), instance.version)


def _stranger(asked: Asked, held: Held) -> Settled:
    who = asked.origin.from_ or "a mail without From"
    stored = held.organizer()
    owner = stored.address if stored else asked.meeting.organizer.address
    return Fate.NOT_OBEYED, f"{who} may not change the meeting of {owner}"
