"""The booker's worker: drains a resource's jobs in their order, under a lease, and never loses one.

A permanent failure (unreadable, unsupported, a bug) hands the message to ordinary delivery at once; a temporary one
is tried again with back-off until the deadline, and then handed over too.  Handing over is one transaction with the
end of the job; when even that fails the job stays and is tried again.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from delivery.arrival import Wish
from delivery.deliver import plan_fallback
from delivery.hop_session import NextHops
from delivery.next_hop import hand_over_acknowledged
from delivery.places import find_places, wanted_places
from delivery.site import Site, open_site
from mailcore import failpoint
from mailcore.errors import MailError, NoSuchRecipientError, TemporaryError
from mailcore.log_fields import LogFields
from mailcore.settings import Settings
from mailcore.view import MessageView
from mr_accept.book import Booker
from mr_accept.fate import Fate
from mr_accept.late_clashes import LateClashes
from mr_accept.model import NotForBookingError
from store.commit import Committer
from store.jobs import (
    Job,
    LeaseLostError,
    finish_job,
    lease_jobs,
    postpone_job,
    release_jobs,
    waiting_resources,
)
from store.mailboxes import INBOX, load_mailbox_by_id
from store.message import prepare_message
from store.plan import Filing, StorePlan, Submission
from userstore.resolve import Directory

log = logging.getLogger(__name__)

_NOTEWORTHY = (Fate.NOT_OBEYED, Fate.GAVE_UP, Fate.FAILED)
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


def pause_after(attempts: int) -> float:
    """Seconds until the next attempt after `attempts` that failed.

    >>> [pause_after(n) for n in (0, 1, 2, 10)]
    [1.0, 2.0, 4.0, 60.0]
    """
    return min(_FIRST_PAUSE * 2.0 ** min(attempts, 10), _LONGEST_PAUSE)


class Worker:
    """Works on the jobs of resources; safe to run in several threads, processes and hosts."""

    def __init__(
        self,
        committer: Committer,
        directory: Directory,
        settings: Settings,
        hostname: str,
        *,
        mail_leaves: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._committer = committer
        self._database = committer.database
        self._directory = directory
        self._settings = settings
        self._hostname = hostname
        self._mail_leaves = mail_leaves
        self._clock = clock
        self._booker = Booker(committer, directory, settings, hostname, clock=clock)
        self._hops = NextHops(hostname)
        self._stopping = threading.Event()
        self._poller: threading.Thread | None = None

    def adopt(self, settings: Settings) -> None:
        """Go on with these settings from the next job on; safe while other threads work."""
        self._settings = settings
        self._directory.adopt(settings.userstore)
        self._booker = Booker(
            self._committer, self._directory, settings, self._hostname, clock=self._clock
        )

    def start_polling(self) -> None:
        """Look for jobs nobody woke us for, every `queue.poll_interval` seconds, beginning now."""
        self._poller = threading.Thread(target=self._poll, name="job-poller", daemon=True)
        self._poller.start()

    def stop(self, timeout: float | None = None) -> None:
        """Stop after the job at hand, waiting for it `timeout` seconds; what is left stays in the database."""
        self._stopping.set()
        if self._poller is not None:
            self._poller.join(timeout)

    def drain(self, store_id: int, *, until: float | None = None) -> None:
        """Work on a resource's jobs until none can be had; `until` ends it earlier (time.monotonic)."""
        while not self._stopping.is_set():
            jobs = lease_jobs(self._database, store_id, self._settings.booking.lease)
            if not jobs:
                return
            for done, job in enumerate(jobs):
                late = until is not None and time.monotonic() > until
                if late or self._stopping.is_set() or not self._settle(job):
                    release_jobs(self._database, jobs[done:])
                    return

    def report_late_clashes(self) -> None:
        """Tell organizers and owners of what series have lost since they were accepted."""
        reports = LateClashes(
            self._committer, self._directory, self._settings, self._hostname, clock=self._clock
        )
        if reports.report():
            self._mail_leaves()

    def _poll(self) -> None:
        while not self._stopping.is_set():
            try:
                for store_id in waiting_resources(self._database):
                    self.drain(store_id)
                self.report_late_clashes()
            except MailError as error:
                log.warning("jobs cannot be worked on now: %s", error)
            except Exception:
                log.exception("jobs cannot be worked on now")
            self._stopping.wait(self._settings.queue.poll_interval)

    def _settle(self, job: Job) -> bool:
        """Bring one job to its end; False when it has to wait, and the resource's later jobs with it."""
        started = time.monotonic()
        try:
            failpoint.hit(failpoint.BEFORE_DECISION)
            outcome = self._booker.book(job)
        except LeaseLostError:
            log.info("job %d was taken over by another worker", job.id)
            return False
        except (NotForBookingError, NoSuchRecipientError) as error:
            return self._hand_over(job, Fate.ORDINARY, str(error))
        except TemporaryError as error:
            if time.time() - job.tried_since < self._settings.booking.booking_deadline:
                return self._postpone(job, error)
            return self._hand_over(job, Fate.GAVE_UP, f"still failing at the deadline: {error}")
        except Exception as error:  # a bug of ours must not keep a person from the mail
            log.exception("job %d: the booker failed", job.id)
            return self._hand_over(job, Fate.FAILED, f"{type(error).__name__}: {error}")
        if outcome.fate is Fate.NOT_OBEYED:
            return self._hand_over(job, outcome.fate, outcome.reason)
        self._tell(job, outcome.fate, outcome.reason, started)
        self._mail_leaves()
        return True

    def _postpone(self, job: Job, error: Exception) -> bool:
        pause = pause_after(job.attempts)
        log.warning("job %d: %s; tried again in %.0f s", job.id, error, pause)
        postpone_job(self._database, job, pause, str(error))
        return False

    def _hand_over(self, job: Job, fate: Fate, reason: str) -> bool:
        """Deliver the message as ordinary mail, with rules and out-of-office, and end the job.

        A next hop has it before the job ends.
        """
        started = time.monotonic()
        try:
            submission = self._fallback(job)
            staged = self._committer.stage([submission])
            with self._database.write() as connection:
                self._committer.apply(connection, staged)
                finish_job(connection, job, fate.value, reason)
        except LeaseLostError:
            log.info("job %d was taken over by another worker", job.id)
            return False
        except Exception as error:  # never lost: it stays a job until this works
            if not isinstance(error, MailError):
                log.exception("job %d: ordinary delivery failed", job.id)
            return self._postpone(job, error)
        self._tell(job, fate, reason, started)
        self._mail_leaves()
        return True

    def _fallback(self, job: Job) -> Submission:
        try:
            recipient = self._directory.by_store(job.store_id)
            site = self._site()
            wanted = wanted_places(recipient, site.settings.delivery, Wish())
            foreign = find_places(self._database, self._directory, recipient, wanted)
            planned = plan_fallback(job, recipient, site, foreign=foreign)
            return hand_over_acknowledged(planned, self._hops, self._database)
        except NoSuchRecipientError:
            pass  # an orphaned mailbox: nobody's rules apply
        except TemporaryError:
            raise
        except Exception:
            log.exception("job %d: no plan; filed in the Inbox", job.id)
        return self._into_inbox(job)

    def _site(self) -> Site:
        """What holds for a message handed back; its next hop has to answer well within the lease."""
        settings = self._settings
        longest = min(settings.delivery.deliver_via_timeout, settings.booking.lease / 3)
        delivery = replace(settings.delivery, deliver_via_timeout=longest)
        return open_site(replace(settings, delivery=delivery), self._hostname)

    def _into_inbox(self, job: Job) -> Submission:
        with self._database.read() as connection:
            mailbox = load_mailbox_by_id(connection, job.store_id)
        if mailbox is None:
            raise TemporaryError(f"mailbox {job.store_id} cannot be found")
        filing = Filing(mailbox.special[INBOX], job.trace, time.time())
        message = prepare_message(MessageView(job.content), imap=False)
        return Submission(message, (StorePlan(mailbox.id, (filing,)),))

    def _tell(self, job: Job, fate: Fate, reason: str, started: float) -> None:
        milliseconds = (time.monotonic() - started) * 1000
        fields = {
            "job": job.id,
            "resource": job.rcpt_to,
            "fate": fate.value,
            "reason": reason,
            "from": job.mail_from,
            "ms": f"{milliseconds:.1f}",
        }
        level = logging.WARNING if fate in _NOTEWORTHY else logging.INFO
        log.log(level, "%s", LogFields(fields))
