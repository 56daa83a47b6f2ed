"""Holding the mails of a batch for as long as sending them takes.

A lease is short, so that what a dead spooler held is soon tried by another one; a batch may take
long.  So a thread renews the lease while the batch is being sent.  Whoever could not renew it in
time must stop sending: the mails may be in other hands.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mailcore.errors import TemporaryError
from store.engine import Database
from store.outbox import OutboxEntry, renew_lease

log = logging.getLogger(__name__)

_RENEWALS = 3
"""Renewals within the time of one lease: the database may miss one or two."""


class BatchLease:
    """The lease on a batch just taken by `lease_due` for `seconds`."""

    def __init__(
        self, database: Database, batch: Sequence[OutboxEntry], seconds: float, taken_at: float
    ) -> None:
        self._database = database
        self._batch = batch
        self._seconds = seconds
        self._until = taken_at + seconds

    @property
    def held(self) -> bool:
        """True while nobody else can have taken the mails."""
        return time.monotonic() < self._until

    def renew(self) -> None:
        """Extend the lease from now on; after a failure it runs on as it was."""
        asked_at = time.monotonic()
        try:
            renewed = renew_lease(self._database, self._batch, self._seconds)
        except TemporaryError as error:
            log.warning("a lease on %d mails was not renewed: %s", len(self._batch), error)
            return
        self._until = asked_at + self._seconds if renewed else 0.0


@contextmanager
def kept_lease(
    database: Database, batch: Sequence[OutboxEntry], seconds: float, taken_at: float
) -> Iterator[BatchLease]:
    """Keep the lease on `batch` for the time of the `with` block.

    `taken_at` is when the lease was asked for, by the monotonic clock.
    """
    lease = BatchLease(database, batch, seconds, taken_at)
    done = threading.Event()

    def renew_until_done() -> None:
        while not done.wait(seconds / _RENEWALS):
            lease.renew()

    renewer = threading.Thread(target=renew_until_done, name="spooler-lease", daemon=True)
    renewer.start()
    try:
        yield lease
    finally:
        done.set()
        renewer.join()
