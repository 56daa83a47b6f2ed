"""Committing plans: all rows of a batch of messages, one executemany per table, in one order of locks.

The order is: the memory of out-of-office, folders by ascending id, blobs by hash, then inserts, then the mailbox
stores by ascending id.  Every writer of mail goes through here, so the folders' UIDs and modification sequences, the
store's size and its change number are always raised together with the mail.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, bindparam, literal_column, update

from store.batch import (
    Mail,
    Place,
    RepeatSinglyError,
    Reserved,
    StagedBatch,
    Works,
    growth_of,
    mails_of,
    own_mails,
    select_work,
    staged_blobs,
)
from store.blobs import BlobStore
from store.counters import IdBlocks
from store.engine import Database
from store.hot import HotStatement
from store.jobs import add_job
from store.ledger import enter_works, find_repeats
from store.message import blobs_of
from store.message_rows import allocate_uids, insert_entries, insert_messages
from store.new_folders import with_folders
from store.outbox import add_outgoing
from store.personal import claim_notices, claim_outgoing
from store.plan import Receipt, Submission
from store.quota import check_quota, over_quota
from store.schema import mailbox_store

_GROW_STORE = HotStatement(
    update(mailbox_store)
    .where(mailbox_store.c.id == bindparam("store_id"), mailbox_store.c.deleted_at.is_(None))
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
        self.blobs.write_files(staged_blobs(submission))
        return replace(submission, on_disk=True)

    def stage(
        self, submissions: Sequence[Submission], reserved: Reserved | None = None
    ) -> StagedBatch:
        """Do what must happen before the transaction: large blobs on disk, ids at hand.

        With ids reserved earlier this may be called inside a transaction, for mail that only it can compose.
        """
        blobs = [staged_blobs(submission) for submission in submissions]
        self.blobs.write_files(
            blob for s, own in zip(submissions, blobs, strict=True) if not s.on_disk for blob in own
        )
        counts = [1 + len(own_mails(submission)) for submission in submissions]
        if reserved is None:
            reserved = self.reserve(sum(counts), sum(map(len, blobs)))
        ids, ranges = reserved.message_ids, []
        for count in counts:
            ranges.append(ids[:count])
            ids = ids[count:]
        return StagedBatch(tuple(submissions), tuple(ranges), reserved.blob_ids)

    def apply(self, connection: Connection, staged: StagedBatch) -> list[tuple[Receipt, ...]]:
        """Write a staged batch; return the receipts, per submission in the order of its plans.

        Raises TemporaryError (RepeatSinglyError among them); the caller's transaction must then be rolled back.
        """
        now = time.time()
        selection = select_work(staged, find_repeats(connection, staged.submissions))
        receipts = dict(selection.known)
        works = selection.works
        for place in over_quota(connection, works):
            del works[place]
            receipts[place] = Receipt(over_quota=True)
        if works:
            receipts |= self._write(connection, staged, works, now)
        for leaving in (one for submission in staged.submissions for one in submission.passing):
            add_outgoing(connection, None, leaving, now)
        for place, first in selection.again.items():
            receipts[place] = replace(receipts[first], duplicate=True)
        return [
            tuple(receipts[index, position] for position in range(len(submission.plans)))
            for index, submission in enumerate(staged.submissions)
        ]

    def _write(
        self, connection: Connection, staged: StagedBatch, works: Works, now: float
    ) -> dict[Place, Receipt]:
        leaving = claim_outgoing(connection, works, now)
        told = claim_notices(connection, works)
        mails = with_folders(connection, mails_of(staged, works, leaving, told))
        uids = allocate_uids(connection, mails)
        filed = {mail.message_id: mail.message for mail in mails if mail.filings}
        blobs = [blob for one in filed.values() for blob in blobs_of(one)]
        blob_ids = self.blobs.insert_rows(connection, blobs, staged.blob_ids, now)
        insert_messages(connection, mails, blob_ids, now)
        insert_entries(connection, mails, uids)
        receipts = {}
        for (place, work), own in zip(works.items(), uids, strict=False):  # our own mails come last
            plan = work.plan
            job_id = None if plan.job is None else add_job(connection, plan.store_id, plan.job, now)
            for one in leaving[place]:
                add_outgoing(connection, plan.store_id, one, now)
            receipts[place] = Receipt(tuple(uid for uid, _ in own), job_id)
        enter_works(connection, works, receipts, now)
        _touch_stores(connection, mails)
        check_quota(connection, works, mails)
        return receipts


def _touch_stores(connection: Connection, mails: Sequence[Mail]) -> None:
    """Raise the change number, and the size by what was filed, in ascending store id.

    Raises RepeatSinglyError when one of the stores has been removed.
    """
    growth = growth_of(mails)
    rows = [{"store_id": store_id, "added": growth[store_id]} for store_id in sorted(growth)]
    if _GROW_STORE.each(connection, rows) != len(rows):
        raise RepeatSinglyError("a mailbox was removed meanwhile")
