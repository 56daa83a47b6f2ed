"""The hard quota at commit: never after a side effect, and exact when two agents deliver at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import update

from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView
from store.batch import RepeatSinglyError
from store.commit import Committer
from store.mailboxes import Mailbox, find_folder
from store.message import prepare_message
from store.plan import Filing, NewFolder, NewJob, Notice, OofClaim, Outgoing, Receipt, StorePlan
from store.schema import folder, job, ledger, mailbox_entry, mailbox_store, message, outbox, rule
from store.writer import GroupCommitWriter
from tests.support.databases import wait_for_a_waiting_lock
from tests.support.mailboxes import NOW, RAW, TRACE, PostOffice, open_database, outgoing, submission

SIZE = len(RAW) + len(TRACE)
FULL = Receipt(over_quota=True)
OTHER = b"Subject: another\r\n\r\n" + RAW


def limited(
    mailbox: Mailbox, hard: int, key: bytes | None = None, leaving: tuple[Outgoing, ...] = ()
) -> StorePlan:
    filing = Filing(mailbox.folders["Inbox"], TRACE, NOW)
    return StorePlan(mailbox.id, (filing,), outgoing=leaving, ledger_key=key, hard_quota=hard)


@pytest.mark.parametrize(("room", "taken"), [(0, True), (-1, False)])
def test_a_mail_may_fill_a_mailbox_to_the_last_octet(
    post_office: PostOffice, room: int, taken: bool
) -> None:
    mailbox = post_office.mailbox()
    post_office.deliver(mailbox)
    plan = limited(mailbox, 2 * SIZE + room)
    ((receipt,),) = post_office.commit(submission(RAW, plan))
    assert receipt == (Receipt((2,)) if taken else FULL)
    assert post_office.store(mailbox).size == SIZE * (2 if taken else 1)


def test_a_refused_mail_does_nothing_at_all(empty_office: PostOffice) -> None:
    mailbox = empty_office.mailbox()
    leaving = outgoing("ben@example.net", kind="oof", claim=OofClaim("ben@example.net", NOW))
    plan = limited(mailbox, SIZE - 1, b"k" * 32, (leaving,))
    before = empty_office.store(mailbox)
    ((receipt,),) = empty_office.commit(submission(RAW, plan))
    assert receipt == FULL
    assert empty_office.store(mailbox) == before
    for table in (mailbox_entry, message, outbox, ledger):
        assert empty_office.count(table) == 0


def test_for_mail_of_our_own_there_is_always_room(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    own = Filing(find_folder(mailbox, "Sent Items"), b"", NOW)
    copy = Notice(prepare_message(MessageView(OTHER), imap=False), own)
    leaving = replace(outgoing("ben@example.net", kind="oof"), filed=copy)
    plan = limited(mailbox, SIZE, leaving=(leaving,))
    assert post_office.commit(submission(RAW, plan)) == [(Receipt((1,)),)]
    assert post_office.store(mailbox).size == SIZE + len(OTHER)
    assert post_office.commit(submission(RAW, plan)) == [(FULL,)]


def test_of_one_batch_those_that_fit_are_taken_in_their_order(post_office: PostOffice) -> None:
    mailbox, other = post_office.mailbox(), post_office.mailbox()
    hard = 2 * SIZE
    mails = [submission(RAW, limited(mailbox, hard), limited(other, SIZE)) for _ in range(3)]
    receipts = post_office.commit(*mails)
    assert [own.over_quota for own, _ in receipts] == [False, False, True]
    assert [own.over_quota for _, own in receipts] == [False, True, True]


def test_a_repeat_of_what_was_taken_is_answered_in_a_full_mailbox_too(
    post_office: PostOffice,
) -> None:
    mailbox = post_office.mailbox()
    plan = limited(mailbox, SIZE, b"k" * 32)
    assert post_office.commit(submission(RAW, plan)) == [(Receipt((1,)),)]
    assert post_office.commit(submission(RAW, plan)) == [(Receipt((1,), duplicate=True),)]


def test_the_same_mail_twice_in_one_batch_is_refused_twice(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    plan = limited(mailbox, 1, b"k" * 32)
    receipts = post_office.commit(submission(RAW, plan), submission(RAW, plan))
    assert [own.over_quota for (own,) in receipts] == [True, True]


def test_what_files_nothing_needs_no_room(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    post_office.deliver(mailbox)
    new = NewJob("ben@example.net", "room@example.org", "<j@x>", "Kickoff", RAW, TRACE)
    plan = StorePlan(mailbox.id, job=new, hard_quota=1)
    ((receipt,),) = post_office.commit(submission(RAW, plan))
    assert receipt.job_id is not None
    assert post_office.count(job, job.c.store_id == mailbox.id) == 1


def test_somebody_elses_mail_in_between_repeats_the_batch(postgres_url: str) -> None:
    """Between the look and the lock another agent commits: the second look sees it."""
    with open_database(postgres_url) as database:
        office = PostOffice(database)
        mailbox = office.mailbox()
        staged = office.committer.stage([submission(RAW, limited(mailbox, SIZE))])
        grown = update(mailbox_store).where(mailbox_store.c.id == mailbox.id).values(size=5)

        def commit() -> None:
            with database.write() as connection:
                office.committer.apply(connection, staged)

        with ThreadPoolExecutor(1) as pool:
            with database.write() as connection:
                connection.execute(grown)
                late = pool.submit(commit)
                wait_for_a_waiting_lock(database)
            with pytest.raises(RepeatSinglyError, match="has become full meanwhile"):
                late.result(20.0)
        assert office.store(mailbox).size == 5


@pytest.mark.parametrize("room", [1, 2 * SIZE - 1])
def test_what_others_file_in_a_mailbox_does_not_repeat_the_batch(
    post_office: PostOffice, room: int
) -> None:
    """Neither a mailbox that is over its quota and gets nothing, nor one that is filled by a rule of somebody else."""
    one, shared = post_office.mailbox(), post_office.mailbox()
    post_office.deliver(one)
    foreign = Filing(shared.folders["Inbox"], TRACE, NOW, store_id=shared.id)
    moved = StorePlan(one.id, (foreign,), hard_quota=1)
    receipts = post_office.commit(submission(RAW, moved, limited(shared, room)))
    assert receipts == [(Receipt((1,)), FULL if room < SIZE else Receipt((2,)))]


def test_many_writers_never_fill_a_mailbox_beyond_its_quota(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    plan = limited(mailbox, 5 * SIZE)
    writers = [
        GroupCommitWriter(Committer(post_office.database, post_office.blobs), wake=lambda _: None)
        for _ in range(3)
    ]
    futures = [writer.submit(submission(RAW, plan)) for _ in range(8) for writer in writers]
    taken = 0
    for future in futures:
        error = future.exception(30)
        taken += error is None and not future.result()[0].over_quota
        assert error is None or isinstance(error, RepeatSinglyError)
    for writer in writers:
        writer.stop()
    assert post_office.store(mailbox).size == taken * SIZE <= 5 * SIZE
    assert taken >= 4  # the last place may be lost to a race, and the MTA tries again


def test_a_folder_that_is_missing_is_made_once_with_its_parents(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    wanted = Filing(NewFolder(mailbox.id, "Lists/2030"), TRACE, NOW)
    for raw in (RAW, OTHER):
        post_office.commit(submission(raw, StorePlan(mailbox.id, (wanted,))))
    again = post_office.reload(mailbox.id)
    lists = find_folder(again, "Lists/2030")
    assert post_office.count(mailbox_entry, mailbox_entry.c.folder_id == lists) == 2
    assert post_office.count(folder, folder.c.store_id == mailbox.id) == len(mailbox.folders) + 2


def test_a_copy_in_a_foreign_folder_counts_there(post_office: PostOffice) -> None:
    mailbox, shared = post_office.mailbox(), post_office.mailbox()
    own = Filing(mailbox.folders["Inbox"], TRACE, NOW)
    foreign = Filing(
        shared.folders["Inbox"], TRACE, NOW, keywords=("$Important",), store_id=shared.id
    )
    before = post_office.store(shared)
    ((receipt,),) = post_office.commit(submission(RAW, StorePlan(mailbox.id, (own, foreign))))
    assert receipt == Receipt((1, 1))
    assert [post_office.store(one).size for one in (mailbox, shared)] == [SIZE, SIZE]
    assert post_office.store(shared).change_number == before.change_number + 1
    (entry,) = post_office.rows(mailbox_entry, mailbox_entry.c.folder_id == shared.folders["Inbox"])
    assert entry.keywords == "$Important"


def notice(mailbox: Mailbox, rule_id: int | None = None) -> Notice:
    filing = Filing(mailbox.folders["Inbox"], b"", NOW)
    return Notice(prepare_message(MessageView(OTHER), imap=False), filing, rule_id)


def test_a_notice_is_filed_beside_its_mail(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    filing = Filing(mailbox.folders["Inbox"], TRACE, NOW)
    plan = StorePlan(mailbox.id, (filing,), notices=(notice(mailbox),))
    ((receipt,),) = post_office.commit(submission(RAW, plan))
    assert receipt == Receipt((1,))
    assert post_office.read(mailbox, 1) == TRACE + RAW
    assert post_office.read(mailbox, 2) == OTHER
    assert post_office.store(mailbox).size == SIZE + len(OTHER)


def test_that_a_rule_cannot_be_read_is_told_once(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    values = {"store_id": mailbox.id, "sequence": 1, "version": 1, "document": "?"}
    with post_office.database.write() as connection:
        rule_id = connection.execute(rule.insert().returning(rule.c.id), values).scalar_one()
    plan = StorePlan(mailbox.id, notices=(notice(mailbox, rule_id),))
    for _ in range(2):
        post_office.commit(submission(RAW, plan), submission(RAW, plan))
    inbox = mailbox.folders["Inbox"]
    assert post_office.count(mailbox_entry, mailbox_entry.c.folder_id == inbox) == 1


@pytest.mark.parametrize("answered", [False, True])
def test_the_copy_of_an_answer_is_filed_only_when_it_leaves(
    post_office: PostOffice, answered: bool
) -> None:
    mailbox = post_office.mailbox()
    sent = Notice(
        prepare_message(MessageView(OTHER), imap=False),
        Filing(mailbox.folders["Sent Items"], b"", NOW),
    )
    mail = OutgoingMail("", "ben@example.net", OTHER, "<o@x>")
    claim = OofClaim("ben@example.net", 0.0)
    leaving = Outgoing("oof", "away", mail, claim=claim, filed=sent)
    plan = StorePlan(mailbox.id, outgoing=(leaving,))
    for _ in range(2 if answered else 1):
        post_office.commit(submission(RAW, plan))
    copies = mailbox_entry.c.folder_id == mailbox.folders["Sent Items"]
    assert post_office.count(mailbox_entry, copies) == 1
    assert post_office.count(outbox, outbox.c.store_id == mailbox.id) == 1


def test_reports_of_rules_are_claimed_in_one_order(postgres_url: str) -> None:
    """Who has the first of two rules does not wait for who has the second: two agents cannot block each other."""
    with open_database(postgres_url) as database:
        office = PostOffice(database)
        mailbox = office.mailbox()
        values = {"store_id": mailbox.id, "sequence": 1, "version": 1, "document": "?"}
        with database.write() as connection:
            first, second = (
                connection.execute(rule.insert().returning(rule.c.id), values).scalar_one()
                for _ in range(2)
            )
        plans = [StorePlan(mailbox.id, notices=(notice(mailbox, n),)) for n in (second, first)]

        with ThreadPoolExecutor(1) as pool:
            with database.write() as connection:
                told = update(rule).values(reported=True)
                connection.execute(told.where(rule.c.id == first))
                late = pool.submit(office.commit, *(submission(RAW, plan) for plan in plans))
                wait_for_a_waiting_lock(database)
                connection.execute(told.where(rule.c.id == second))
            late.result(20.0)
        assert office.count(mailbox_entry) == 0  # the other agent has told of both
