"""The group-commit writer: one thread that commits whatever all sessions have waiting, in one transaction.

What arrived while the last commit was reaching the disk makes the next batch; nothing ever waits for company.  On
an error in the data the batch is repeated one message per transaction, so that a bad mail hurts only itself.  The
wake-ups for booker and spooler are sent from here, after the commit, because a session may be gone by then.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from mailcore import failpoint
from mailcore.errors import MailError, TemporaryError
from store.batch import RepeatSinglyError
from store.commit import Committer
from store.plan import Receipt, Submission

log = logging.getLogger(__name__)

Receipts = tuple[Receipt, ...]
_LARGEST_BATCH = 256


class GroupCommitWriter:
    """Commits submissions in the order they come; `submit` is safe from any thread."""

    def __init__(
        self,
        committer: Committer,
        *,
        wake: Callable[[int], None],
        mail_leaves: Callable[[], None] = lambda: None,
    ) -> None:
        self._committer = committer
        self._wake = wake
        self._mail_leaves = mail_leaves
        self._waiting: deque[tuple[Submission, Future[Receipts]]] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._settled: Callable[[], None] = lambda: None
        self._batch_began: float | None = None  # time.monotonic(); None while it waits for work
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
        self._thread.start()

    def submit(self, submission: Submission) -> Future[Receipts]:
        """Queue a submission; the future holds its receipts once they are on disk.

        The future raises TemporaryError for our own trouble, and whatever the data caused otherwise.
        """
        future: Future[Receipts] = Future()
        # From here on it cannot be cancelled: a session that goes away must not stop the writer.
        future.set_running_or_notify_cancel()
        with self._changed:
            if self._stopping:
                raise TemporaryError("shutting down")
            self._waiting.append((submission, future))
            self._changed.notify()
        return future

    def write_files(self, submission: Submission) -> Submission:
        """Put the large bodies on disk now, in the caller's thread, and return what is to be submitted.

        Not needed, but several threads write faster than one, and small mail does not wait behind large.  Raises
        TemporaryError when the directory cannot be written.
        """
        return self._committer.write_files(submission)

    def call_when_settled(self, settled: Callable[[], None]) -> None:
        """Have `settled` called, in the writer's thread, whenever the futures of a batch have got their results."""
        self._settled = settled

    @property
    def alive(self) -> bool:
        """Whether the thread runs; when it ended by a bug, nobody would get a reply any more."""
        return self._thread.is_alive()

    @property
    def busy_seconds(self) -> float:
        """For how many seconds the batch in hand has been worked on; 0 when there is none."""
        began = self._batch_began
        return 0.0 if began is None else time.monotonic() - began

    def stop(self, timeout: float | None = None) -> bool:
        """Commit what is waiting, then end the thread.

        Waits at most `timeout` seconds; False when the work was not finished by then.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._stopping:
                    self._changed.wait()
                if not self._waiting:
                    return
                count = min(len(self._waiting), _LARGEST_BATCH)
                batch = [self._waiting.popleft() for _ in range(count)]
            self._commit_batch(batch)
            self._batch_began = None

    def _commit_batch(self, batch: Sequence[tuple[Submission, Future[Receipts]]]) -> bool:
        """Commit a batch, if need be one by one; False when trouble of our own ended it."""
        self._batch_began = time.monotonic()
        try:
            committed = self._commit([submission for submission, _ in batch])
        except Exception as error:  # noqa: BLE001 - the edge of this thread: every future gets its answer
            return self._recover(batch, error)
        self._finish(batch, committed)
        return True

    def _recover(
        self, batch: Sequence[tuple[Submission, Future[Receipts]]], error: Exception
    ) -> bool:
        """Repeat one by one what the data may have caused; refuse what is our own trouble."""
        own_trouble = isinstance(error, TemporaryError) and not isinstance(error, RepeatSinglyError)
        if len(batch) == 1 or own_trouble:
            self._refuse(batch, error)
            return not own_trouble
        log.info("a batch of %d failed and is repeated one by one: %s", len(batch), error)
        for number, one in enumerate(batch, start=1):
            if not self._commit_batch([one]):
                # The database is away: each of the others would wait for that as long as this one.
                self._refuse(batch[number:], TemporaryError("the database cannot be reached"))
                return False
        return True

    def _refuse(
        self, batch: Sequence[tuple[Submission, Future[Receipts]]], error: Exception
    ) -> None:
        if not isinstance(error, MailError):
            log.error("a message could not be committed", exc_info=error)
        for _, future in batch:
            future.set_exception(error)
        self._settled()

    def _commit(self, submissions: Sequence[Submission]) -> list[Receipts]:
        staged = self._committer.stage(submissions)
        with self._committer.database.write() as connection:
            return self._committer.apply(connection, staged)

    def _finish(
        self,
        batch: Sequence[tuple[Submission, Future[Receipts]]],
        committed: Sequence[Receipts],
    ) -> None:
        failpoint.hit(failpoint.BEFORE_REPLY)
        resources: set[int] = set()
        mail_leaves = False
        for (submission, future), receipts in zip(batch, committed, strict=True):
            future.set_result(receipts)
            mail_leaves = mail_leaves or bool(submission.passing)
            for plan, receipt in zip(submission.plans, receipts, strict=True):
                if receipt.duplicate or receipt.over_quota:
                    continue
                if receipt.job_id is not None:
                    resources.add(plan.store_id)
                mail_leaves = mail_leaves or bool(plan.outgoing)
        self._settled()
        if resources or mail_leaves:
            failpoint.hit(failpoint.BEFORE_WAKE_UP)
            self._wake_up(resources, mail_leaves=mail_leaves)

    def _wake_up(self, resources: set[int], *, mail_leaves: bool) -> None:
        for store_id in resources:
            try:
                self._wake(store_id)
            except Exception as error:  # noqa: BLE001 - only a hint: the workers look by themselves too
                log.warning("wake-up for resource %d not sent: %s", store_id, error)
        if mail_leaves:
            try:
                self._mail_leaves()
            except Exception as error:  # noqa: BLE001 - only a hint: the spooler looks by itself too
                log.warning("wake-up for the spooler not sent: %s", error)
