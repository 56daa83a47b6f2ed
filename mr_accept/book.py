"""Booking: load, decide, commit.

Everything that takes time (parsing, zones, expansion, the directory) comes before the transaction.  Its first
statement raises the calendar's version, which is the lock; inside are range queries, the decision, the rows, the reply
and the end of the job, so that all of it is true together or none of it.  What was read before the lock is compared
once it is held.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import Connection

from mailcore import failpoint
from mailcore.errors import TemporaryError
from mailcore.settings import Settings
from mr_accept.booking_rows import Held, held_of, renew_object, zone_of
from mr_accept.calendar_writer import CalendarWriter, Written
from mr_accept.change import Change, change_of, check_types
from mr_accept.deciding import Asker, Case, decide_case, open_case
from mr_accept.decision import Decision
from mr_accept.fate import Fate
from mr_accept.kept import kept_source
from mr_accept.methods import added_by, cancelled_by, freed_by
from mr_accept.model import Instance, NotForBookingError
from mr_accept.policies import policy_for
from mr_accept.policy import BookingPolicy
from mr_accept.rehearsal import Scene, scene_of
from mr_accept.replying import (
    BLOBS_PER_REPLY,
    Answer,
    compose_answers,
    leaving,
    most_answers,
    stored_answers,
    voice_of,
)
from mr_accept.work import Work, open_work
from store.batch import Reserved
from store.booking_policies import BookingSwitches, load_switches
from store.bookings import drop_bookings, load_lineages
from store.calendars import LockedCalendar, lock_calendar
from store.commit import Committer
from store.jobs import Job, finish_job
from store.message import blobs_of
from store.plan import Submission
from userstore.resolve import Directory, Recipient

_ATTEMPTS = 5


class Outcome(NamedTuple):
    """What became of a message: its fate, the reason where there is something to say, the decision and the answers.

    A `scene` is of a rehearsal that came as far as the calendar.
    """

    fate: Fate
    reason: str = ""
    decision: Decision | None = None
    answers: Sequence[Answer] = ()
    scene: Scene | None = None


class ChangedError(TemporaryError):
    """The booking changed between reading and locking."""


class _RehearsedError(Exception):
    """Ends a rehearsal before anything is committed."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.fate.value)
        self.outcome = outcome


class _Read(NamedTuple):
    """What the store said before the lock."""

    held: Held
    policy: BookingPolicy
    written: Written


class _Ready(NamedTuple):
    """The message as it is filed when all is done, and the ids for it and its answers; nothing for a rehearsal."""

    processed: Submission | None = None
    reserved: Reserved | None = None


class Booker:
    """Settles meeting messages; safe in several threads, processes and hosts."""

    def __init__(
        self,
        committer: Committer,
        directory: Directory,
        settings: Settings,
        hostname: str,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._committer = committer
        self._database = committer.database
        self._directory = directory
        self._settings = settings
        self._hostname = hostname
        self._clock = clock

    def book(self, job: Job) -> Outcome:
        """Settle a job.

        Everything is committed, the end of the job included, except for the fate NOT_OBEYED: then nothing has
        changed and the message is to be delivered as ordinary mail.  Raises NotForBookingError for ordinary mail,
        TemporaryError for what may work later.
        """
        recipient = self._directory.by_store(job.store_id)
        return self._settle(job.content, job.rcpt_to, recipient, job)

    def rehearse(self, recipient: Recipient, content: bytes) -> Outcome:
        """What would become of a message now; nothing is changed, and the resource waits no longer than for a booking.

        Raises what `book` raises.
        """
        try:
            return self._settle(content, recipient.address, recipient, None)
        except _RehearsedError as end:
            return end.outcome

    def _settle(
        self, content: bytes, rcpt_to: str, recipient: Recipient, job: Job | None
    ) -> Outcome:
        for _ in range(_ATTEMPTS):
            if job is not None and not recipient.mailbox.mr_accept:  # switched off while it waited
                raise NotForBookingError("the mailbox does not answer meeting requests any more")
            now = int(self._clock())
            work = open_work(content, rcpt_to, recipient, self._directory, self._settings, now, job)
            try:
                return self._settle_once(work, self._read(work))
            except ChangedError:
                recipient = self._directory.by_store(recipient.mailbox.id)
        raise ChangedError("the booking keeps changing while it is worked on")

    def _settle_once(self, work: Work, read: _Read) -> Outcome:
        asked, held = work.asked, read.held
        if asked.instances[0].recurrence_id:
            check_types(asked.instances, held.rows)
        if asked.meeting.method == "CANCEL":
            return self._free(work, read, *cancelled_by(work, held))
        if asked.left_out:
            return self._free(work, read, *freed_by(work, held))
        return self._request(work, read)

    def _read(self, work: Work) -> _Read:
        asked, recipient = work.asked, work.recipient
        with self._database.read() as connection:
            stored = load_lineages(connection, recipient.mailbox.id, asked.meeting.uid)
            policy = self._policy(connection, work)
        zone = zone_of(recipient, self._settings)
        source = kept_source(asked.meeting.source, policy, asked.meeting.organizer, asked.limits)
        written = Written(source, zone, "" if work.answers else work.silence)
        held = held_of(stored, zone, asked.limits)
        return _Read(held.without(work.given_up(held)), policy, written)

    def _policy(self, connection: Connection, work: Work) -> BookingPolicy:
        organizer = work.asked.meeting.organizer.address
        return policy_for(connection, work.recipient, organizer, self._settings, work.now)

    def _request(self, work: Work, read: _Read) -> Outcome:
        asked, held = work.asked, read.held
        instances = added_by(asked, held) if asked.meeting.method == "ADD" else asked.instances
        # The trace of a cancelled meeting protects nothing; it only outdates its own organizer's requests.
        gone = all(row.known.cancelled for row in held.rows)
        change = change_of(instances, held.rows, gone or work.obeyed(held.organizer()))
        if change.fate is Fate.NOT_OBEYED:
            return Outcome(Fate.NOT_OBEYED, work.stranger(held))
        if change.fate is not None:
            return self._say_again(work, read, change.fate)
        return self._decide(work, read, self._case(work, read, change))

    def _case(self, work: Work, read: _Read, change: Change) -> Case:
        organizer = work.asked.meeting.organizer.address
        people, recipient = work.people, work.recipient
        asker = Asker(
            people.standing_of(organizer, read.policy, recipient),
            people.is_external(organizer, read.policy, recipient, self._settings),
        )
        with self._database.read() as connection:
            return open_case(
                connection, work, read.held, change, read.policy, asker, self._settings
            )

    def _decide(self, work: Work, read: _Read, case: Case) -> Outcome:
        ready = self._prepare(work, read.policy, most_answers(case.change.fresh, read.policy))
        with self._locked(work, read) as (connection, locked):
            decision = decide_case(connection, locked, case, work.recipient, self._settings)
            if decision is None:
                outcome = Outcome(Fate.PAST, "it has ended already")
            else:
                answers = self._answers(work, read.policy, case.change.fresh, decision)
                writer = self._writer(connection, locked, work, read)
                if decision.accepted:
                    until = case.until if case.goes_on else None
                    writer.accept(case.change, case.wanted, decision, answers, until)
                else:
                    writer.decline(case.change, decision, answers)
                outcome = _decided(decision, answers, "" if answers else work.silence)
            self._finish(connection, work, read, outcome, ready)
        failpoint.hit(failpoint.AFTER_BOOKING_COMMIT)
        return outcome

    def _say_again(self, work: Work, read: _Read, fate: Fate) -> Outcome:
        """A repeated request gets the stored reply once more; a stale one gets nothing."""
        answers: list[Answer] = []
        if fate is Fate.REPEATED and work.answers:
            answers = stored_answers(work.asked.instances, read.held, work.recipient)
        outcome = Outcome(fate, answers=answers)
        ready = self._prepare(work, read.policy, len(answers))
        with self._locked(work, read) as (connection, _):
            self._finish(connection, work, read, outcome, ready)
        return outcome

    def _free(
        self, work: Work, read: _Read, fate: Fate, reason: str, instances: Sequence[Instance]
    ) -> Outcome:
        """Free instances of a meeting, or remember that they are cancelled; nobody is answered."""
        outcome = Outcome(fate, reason)
        if fate is Fate.NOT_OBEYED:
            return outcome
        ready = self._prepare(work, read.policy, 0)
        with self._locked(work, read) as (connection, locked):
            self._writer(connection, locked, work, read).cancel(instances)
            self._finish(connection, work, read, outcome, ready)
        failpoint.hit(failpoint.AFTER_BOOKING_COMMIT)
        return outcome

    @contextmanager
    def _locked(self, work: Work, read: _Read) -> Iterator[tuple[Connection, LockedCalendar]]:
        """The calendar's lock; raises ChangedError when the booking or the rules are not as they were read."""
        store_id = work.recipient.mailbox.id
        with self._database.write() as connection:
            locked = lock_calendar(connection, store_id)
            stored = tuple(load_lineages(connection, store_id, work.asked.meeting.uid))
            if (
                set(stored) != {*read.held.stored, *read.held.given_up}
                or load_switches(connection, store_id) != _switches(work.recipient)
                or self._policy(connection, work) != read.policy
            ):
                raise ChangedError("the booking was changed by another worker")
            if read.held.given_up:
                drop_bookings(connection, [row.id for row in read.held.given_up])
                renew_object(connection, locked, work.asked.meeting.uid, read.written.zone)
            yield connection, locked

    def _writer(
        self, connection: Connection, locked: LockedCalendar, work: Work, read: _Read
    ) -> CalendarWriter:
        return CalendarWriter(connection, locked, work.asked, read.held, read.policy, read.written)

    def _answers(
        self, work: Work, policy: BookingPolicy, fresh: Sequence[Instance], decision: Decision
    ) -> tuple[Answer, ...]:
        attendee = work.asked.attendee
        if attendee is None or not work.answers:
            return ()
        voice = voice_of(
            work.recipient,
            policy,
            self._settings,
            request=work.request,
            now=work.now,
            number=str(work.job.id if work.job else 0),
            hostname=self._hostname,
        )
        return compose_answers(work.asked.meeting, fresh, attendee, decision, policy, voice)

    def _prepare(self, work: Work, policy: BookingPolicy, answers: int) -> _Ready:
        """What cannot be had inside the transaction: ids, and large bodies on disk."""
        if work.job is None:
            return _Ready()
        processed = self._committer.write_files(work.processed(policy, self._clock()))
        blobs = len(blobs_of(processed.message)) + BLOBS_PER_REPLY * answers
        return _Ready(processed, self._committer.reserve(1 + answers, blobs))

    def _finish(
        self, connection: Connection, work: Work, read: _Read, outcome: Outcome, ready: _Ready
    ) -> None:
        """File the message, send the answers and end the job, all in the caller's transaction."""
        if work.job is None or ready.processed is None:
            store_id, uid = work.recipient.mailbox.id, work.asked.meeting.uid
            scene = scene_of(connection, store_id, uid, outcome.decision)
            raise _RehearsedError(outcome._replace(scene=scene))
        replies = leaving(
            connection, work.job.id, outcome.answers, work.recipient, self._settings, read.policy
        )
        staged = self._committer.stage([ready.processed, *replies], ready.reserved)
        self._committer.apply(connection, staged)
        finish_job(connection, work.job, outcome.fate.value, outcome.reason)
        failpoint.hit(failpoint.BEFORE_BOOKING_COMMIT)


def _switches(recipient: Recipient) -> BookingSwitches:
    return BookingSwitches(*(getattr(recipient.mailbox, one) for one in BookingSwitches._fields))


def _decided(decision: Decision, answers: Sequence[Answer], silence: str) -> Outcome:
    """The outcome of a decision, in the words of the log."""
    fate = Fate.ACCEPTED if decision.accepted else Fate.DECLINED
    reasons = [decision.reasons]
    if decision.accepted and decision.clashes:
        lost = f"{len(decision.clashes)} of {decision.asked_for} occurrences declined"
        reasons.append(lost)
    return Outcome(fate, "; ".join(filter(None, [*reasons, silence])), decision, answers)
