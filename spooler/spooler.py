"""The spooler: hands the MTA what is due in the outbox and records what became of it.

The promise is at least once.  Between the MTA's 250 and our mark lies a moment in which a crash
makes a repeat unavoidable; it then carries the same Message-ID and the same bytes.  Of several
spoolers on one database only the holder of a mail's lease sends it.  While the MTA cannot be
talked to, one mail at a time is tried and the others keep their turn: an outage costs a mail
neither attempts nor a longer pause.
"""

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import closing

from mailcore import failpoint
from mailcore.charset import one_line
from mailcore.errors import MailError
from mailcore.settings import SpoolerSettings
from spooler.lease import BatchLease, kept_lease
from spooler.notice import fail_and_tell
from spooler.outcome import Deferred, Outcome, Refused, Sent, SmtpReply
from spooler.retry import gave_up, probe_pause, retry_pause
from spooler.smtp import send_mails
from spooler.smtp_server import parse_smtp_url
from store.commit import Committer
from store.engine import Database
from store.outbox import (
    OutboxEntry,
    count_queued,
    lease_due,
    mark_deferred,
    mark_sent,
    release_untried,
)

log = logging.getLogger(__name__)

BATCH = 50
LEASE_SECONDS = 60.0
_LONGEST_PROBE_PAUSE = 30.0
_SHORTEST_POLL = 0.05

Tried = tuple[OutboxEntry, Outcome]


class Spooler:
    """Sends the outbox, on call (`run_once`) or in a thread of its own (`start`).

    Parameters: `hostname` is the name this host greets and signs notices with; `lease_seconds` is
    how long the mails of a spooler that died wait for another one.  Raises UsageError for a bad
    `smtp_url`.
    """

    def __init__(
        self,
        database: Database,
        committer: Committer,
        settings: SpoolerSettings,
        hostname: str,
        *,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._database = database
        self._committer = committer
        self._settings = settings
        self.server = parse_smtp_url(settings.smtp_url)
        self._hostname = hostname
        self._lease_seconds = lease_seconds
        self._unmarked: list[tuple[OutboxEntry, str]] = []
        self._outage_probes = 0  # attempts to reach the MTA that failed in a row
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._resumed = threading.Event()  # ends a pause that an outage caused
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work in a thread of its own."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="spooler", daemon=True)
        self._thread.start()

    def stop(self, timeout: float | None = None) -> bool:
        """End the thread after the mail it is at; what it had not tried is due as before.

        Waits at most `timeout` seconds, without one as long as that mail takes; False when it was
        not finished by then.
        """
        self._stopping.set()
        self._resumed.set()
        self._woken.set()
        if self._thread is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def adopt(self, settings: SpoolerSettings) -> None:
        """Go on with these settings from the next mail on; safe while the thread runs.

        Raises UsageError for a bad `smtp_url`, and then nothing has changed.
        """
        server = parse_smtp_url(settings.smtp_url)
        if server != self.server:
            log.info("mail goes to %s from now on", server)
        self._settings, self.server = settings, server
        self._resumed.set()
        self._woken.set()

    def wake(self) -> None:
        """Look at the outbox now: something has been put there.  Safe from any thread."""
        self._woken.set()

    def run_once(self) -> int:
        """Try one batch of what is due; return how many mails were tried.

        For one thread at a time.  Raises TemporaryError for the database's trouble; the MTA's is no
        error but the outcome of a mail.
        """
        self._mark_sent()  # what the database did not take the last time
        asked_at = time.monotonic()
        limit = 1 if self._outage_probes else BATCH
        batch = lease_due(self._database, limit, self._lease_seconds)
        if not batch:
            return 0
        with kept_lease(self._database, batch, self._lease_seconds, asked_at) as lease:
            tried = self._send(batch, lease)
            self._mark_sent()
            self._settle(tried)
            release_untried(self._database, batch[len(tried) :])
        if tried:
            self._note_reachability(tried[-1][1])
        return len(tried)

    def _send(self, batch: Sequence[OutboxEntry], lease: BatchLease) -> list[Tried]:
        """Send the batch; stop early for trouble of the MTA, a lost lease, or a shutdown."""
        tried: list[Tried] = []
        outcomes = send_mails(
            self.server,
            [entry.mail for entry in batch],
            hostname=self._hostname,
            timeout=self._settings.timeout,
        )
        with closing(outcomes):
            for entry in batch:
                if self._stopping.is_set() or not lease.held:
                    break
                try:
                    outcome = next(outcomes, None)
                except Exception:
                    # The edge of this mail: a bug it brings out must not hold up the others.
                    log.exception("outbox=%d could not be sent", entry.id)
                    tried.append((entry, Deferred(SmtpReply(0, "an error of the spooler"))))
                    break
                if outcome is None:
                    break
                tried.append((entry, outcome))
                if isinstance(outcome, Sent):
                    self._unmarked.append((entry, str(outcome.reply)))
                    _log_mail(logging.INFO, "sent", entry, outcome.reply)
        return tried

    def _mark_sent(self) -> None:
        """Record what the MTA has taken; what cannot be recorded now comes first the next time."""
        if self._unmarked:
            failpoint.hit(failpoint.BEFORE_SENT_MARK)
            mark_sent(self._database, self._unmarked)
            self._unmarked = []

    def _settle(self, tried: Sequence[Tried]) -> None:
        """Record what the MTA has not taken."""
        for entry, outcome in tried:
            if isinstance(outcome, Refused):
                self._fail(entry, outcome.reply, expired=False)
            elif isinstance(outcome, Deferred):
                if gave_up(entry.created_at, time.time(), self._settings.give_up_after):
                    self._fail(entry, outcome.reply, expired=True)
                else:
                    self._defer(entry, outcome)

    def _defer(self, entry: OutboxEntry, outcome: Deferred) -> None:
        pause = retry_pause(entry.attempts + 1, self._settings.max_retry_interval)
        mark_deferred(self._database, entry, pause, str(outcome.reply))
        # An outage is told once, not once per mail.
        level = logging.INFO if outcome.reachable else logging.DEBUG
        _log_mail(level, "deferred", entry, outcome.reply)

    def _fail(self, entry: OutboxEntry, reply: SmtpReply, *, expired: bool) -> None:
        try:
            told = fail_and_tell(
                self._committer, entry, reply, expired=expired, hostname=self._hostname
            )
        except MailError:
            raise
        except Exception:
            # The edge of this mail: it is tried again, and the others are not held up.
            log.exception("outbox=%d: the notice to its owner could not be filed", entry.id)
            mark_deferred(self._database, entry, self._settings.max_retry_interval, str(reply))
            return
        _log_mail(logging.WARNING, "expired" if expired else "refused", entry, reply)
        if not told:
            log.warning("outbox=%d: its owner has no Inbox and was not told", entry.id)

    def _note_reachability(self, last: Outcome) -> None:
        """Say once that the MTA went away, and once that it is back."""
        if isinstance(last, Deferred) and not last.reachable:
            self._outage_probes += 1
            if self._outage_probes == 1:
                waiting = count_queued(self._database)
                log.warning(
                    "%s cannot be reached: %s; %d mails wait", self.server, last.reply, waiting
                )
        elif self._outage_probes:
            self._outage_probes = 0
            log.info("%s can be reached again", self.server)

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._woken.clear()
            self._resumed.clear()
            if self._stopping.is_set():
                break
            try:
                tried = self.run_once()
                failures = 0
            except Exception as error:  # noqa: BLE001 - the thread must not end while mail waits
                failures += 1
                self._resumed.wait(self._report(error, failures))
                continue
            if self._outage_probes:
                self._resumed.wait(self._probe_pause(self._outage_probes))
            elif not tried:
                self._woken.wait(max(self._settings.poll_interval, _SHORTEST_POLL))

    def _report(self, error: Exception, failures: int) -> float:
        """Log what kept the outbox from being worked on; return the seconds until the next try."""
        pause = self._probe_pause(failures)
        log.error(
            "the outbox could not be worked on: %s; next try in %g s",
            error,
            pause,
            exc_info=None if isinstance(error, MailError) else error,
        )
        return pause

    def _probe_pause(self, failures: int) -> float:
        return probe_pause(failures, self._settings.poll_interval, _LONGEST_PROBE_PAUSE)


def _log_mail(level: int, what: str, entry: OutboxEntry, reply: SmtpReply) -> None:
    log.log(
        level,
        "%s outbox=%d kind=%s message_id=%s rcpt=%s attempts=%d reply=%s",
        what,
        entry.id,
        entry.kind,
        _value(entry.mail.message_id),
        _value(entry.mail.rcpt_to),
        entry.attempts + 1,
        _value(str(reply)),
    )


def _value(text: str) -> str:
    """The value of a key=value pair on one line, quoted where it could be misread.

    >>> print(_value("anna@example.org"), _value('550 no "such" user'))
    anna@example.org "550 no 'such' user"
    """
    line = one_line(text).replace('"', "'")
    return line if line and " " not in line and "=" not in line else f'"{line}"'
