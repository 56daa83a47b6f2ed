"""Committing plans: all rows of a batch of messages, one executemany per table, in one order of locks.

The order is: folders by ascending id, blobs by hash, then inserts, then the mailbox stores by ascending id.  Every
writer of mail goes through here, so the folders' UIDs and modification sequences, the store's size and its change
number are always raised together with the mail.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, bindparam, literal_column, update

from store.batch import Place, Reserved, StagedBatch, Works, select_work
from store.blobs import BlobStore
from store.counters import IdBlocks
from store.engine import Database
from store.hot import HotStatement
from store.jobs import add_job
from store.ledger import enter_works, find_repeats
from store.message import blobs_of
from store.message_rows import allocate_uids, insert_entries, insert_messages
from store.outbox import add_outgoing
from store.personal import claim_answer
from store.plan import Receipt, StorePlan, Submission
from store.schema import mailbox_store

_GROW_STORE = HotStatement(
    update(mailbox_store)
    .where(mailbox_store.c.id == bindparam("store_id"))
    .values(
        change_number=mailbox_store.c.change_number + literal_column("1"),
        size=mailbox_store.c.size + bindparam("added"),
    )
)


class Committer:
    """Turns submissions into rows within a transaction that the caller owns."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self.database = database
        self.blobs = blobs
        self._message_ids = IdBlocks(database, "message")
        self._blob_ids = IdBlocks(database, "blob")

    def reserve(self, messages: int, blobs: int) -> Reserved:
        """Allocate ids; must be called outside a transaction."""
        return Reserved(self._message_ids.take(messages), self._blob_ids.take(blobs))

    def write_files(self, submission: Submission) -> Submission:
        """Put a submission's large blobs on disk ahead of its batch.  Safe to call from several threads at once."""
        self.blobs.write_files(blobs_of(submission.message))
        return replace(submission, on_disk=True)

    def stage(
        self, submissions: Sequence[Submission], reserved: Reserved | None = None
    ) -> StagedBatch:
        """Do what must happen before the transaction: large blobs on disk, ids at hand.

        With ids reserved earlier this may be called inside a transaction, for mail that only it can compose.
        """
        blobs = tuple(b for s in submissions for b in blobs_of(s.message))
        self.blobs.write_files(b for s in submissions if not s.on_disk for b in blobs_of(s.message))
        if reserved is None:
            reserved = self.reserve(len(submissions), len(blobs))
        return StagedBatch(tuple(submissions), reserved.message_ids, blobs, reserved.blob_ids)

    def apply(self, connection: Connection, staged: StagedBatch) -> list[tuple[Receipt, ...]]:
        """Write a staged batch; return the receipts, per submission in the order of its plans.

        Raises TemporaryError (RepeatSinglyError among them); the caller's transaction must then be rolled back.
        """
        now = time.time()
        selection = select_work(staged, find_repeats(connection, staged.submissions))
        receipts = dict(selection.known)
        if selection.works:
            receipts |= self._write(connection, staged, selection.works, now)
        for place, first in selection.again.items():
            receipts[place] = replace(receipts[first], duplicate=True)
        return [
            tuple(receipts[index, position] for position in range(len(submission.plans)))
            for index, submission in enumerate(staged.submissions)
        ]

    def _write(
        self, connection: Connection, staged: StagedBatch, works: Works, now: float
    ) -> dict[Place, Receipt]:
        uids = allocate_uids(connection, works)
        blob_ids = self.blobs.insert_rows(connection, staged.blobs, staged.blob_ids, now)
        insert_messages(connection, works, blob_ids, now)
        insert_entries(connection, works, uids)
        receipts = {}
        for place, work in works.items():
            plan = work.plan
            new = plan.job
            job_id = None if new is None else add_job(connection, plan.store_id, new, now)
            _insert_outgoing(connection, plan, now)
            receipts[place] = Receipt(tuple(uid for uid, _ in uids[place]), job_id)
        enter_works(connection, works, receipts, now)
        _touch_stores(connection, works)
        return receipts


def _insert_outgoing(connection: Connection, plan: StorePlan, now: float) -> None:
    for leaving in plan.outgoing:
        if leaving.claim is None or claim_answer(connection, plan.store_id, leaving.claim, now):
            add_outgoing(connection, plan.store_id, leaving, now)


def _touch_stores(connection: Connection, works: Works) -> None:
    """Raise the change number, and the size by what was filed, in ascending store id."""
    growth: dict[int, int] = {}
    for work in works.values():
        added = sum(len(f.trace) + work.message.size for f in work.plan.filings)
        growth[work.plan.store_id] = growth.get(work.plan.store_id, 0) + added
    rows = [{"store_id": store_id, "added": growth[store_id]} for store_id in sorted(growth)]
    _GROW_STORE.each(connection, rows)
