"""Committing plans: all rows of a batch of messages, one executemany per table, in one order of locks.

The order is: folders by ascending id, blobs by hash, then inserts, then the mailbox stores by ascending id.  Every
writer of mail goes through here, so the folders' UIDs and modification sequences, the store's size and its change
number are always raised together with the mail.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, bindparam, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from mailcore.address import address_key
from mailcore.errors import TemporaryError
from store.blobs import BlobStore
from store.counters import IdBlocks
from store.engine import Database
from store.message import NewBlob, NewMessage
from store.packing import pack_content
from store.plan import Filing, OofClaim, Outgoing, Receipt, StorePlan, Submission
from store.schema import (
    folder,
    imap_copy,
    job,
    ledger,
    mailbox_entry,
    mailbox_store,
    message,
    message_body,
    oof_memory,
    outbox,
)

_KEYS_AT_ONCE = 400

# Statements of every batch, made once: building them costs as much as running them.
_KNOWN_KEYS = select(ledger.c.store_id, ledger.c.key, ledger.c.uid, ledger.c.job_id).where(
    tuple_(ledger.c.store_id, ledger.c.key).in_(bindparam("keys", expanding=True))
)
_RAISE_FOLDER = (
    update(folder)
    .where(folder.c.id == bindparam("folder_id"))
    .values(
        uidnext=folder.c.uidnext + bindparam("count"), highest_modseq=folder.c.highest_modseq + 1
    )
    .returning(folder.c.uidnext, folder.c.highest_modseq)
)
_GROW_STORE = (
    update(mailbox_store)
    .where(mailbox_store.c.id == bindparam("store_id"))
    .values(
        change_number=mailbox_store.c.change_number + 1,
        size=mailbox_store.c.size + bindparam("added"),
    )
)
_INSERT_MESSAGE = insert(message)
_INSERT_BODY = insert(message_body)
_INSERT_COPY = insert(imap_copy)
_INSERT_ENTRY = insert(mailbox_entry)
_INSERT_KEY = {
    "postgresql": postgresql.insert(ledger).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(ledger).on_conflict_do_nothing(),
}
_COUNTED = {"preserve_rowcount": True}  # an INSERT's row count is dropped otherwise


class RepeatSinglyError(TemporaryError):
    """One submission cannot be committed as planned; the others of its batch can."""


@dataclass(frozen=True, slots=True)
class _Work:
    """One plan that is to be carried out (not a repeat), and the id of its message."""

    plan: StorePlan
    message_id: int
    message: NewMessage


class Committer:
    """Turns submissions into rows within a transaction that the caller owns."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self.database = database
        self.blobs = blobs
        self._message_ids = IdBlocks(database, "message")
        self._blob_ids = IdBlocks(database, "blob")

    def reserve(self, messages: int, blobs: int) -> "Reserved":
        """Allocate ids; must be called outside a transaction."""
        return Reserved(self._message_ids.take(messages), self._blob_ids.take(blobs))

    def stage(
        self, submissions: Sequence[Submission], reserved: "Reserved | None" = None
    ) -> "StagedBatch":
        """Do what must happen before the transaction: large blobs on disk, ids at hand.

        With ids reserved earlier this may be called inside a transaction, for mail that only it can compose.
        """
        blobs = tuple(b for s in submissions for b in blobs_of(s.message))
        self.blobs.write_files(blobs)
        if reserved is None:
            reserved = self.reserve(len(submissions), len(blobs))
        return StagedBatch(tuple(submissions), reserved.message_ids, blobs, reserved.blob_ids)

    def apply(self, connection: Connection, staged: "StagedBatch") -> list[tuple[Receipt, ...]]:
        """Write a staged batch; return the receipts, per submission in the order of its plans.

        Raises TemporaryError (RepeatSinglyError among them); the caller's transaction must then be rolled back.
        """
        now = time.time()
        repeats = _find_repeats(connection, staged.submissions)
        works, receipts, again = _select_work(staged, repeats)
        if works:
            self._write(connection, staged, works, receipts, now)
        for place, first in again.items():
            receipts[place] = replace(receipts[first], duplicate=True)
        return [
            tuple(receipts[index, position] for position in range(len(submission.plans)))
            for index, submission in enumerate(staged.submissions)
        ]

    def _write(
        self,
        connection: Connection,
        staged: "StagedBatch",
        works: dict[tuple[int, int], _Work],
        receipts: dict[tuple[int, int], Receipt],
        now: float,
    ) -> None:
        uids = _allocate_uids(connection, works)
        blob_ids = self.blobs.insert_rows(connection, staged.blobs, staged.blob_ids, now)
        _insert_messages(connection, works, blob_ids, now)
        _insert_entries(connection, works, uids)
        for place, work in works.items():
            job_id = _insert_job(connection, work.plan, now)
            _insert_outgoing(connection, work.plan, now)
            receipts[place] = Receipt(tuple(uid for uid, _ in uids[place]), job_id)
        _insert_ledger(connection, works, receipts, now)
        _touch_stores(connection, works)


@dataclass(frozen=True, slots=True)
class Reserved:
    """Ids for messages and blobs that are not known yet."""

    message_ids: range
    blob_ids: range


@dataclass(frozen=True, slots=True)
class StagedBatch:
    """Submissions whose files are on disk and whose ids are allocated."""

    submissions: tuple[Submission, ...]
    message_ids: range
    blobs: tuple[NewBlob, ...]
    blob_ids: range


def blobs_of(new: NewMessage) -> list[NewBlob]:
    """Every blob a message is made of, the IMAP copy included."""
    blobs = [body.blob for body in new.bodies]
    if new.raw is not None:
        blobs.append(new.raw)
    return blobs


def _find_repeats(
    connection: Connection, submissions: Sequence[Submission]
) -> dict[tuple[int, bytes], Receipt]:
    keys = [
        (plan.store_id, plan.ledger_key)
        for submission in submissions
        for plan in submission.plans
        if plan.ledger_key is not None
    ]
    repeats: dict[tuple[int, bytes], Receipt] = {}
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        some = keys[start : start + _KEYS_AT_ONCE]
        for row in connection.execute(_KNOWN_KEYS, {"keys": some}):
            uids = () if row.uid is None else (row.uid,)
            repeats[row.store_id, row.key] = Receipt(uids, row.job_id, duplicate=True)
    return repeats


def _select_work(
    staged: StagedBatch, repeats: dict[tuple[int, bytes], Receipt]
) -> tuple[
    dict[tuple[int, int], _Work],
    dict[tuple[int, int], Receipt],
    dict[tuple[int, int], tuple[int, int]],
]:
    """Part the plans into those to carry out, those answered by the ledger, and repeats within the batch.

    The last are given as {place: place of the first}.
    """
    works: dict[tuple[int, int], _Work] = {}
    receipts: dict[tuple[int, int], Receipt] = {}
    again: dict[tuple[int, int], tuple[int, int]] = {}
    first: dict[tuple[int, bytes], tuple[int, int]] = {}
    for index, submission in enumerate(staged.submissions):
        for position, plan in enumerate(submission.plans):
            if plan.ledger_key is not None:
                key = (plan.store_id, plan.ledger_key)
                if key in repeats:
                    receipts[index, position] = repeats[key]
                    continue
                if key in first:
                    again[index, position] = first[key]
                    continue
                first[key] = (index, position)
            works[index, position] = _Work(plan, staged.message_ids[index], submission.message)
    return works, receipts, again


def _allocate_uids(
    connection: Connection, works: dict[tuple[int, int], _Work]
) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """Raise the folders in ascending id; return (uid, modseq) per filing of each work."""
    wanted: dict[int, int] = {}
    for work in works.values():
        for filing in work.plan.filings:
            wanted[filing.folder_id] = wanted.get(filing.folder_id, 0) + 1
    state: dict[int, tuple[int, int]] = {}
    for folder_id in sorted(wanted):
        wish = {"folder_id": folder_id, "count": wanted[folder_id]}
        row = connection.execute(_RAISE_FOLDER, wish).first()
        if row is None:
            raise RepeatSinglyError(f"folder {folder_id} was removed meanwhile")
        state[folder_id] = (row.uidnext - wanted[folder_id], row.highest_modseq)
    uids: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for place, work in works.items():
        uids[place] = []
        for filing in work.plan.filings:
            uid, modseq = state[filing.folder_id]
            state[filing.folder_id] = (uid + 1, modseq)
            uids[place].append((uid, modseq))
    return uids


def _insert_messages(
    connection: Connection,
    works: dict[tuple[int, int], _Work],
    blob_ids: dict[bytes, int],
    now: float,
) -> None:
    """Insert each message that is filed somewhere, its bodies, and its IMAP copy where one was asked for."""
    filed = {w.message_id: w.message for w in works.values() if w.plan.filings}
    if not filed:
        return
    connection.execute(
        _INSERT_MESSAGE, [_message_row(new_id, new, now) for new_id, new in filed.items()]
    )
    bodies = [
        {
            "message_id": new_id,
            "position": position,
            "blob_id": blob_ids[body.blob.sha256],
            "skeleton_offset": body.offset,
            "encoding": body.encoding,
            "line_length": body.line_length,
            "ending": body.ending,
        }
        for new_id, new in filed.items()
        for position, body in enumerate(new.bodies)
    ]
    if bodies:
        connection.execute(_INSERT_BODY, bodies)
    copies = [_imap_row(new_id, new, blob_ids) for new_id, new in filed.items() if new.imap]
    if copies:
        connection.execute(_INSERT_COPY, copies)


def _message_row(new_id: int, new: NewMessage, now: float) -> dict[str, object]:
    return {
        "id": new_id,
        "sha256": new.sha256,
        "size": new.size,
        "skeleton": new.skeleton,
        "skeleton_codec": new.skeleton_codec,
        "message_id": new.message_id,
        "subject": new.subject,
        "sender": new.sender,
        "recipients": new.recipients,
        "sent_at": new.sent_at,
        "created_at": now,
    }


def _imap_row(new_id: int, new: NewMessage, blob_ids: dict[bytes, int]) -> dict[str, object]:
    assert new.imap is not None
    return {
        "message_id": new_id,
        "blob_id": blob_ids[new.sha256],
        "size": new.imap.size,
        "header": new.imap.header,
        "envelope": new.imap.envelope,
        "body": new.imap.body,
        "bodystructure": new.imap.bodystructure,
        "sections": json.dumps(new.imap.sections),
    }


def _insert_entries(
    connection: Connection,
    works: dict[tuple[int, int], _Work],
    uids: dict[tuple[int, int], list[tuple[int, int]]],
) -> None:
    rows = [
        _entry_row(work, filing, uid, modseq)
        for place, work in works.items()
        for filing, (uid, modseq) in zip(work.plan.filings, uids[place], strict=True)
    ]
    if rows:
        connection.execute(_INSERT_ENTRY, rows)


def _entry_row(work: _Work, filing: Filing, uid: int, modseq: int) -> dict[str, object]:
    return {
        "folder_id": filing.folder_id,
        "uid": uid,
        "message_id": work.message_id,
        "modseq": modseq,
        "flags": filing.flags,
        "internal_date": filing.internal_date,
        "internal_zone": filing.internal_zone,
        "trace": filing.trace,
        "size": len(filing.trace) + work.message.size,
        "imap": filing.imap and work.message.imap is not None,
    }


def _insert_job(connection: Connection, plan: StorePlan, now: float) -> int | None:
    if plan.job is None:
        return None
    row = {
        "store_id": plan.store_id,
        "state": "pending",
        "mail_from": plan.job.mail_from,
        "rcpt_to": plan.job.rcpt_to,
        "message_id": plan.job.message_id,
        "subject": plan.job.subject,
        "size": len(plan.job.content),
        "content": pack_content(plan.job.content),
        "trace": plan.job.trace,
        "created_at": now,
        "tried_since": now,
    }
    return int(connection.execute(insert(job).returning(job.c.id), row).scalar_one())


def _insert_outgoing(connection: Connection, plan: StorePlan, now: float) -> None:
    for leaving in plan.outgoing:
        if leaving.claim is None or _claim(connection, plan.store_id, leaving.claim, now):
            insert_outgoing(connection, plan.store_id, leaving, now)


def insert_outgoing(connection: Connection, store_id: int, leaving: Outgoing, now: float) -> int:
    """Put one mail into the outbox; return its id."""
    row = {
        "store_id": store_id,
        "job_id": leaving.job_id,
        "kind": leaving.kind,
        "mail_from": leaving.mail.mail_from,
        "rcpt_to": leaving.mail.rcpt_to,
        "rcpt_key": address_key(leaving.mail.rcpt_to),
        "message_id": leaving.mail.message_id,
        "subject": leaving.subject,
        "content": leaving.mail.content,
        "state": "queued",
        "next_attempt_at": max(now, leaving.not_before),
        "created_at": now,
    }
    return int(connection.execute(insert(outbox).returning(outbox.c.id), row).scalar_one())


def _claim(connection: Connection, store_id: int, claim: OofClaim, now: float) -> bool:
    """Remember that this sender is answered now; False when an answer has gone out since `not_since`."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(oof_memory).values(
        store_id=store_id, sender_key=claim.sender_key, answered_at=now
    )
    claimed = connection.execute(
        statement.on_conflict_do_update(
            index_elements=[oof_memory.c.store_id, oof_memory.c.sender_key],
            set_={"answered_at": now},
            where=oof_memory.c.answered_at <= claim.not_since,
        ),
        execution_options=_COUNTED,
    )
    return claimed.rowcount == 1


def _insert_ledger(
    connection: Connection,
    works: dict[tuple[int, int], _Work],
    receipts: dict[tuple[int, int], Receipt],
    now: float,
) -> None:
    rows = [
        {
            "store_id": work.plan.store_id,
            "key": work.plan.ledger_key,
            "uid": receipts[place].uids[0] if receipts[place].uids else None,
            "job_id": receipts[place].job_id,
            "created_at": now,
        }
        for place, work in sorted(works.items(), key=_ledger_order)
        if work.plan.ledger_key is not None
    ]
    if not rows:
        return
    statement = _INSERT_KEY[connection.dialect.name]
    inserted = connection.execute(statement, rows, execution_options=_COUNTED)
    if inserted.rowcount != len(rows):
        raise RepeatSinglyError("the same message is being committed by another agent")


def _ledger_order(item: tuple[tuple[int, int], _Work]) -> tuple[int, bytes]:
    plan = item[1].plan
    return plan.store_id, plan.ledger_key or b""


def _touch_stores(connection: Connection, works: dict[tuple[int, int], _Work]) -> None:
    """Raise the change number, and the size by what was filed, in ascending store id."""
    growth: dict[int, int] = {}
    for work in works.values():
        added = sum(len(f.trace) + work.message.size for f in work.plan.filings)
        growth[work.plan.store_id] = growth.get(work.plan.store_id, 0) + added
    rows = [{"store_id": store_id, "added": growth[store_id]} for store_id in sorted(growth)]
    connection.execute(_GROW_STORE, rows)
