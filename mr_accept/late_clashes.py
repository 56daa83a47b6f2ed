"""Telling people that an accepted series does without occurrences after all.

A series is held only as far as the horizon, and further as time goes on; what does not fit by then is declined (see
mr_accept/horizon.py).  Its organizer gets a REPLY that declines these occurrences, and the resource's owner a notice.
Both are committed together with the note that they have been told: they go out once, whoever finds them first.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from mailcore.address import address_key
from mailcore.errors import MailError, NoSuchRecipientError
from mailcore.settings import Settings
from mailcore.view import MessageView
from mr_accept.asking import limits_of
from mr_accept.booking_rows import zone_of
from mr_accept.decision import Decision, Reason, Refusal, Verdict
from mr_accept.itip import attendee_for, parse_meeting
from mr_accept.model import CalendarUser, Instance, Meeting, Occurrence, UnreadableError
from mr_accept.notice import OwnerNotice, compose_notice
from mr_accept.policies import load_policy
from mr_accept.policy import BookingPolicy
from mr_accept.reply import Request
from mr_accept.replying import Answer, Voice, compose_answers, leaving, voice_of
from mr_accept.series_instance import instance_for
from store.bookings import BookingRow, load_lineages, reports_due, save_booking
from store.calendars import lock_calendar, touch_store
from store.commit import Committer
from store.mailboxes import INBOX
from store.message import NO_MESSAGE, prepare_message
from store.occurrences import declined_by
from store.plan import Filing, Outgoing, StorePlan, Submission
from userstore.resolve import Directory, Recipient

log = logging.getLogger(__name__)

KIND = "notice"
_TOLD_LATER = "told when it was found not to fit any more"


class _Report(NamedTuple):
    """What one meeting has lost."""

    rows: Sequence[BookingRow]  # the lineages that have still to be told
    series: BookingRow | None
    occurrences: tuple[Occurrence, ...]


class LateClashes:
    """Sends the reports that are due; safe in several threads, processes and hosts."""

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

    def report(self) -> int:
        """Send what is due; return how many meetings were reported on.  One that fails is logged and tried again."""
        with self._database.read() as connection:
            due = reports_due(connection)
        told = 0
        for store_id, uid in due:
            try:
                told += self._report_one(store_id, uid)
            except NoSuchRecipientError:
                continue  # an orphaned mailbox: told when it has an owner again
            except MailError as error:
                log.warning("series %s: its organizer cannot be told yet: %s", uid, error)
        return told

    def _report_one(self, store_id: int, uid: str) -> bool:
        recipient = self._directory.by_store(store_id)
        with self._database.read() as connection:
            policy = load_policy(connection, recipient, self._settings)
            report = _report_of(connection, load_lineages(connection, store_id, uid))
        submissions = self._submissions(recipient, policy, report)
        staged = self._committer.stage(submissions)
        with self._database.write() as connection:
            locked = lock_calendar(connection, store_id)
            if _report_of(connection, load_lineages(connection, store_id, uid)) != report:
                return False  # changed meanwhile; the next look finds what is left
            self._committer.apply(connection, staged)
            for row in report.rows:
                told = {"report_due": False, "silence": row.silence or _TOLD_LATER}
                save_booking(connection, locked, row.id, told)
            touch_store(connection, store_id)
        lost = ", ".join(row.recurrence_id for row in report.rows)
        name = recipient.user.name
        log.warning("%s: series %s does not fit any more at %s, not held then", name, uid, lost)
        return True

    def _submissions(
        self, recipient: Recipient, policy: BookingPolicy, report: _Report
    ) -> list[Submission]:
        if report.series is None or not report.occurrences:
            return []
        voice = voice_of(
            recipient,
            policy,
            self._settings,
            request=Request(),
            now=int(self._clock()),
            number=f"{report.rows[0].id}.late",
            hostname=self._hostname,
        )
        organizer = CalendarUser(report.series.organizer, report.series.organizer)
        answers: Sequence[Answer] = ()
        try:
            meeting, master = self._read(report.series, recipient)
        except UnreadableError as error:
            log.warning("series %s: only its owner is told: %s", report.series.uid, error)
        else:
            organizer = master.organizer
            answers = _answers(meeting, master, recipient, policy, report, voice)
        with self._database.read() as connection:
            replies = leaving(connection, None, answers, recipient, self._settings, policy)
        notice = compose_notice(
            voice.resource,
            organizer,
            report.series.summary,
            report.occurrences,
            policy.owner,
            now=voice.now,
            message_id=voice.message_id(len(report.occurrences) + 1),
            told=bool(answers),
        )
        return [*replies, _told_owner(notice, recipient, self._clock())]

    def _read(self, series: BookingRow, recipient: Recipient) -> tuple[Meeting, Instance]:
        zone, limits = zone_of(recipient, self._settings), limits_of(self._settings.booking)
        meeting = parse_meeting(series.source, zone, limits)
        for instance in meeting.instances:
            if not instance.recurrence_id:
                return meeting, instance
        raise UnreadableError(f"the booking {series.uid} has lost its series")


def _report_of(connection: Connection, lineages: Sequence[BookingRow]) -> _Report:
    due = [row for row in lineages if row.report_due]
    series = next((row for row in lineages if not row.recurrence_id), None)
    shown = declined_by(connection, [row.id for row in due])
    occurrences = sorted(Occurrence(one.start, one.end, one.recurrence_id) for one in shown)
    return _Report(due, series, tuple(occurrences))


def _answers(
    meeting: Meeting,
    master: Instance,
    recipient: Recipient,
    policy: BookingPolicy,
    report: _Report,
    voice: Voice,
) -> tuple[Answer, ...]:
    """The replies to the organizer; none where the series has never been answered either."""
    series = report.series
    if series is None or series.reply is None:
        return ()
    own = {address_key(one) for one in (*recipient.user.addresses, series.invited)}
    attendee = attendee_for(master, own)
    if attendee is None:
        return ()
    if len(report.occurrences) == 1:  # nearly always; nothing needs to be said about the series
        lost = instance_for(meeting, master, report.occurrences[0])
        refused = Refusal(Reason.BUSY, Reason.BUSY.value)
        declined = Decision(Verdict.DECLINED, (refused,))
        return compose_answers(meeting, [lost], attendee, declined, policy, voice)
    decision = Decision(Verdict.ACCEPTED, clashes=report.occurrences)
    return compose_answers(meeting, [master], attendee, decision, policy, voice)


def _told_owner(notice: OwnerNotice, recipient: Recipient, now: float) -> Submission:
    """The notice on its way: to the owners, or into the resource's own Inbox."""
    store_id = recipient.mailbox.id
    if not notice.rcpt_tos:
        view = MessageView(notice.content)
        filing = Filing(recipient.mailbox.special[INBOX], b"", now, imap=recipient.imap)
        message = prepare_message(view, imap=recipient.imap)
        return Submission(message, (StorePlan(store_id, (filing,)),))
    subject = MessageView(notice.content).subject
    leaving_mails = tuple(Outgoing(KIND, subject, mail) for mail in notice.mails())
    return Submission(NO_MESSAGE, (StorePlan(store_id, outgoing=leaving_mails),))
