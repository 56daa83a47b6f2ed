"""Committing plans: single instance, UIDs and modification sequences, sizes."""

import hashlib
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from store.batch import RepeatSinglyError
from store.blobs import BlobStore
from store.commit import Committer
from store.mailboxes import Mailbox, create_folder
from store.plan import (
    SEEN,
    Filing,
    NewJob,
    Receipt,
    StorePlan,
)
from store.schema import (
    blob,
    folder,
    imap_copy,
    job,
    ledger,
    mailbox_entry,
    message,
    message_body,
)
from tests.support.mailboxes import (
    NOW,
    RAW,
    TRACE,
    PostOffice,
    plan,
    submission,
)

ATTACHED = (
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee below.\r\n--b\r\n"
    b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"JVBERi0xLjcK\r\n--b--\r\n"
)


def entries(office: PostOffice, mailbox: Mailbox, path: str = "Inbox") -> list[Any]:
    rows = office.rows(mailbox_entry, mailbox_entry.c.folder_id == mailbox.folders[path])
    return sorted(rows, key=lambda row: row.uid)


def test_one_message_to_three_recipients_is_stored_once(empty_office: PostOffice) -> None:
    office = empty_office
    mailboxes = [office.mailbox() for _ in range(3)]
    plans = [plan(mailbox, imap=number == 2) for number, mailbox in enumerate(mailboxes)]
    (receipts,) = office.commit(submission(ATTACHED, *plans, imap=True))
    assert receipts == (Receipt((1,)),) * 3
    assert [office.count(t) for t in (message, message_body, blob, imap_copy)] == [1, 2, 3, 1]
    assert {entries(office, m)[0].message_id for m in mailboxes} == {office.rows(message)[0].id}
    assert [entries(office, m)[0].imap for m in mailboxes] == [False, False, True]
    assert {office.read(m, 1) for m in mailboxes} == {TRACE + ATTACHED}
    digests = {row.sha256 for row in office.rows(blob)}
    assert hashlib.sha256(b"%PDF-1.7\n").digest() in digests


def test_a_row_says_what_the_plan_said(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    filing = Filing(mailbox.folders["Inbox"], TRACE, NOW, internal_zone=120, flags=SEEN)
    post_office.commit(submission(RAW, StorePlan(mailbox.id, (filing,))))
    (row,) = entries(post_office, mailbox)
    said = (row.internal_date, row.internal_zone, row.flags, row.trace, row.size, row.deleted_at)
    assert said == (NOW, 120, SEEN, TRACE, len(TRACE + RAW), None)
    (stored,) = post_office.rows(message, message.c.id == row.message_id)
    assert (stored.subject, stored.sender) == ("Lunch", "ben@example.net")
    assert stored.sha256 == hashlib.sha256(RAW).digest()


def test_uids_follow_each_other_and_sequences_rise_with_them(post_office: PostOffice) -> None:
    first, second = post_office.mailbox(), post_office.mailbox()
    (ones, twos) = post_office.commit(
        submission(RAW, plan(second, ("Inbox", "Sent Items")), plan(first)),
        submission(ATTACHED, plan(first)),
    )
    assert [receipt.uids for receipt in (*ones, *twos)] == [(1, 1), (1,), (2,)]
    assert [row.modseq for row in entries(post_office, first)] == [2, 2]  # one batch, one step
    post_office.deliver(first)
    assert [(row.uid, row.modseq) for row in entries(post_office, first)] == [
        (1, 2),
        (2, 2),
        (3, 3),
    ]
    inbox = post_office.folder(first)
    assert (inbox.uidnext, inbox.highest_modseq) == (4, 3)
    assert post_office.folder(first, "Drafts").highest_modseq == 1  # nothing came there
    assert post_office.store(first).change_number == 2


def test_a_uid_is_never_used_again(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    assert [post_office.deliver(mailbox).uids for _ in range(2)] == [(1,), (2,)]
    with post_office.database.write() as connection:
        connection.execute(
            delete(mailbox_entry).where(mailbox_entry.c.folder_id == mailbox.folders["Inbox"])
        )
    assert post_office.deliver(mailbox).uids == (3,)
    broken = StorePlan(mailbox.id, (*plan(mailbox).filings, Filing(-1, b"", NOW)))
    with pytest.raises(RepeatSinglyError):
        post_office.commit(submission(RAW, broken))
    assert post_office.deliver(mailbox).uids == (4,)  # what was rolled back has used none


def test_a_plan_may_file_nothing(post_office: PostOffice) -> None:
    """A rule that deletes, or a mail that is a job only: no message is stored, but it is known."""
    mailbox = post_office.mailbox()
    raw = b"X: filed nowhere\r\n\r\nbody"
    digest = hashlib.sha256(raw).digest()
    job_plan = StorePlan(mailbox.id, job=NewJob("b@x", "r@x", "<1@x>", "Hi", raw, TRACE))
    (dropped, queued), _ = post_office.commit(
        submission(raw, StorePlan(mailbox.id, ledger_key=b"d" * 32), job_plan), submission(RAW)
    )
    assert dropped == Receipt()
    assert queued.job_id is not None
    assert not post_office.rows(message, message.c.sha256 == digest)
    (row,) = post_office.rows(job, job.c.id == queued.job_id)
    assert (row.state, row.size, row.trace, row.subject) == ("pending", len(raw), TRACE, "Hi")
    assert post_office.store(mailbox).size == 0
    assert post_office.store(mailbox).change_number == 1


def test_nothing_is_committed_for_nothing(post_office: PostOffice) -> None:
    assert post_office.commit() == []
    assert post_office.commit(submission(RAW)) == [()]


# --- sizes --------------------------------------------------------------------------------------

_PLAN = st.tuples(
    st.integers(0, 2),  # whose mailbox
    st.lists(st.sampled_from(["Inbox", "Drafts", "Junk E-mail"]), max_size=3),
    st.sampled_from([b"", TRACE, TRACE * 2]),
    st.sampled_from([None, b"k" * 32]),
)
_MESSAGE = st.tuples(st.sampled_from([b"", RAW, ATTACHED]), st.lists(_PLAN, max_size=3))


@settings(max_examples=15, deadline=None)
@given(history=st.lists(st.lists(_MESSAGE, max_size=3), max_size=4))
def test_sizes_and_uids_are_what_a_recount_gives(
    post_office: PostOffice, history: list[list[tuple[bytes, list[Any]]]]
) -> None:
    mailboxes = [post_office.mailbox() for _ in range(3)]
    for batch in history:
        post_office.commit(
            *(
                submission(
                    raw,
                    *(
                        plan(mailboxes[who], paths, trace=t, key=key)
                        for who, paths, t, key in plans
                    ),
                )
                for raw, plans in batch
            )
        )
    for mailbox in mailboxes:
        assert post_office.store(mailbox).size == recount(post_office, mailbox)
        for path in mailbox.folders:
            uids = [row.uid for row in entries(post_office, mailbox, path)]
            assert uids == list(range(1, post_office.folder(mailbox, path).uidnext))
        repeated = post_office.count(ledger, ledger.c.store_id == mailbox.id)
        assert repeated <= 1  # there is one key


def recount(office: PostOffice, mailbox: Mailbox) -> int:
    query = (
        select(func.coalesce(func.sum(mailbox_entry.c.size), 0))
        .join_from(mailbox_entry, folder)
        .where(folder.c.store_id == mailbox.id)
    )
    with office.database.read() as connection:
        return int(connection.execute(query).scalar_one())


# --- mail composed within a transaction ---------------------------------------------------------


def test_ids_reserved_ahead_serve_mail_that_only_the_transaction_can_compose(
    post_office: PostOffice,
) -> None:
    mailbox = post_office.mailbox()
    committer = Committer(post_office.database, BlobStore(None, 0))
    reserved = committer.reserve(1, 2)
    with post_office.database.write() as connection:
        inner = create_folder(connection, mailbox.id, "Made just now")
        filing = StorePlan(mailbox.id, (Filing(inner, b"", NOW),))
        staged = committer.stage([submission(ATTACHED, filing)], reserved)
        receipts: Sequence[tuple[Receipt, ...]] = committer.apply(connection, staged)
    assert receipts == [(Receipt((1,)),)]
    assert post_office.read(post_office.reload(mailbox.id), 1, "Made just now") == ATTACHED
