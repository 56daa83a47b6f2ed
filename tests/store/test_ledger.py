"""Once for the reader: the ledger of deliveries, and the memory of out-of-office answers."""

import hashlib
import threading

import pytest

from mailcore.errors import TemporaryError
from store.batch import RepeatSinglyError
from store.engine import Database
from store.mailboxes import Mailbox
from store.plan import (
    Filing,
    NewJob,
    OofClaim,
    Receipt,
    StorePlan,
    Submission,
    ledger_key,
)
from store.schema import (
    job,
    mailbox_entry,
    oof_memory,
    outbox,
)
from tests.support.databases import wait_for_a_waiting_lock
from tests.support.mailboxes import (
    NOW,
    RAW,
    TRACE,
    PostOffice,
    open_database,
    outgoing,
    plan,
    submission,
)


def uids(office: PostOffice, mailbox: Mailbox) -> list[int]:
    """The UIDs in the Inbox, in their order."""
    inbox = mailbox_entry.c.folder_id == mailbox.folders["Inbox"]
    return sorted(row.uid for row in office.rows(mailbox_entry, inbox))


def test_a_repeat_gets_the_first_uid_and_stores_nothing(post_office: PostOffice) -> None:
    mailbox, other = post_office.mailbox(), post_office.mailbox()
    key = ledger_key("", "ben@example.net", hashlib.sha256(RAW).digest())
    first = post_office.deliver(mailbox, key=key)
    before = (post_office.store(mailbox), post_office.folder(mailbox))
    again = post_office.deliver(mailbox, key=key)
    assert (first.duplicate, again) == (False, Receipt((1,), duplicate=True))
    assert (post_office.store(mailbox), post_office.folder(mailbox)) == before
    assert not post_office.deliver(other, key=key).duplicate  # a mailbox is part of the key


def test_a_repeated_job_and_a_repeated_nothing(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    made = NewJob("b@x", "r@x", "<1@x>", "Hi", RAW, TRACE)
    one = submission(RAW, StorePlan(mailbox.id, job=made, ledger_key=b"j" * 32))
    none = submission(RAW, StorePlan(mailbox.id, ledger_key=b"n" * 32))
    (first,), _ = post_office.commit(one, none)
    (again,), (nothing,) = post_office.commit(one, none)
    assert again == Receipt((), first.job_id, duplicate=True)
    assert nothing == Receipt(duplicate=True)
    assert post_office.count(job, job.c.store_id == mailbox.id) == 1


def test_a_repeat_within_one_batch(post_office: PostOffice) -> None:
    """A client that got no reply in time sends again while the first try still waits."""
    mailbox = post_office.mailbox()
    one = submission(RAW, plan(mailbox, ("Inbox", "Drafts"), key=b"k" * 32))
    by_two_aliases = submission(RAW, *(plan(mailbox, key=b"a" * 32) for _ in range(2)))
    batch = post_office.commit(one, one, by_two_aliases)
    assert batch == [
        (Receipt((1, 1)),),
        (Receipt((1, 1), duplicate=True),),
        (Receipt((2,)), Receipt((2,), duplicate=True)),
    ]
    assert uids(post_office, mailbox) == [1, 2]


@pytest.mark.parametrize(
    ("detail", "mail_from", "sha256"), [("x", "a", b"1"), ("", "b", b"1"), ("", "a", b"2")]
)
def test_the_parts_of_the_ledgers_key(detail: str, mail_from: str, sha256: bytes) -> None:
    assert ledger_key(detail, mail_from, sha256) != ledger_key("", "a", b"1")
    assert ledger_key("", "\ud800", b"") == ledger_key("", "\ud800", b"")


def test_two_agents_commit_the_same_message_at_once(post_office: PostOffice) -> None:
    """However the race ends, one copy is filed, and whoever lost learns of it when it tries again."""
    mailbox = post_office.mailbox()
    url = post_office.database.url.render_as_string(hide_password=False)
    agents = [PostOffice(Database(url)) for _ in range(2)]
    start = threading.Barrier(2)
    receipts: list[Receipt] = []
    again = submission(RAW, plan(mailbox, key=b"r" * 32))

    def deliver(agent: PostOffice) -> None:
        start.wait(10)
        try:
            receipts.extend(agent.commit(again)[0])
        except RepeatSinglyError:
            receipts.extend(agent.commit(again)[0])

    threads = [threading.Thread(target=deliver, args=(agent,)) for agent in agents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for agent in agents:
        agent.database.close()
    assert sorted(receipt.duplicate for receipt in receipts) == [False, True]
    assert {receipt.uids for receipt in receipts} == {(1,)}
    assert uids(post_office, mailbox) == [1]


def test_the_ledger_settles_a_race_that_nobody_saw(postgres_url: str) -> None:
    """Both have looked before either committed: the loser's transaction must not file a copy."""
    with open_database(postgres_url) as database:
        office = PostOffice(database)
        mailbox = office.mailbox()
        filed = submission(RAW, plan(mailbox, key=b"r" * 32))
        deleted_by_a_rule = submission(RAW, StorePlan(mailbox.id, ledger_key=b"r" * 32))
        waiting = threading.Event()
        ends: list[object] = []

        def lose() -> None:
            staged = office.committer.stage([filed])
            waiting.set()
            try:
                with database.write() as connection:
                    ends.append(office.committer.apply(connection, staged))
            except RepeatSinglyError as error:
                ends.append(str(error))

        staged = office.committer.stage([deleted_by_a_rule])
        with database.write() as connection:
            office.committer.apply(connection, staged)
            loser = threading.Thread(target=lose)
            loser.start()
            assert waiting.wait(10)
            wait_for_a_waiting_lock(database)
        loser.join(30)
        assert ends == ["the same message is being committed by another agent"]
        assert uids(office, mailbox) == []


# --- out-of-office answers ----------------------------------------------------------------------


def answer(mailbox: Mailbox, not_since: float, sender: str = "ben@example.net") -> Submission:
    leaving = outgoing(sender, kind="oof", claim=OofClaim(sender, not_since))
    return submission(RAW, StorePlan(mailbox.id, outgoing=(leaving,)))


def answered(office: PostOffice, mailbox: Mailbox) -> list[str]:
    rows = office.rows(outbox, outbox.c.store_id == mailbox.id)
    return [row.rcpt_to for row in sorted(rows, key=lambda row: row.id)]


def test_a_sender_is_answered_once_within_the_time_limit(post_office: PostOffice) -> None:
    mailbox, other = post_office.mailbox(), post_office.mailbox()
    post_office.commit(answer(mailbox, 0.0), answer(mailbox, 0.0))  # two in one batch
    post_office.commit(answer(mailbox, 0.0))
    assert answered(post_office, mailbox) == ["ben@example.net"]
    post_office.commit(answer(mailbox, 0.0, "cleo@example.net"), answer(other, 0.0))
    assert answered(post_office, mailbox) == ["ben@example.net", "cleo@example.net"]
    assert answered(post_office, other) == ["ben@example.net"]


def test_after_the_time_limit_the_sender_is_answered_again(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    post_office.commit(answer(mailbox, 0.0))
    (memory,) = post_office.rows(oof_memory, oof_memory.c.store_id == mailbox.id)
    post_office.commit(answer(mailbox, memory.answered_at - 0.001))
    assert len(answered(post_office, mailbox)) == 1
    post_office.commit(answer(mailbox, memory.answered_at))
    assert len(answered(post_office, mailbox)) == 2
    (later,) = post_office.rows(oof_memory, oof_memory.c.store_id == mailbox.id)
    assert later.answered_at > memory.answered_at


def test_an_answer_that_is_rolled_back_is_not_remembered(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    gone = submission(RAW, StorePlan(mailbox.id, (Filing(-1, b"", NOW),)))
    with pytest.raises(TemporaryError, match="folder -1 was removed"):
        post_office.commit(answer(mailbox, 0.0), gone)
    post_office.commit(answer(mailbox, 0.0))
    assert answered(post_office, mailbox) == ["ben@example.net"]
