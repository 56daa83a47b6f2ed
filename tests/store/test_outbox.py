"""The outbox: what is due, who sends it, and how it ends."""

import threading

import pytest
from sqlalchemy import select, update

from store.engine import db_now
from store.mailboxes import Mailbox
from store.outbox import (
    FAILED,
    QUEUED,
    SENT,
    OutboxEntry,
    lease_due,
    list_outbox,
    mark_deferred,
    mark_failed,
    mark_sent,
    reply_times,
)
from store.schema import outbox
from tests.support.mailboxes import RAW, PostOffice, outgoing, submission

LEASE = 60.0


@pytest.fixture
def office(empty_office: PostOffice) -> PostOffice:
    """Whoever leases takes everybody's mail, so each test needs an outbox of its own."""
    return empty_office


@pytest.fixture
def mailbox(office: PostOffice) -> Mailbox:
    return office.mailbox()


def take(office: PostOffice, limit: int = 10) -> list[OutboxEntry]:
    return lease_due(office.database, limit, LEASE)


def senders(entries: list[OutboxEntry]) -> list[str]:
    return [entry.mail.rcpt_to for entry in entries]


def shift(office: PostOffice, rcpt_to: str, column: str, seconds: float) -> None:
    """Set a deadline of a mail `seconds` from now, by the database's clock."""
    with office.database.write() as connection:
        connection.execute(
            update(outbox).where(outbox.c.rcpt_to == rcpt_to).values({column: db_now() + seconds})
        )


def only(office: PostOffice) -> OutboxEntry:
    with office.database.read() as connection:
        (entry,) = list_outbox(connection)
    return entry


def test_a_mail_is_due_at_once_and_comes_out_as_it_went_in(
    office: PostOffice, mailbox: Mailbox
) -> None:
    office.send(mailbox)
    (entry,) = take(office)
    leaving = outgoing()
    assert (entry.mail, entry.kind, entry.subject) == (leaving.mail, "reply", "Re")
    assert (entry.store_id, entry.state, entry.attempts) == (mailbox.id, QUEUED, 0)


def test_the_oldest_that_are_due_go_first(office: PostOffice, mailbox: Mailbox) -> None:
    for name in ("a@x", "b@x", "c@x", "d@x"):
        office.send(mailbox, rcpt_to=name)
    shift(office, "c@x", "next_attempt_at", -100.0)
    shift(office, "b@x", "next_attempt_at", 100.0)
    assert senders(take(office, limit=2)) == ["a@x", "c@x"]  # by id within one take
    assert senders(take(office, limit=2)) == ["d@x"]


def test_what_is_leased_is_passed_over_until_the_lease_ends(
    office: PostOffice, mailbox: Mailbox
) -> None:
    office.send(mailbox, rcpt_to="a@x")
    (mine,) = take(office)
    office.send(mailbox, rcpt_to="b@x")
    assert senders(take(office)) == ["b@x"]
    assert take(office) == []
    shift(office, "a@x", "lease_until", -0.001)
    (again,) = take(office)
    assert (again.id, again.lease_token == mine.lease_token) == (mine.id, False)
    mark_sent(office.database, [(mine, "250 too late")])
    mark_deferred(office.database, mine, 1.0, "451 too late")
    with office.database.write() as connection:
        assert not mark_failed(connection, mine, "550 too late")
    (row,) = office.rows(outbox, outbox.c.id == mine.id)
    assert (row.state, row.attempts, row.last_reply) == (QUEUED, 0, "")


def test_a_mail_that_was_sent(office: PostOffice, mailbox: Mailbox) -> None:
    office.send(mailbox)
    (entry,) = take(office)
    mark_sent(office.database, [(entry, "250 queued as 7")])
    found = only(office)
    assert (found.state, found.attempts, found.last_reply) == (SENT, 1, "250 queued as 7")
    assert found.finished_at is not None
    assert take(office) == []


def test_a_mail_that_never_leaves(office: PostOffice, mailbox: Mailbox) -> None:
    office.send(mailbox)
    (entry,) = take(office)
    with office.database.write() as connection:
        assert mark_failed(connection, entry, "550 no such user")
    with office.database.write() as connection:
        assert not mark_failed(connection, entry, "550 again")  # the owner is told once
    assert (only(office).state, only(office).last_reply) == (FAILED, "550 no such user")


def test_a_mail_that_is_tried_again_later(office: PostOffice, mailbox: Mailbox) -> None:
    office.send(mailbox, rcpt_to="a@x")
    (entry,) = take(office)
    mark_deferred(office.database, entry, 300.0, "451 later")
    found = only(office)
    assert (found.state, found.attempts, found.last_reply) == (QUEUED, 1, "451 later")
    with office.database.read() as connection:
        left = found.next_attempt_at - connection.execute(select(db_now())).scalar_one()
    assert 290.0 < left <= 300.0
    assert take(office) == []
    shift(office, "a@x", "next_attempt_at", -1.0)
    assert senders(take(office)) == ["a@x"]


def test_spoolers_side_by_side_share_the_work(office: PostOffice, mailbox: Mailbox) -> None:
    plans = [outgoing(f"{number}@x") for number in range(20)]
    for leaving in plans:
        office.send(mailbox, rcpt_to=leaving.mail.rcpt_to)
    taken: list[OutboxEntry] = []

    def spool() -> None:
        while found := lease_due(office.database, 3, LEASE):
            taken.extend(found)

    threads = [threading.Thread(target=spool) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    taken.extend(take(office, 20))  # a spooler ends early when the others hold all it looked at
    assert sorted(senders(taken)) == sorted(leaving.mail.rcpt_to for leaving in plans)


def test_the_times_of_replies_to_one_address(office: PostOffice, mailbox: Mailbox) -> None:
    for name, kind in (("a@x", "reply"), ("a@x", "oof"), ("b@x", "reply"), ("a@x", "reply")):
        office.commit(submission(RAW))
        office.send(mailbox, rcpt_to=name, kind=kind)
    with office.database.read() as connection:
        times = reply_times(connection, "reply", "a@x", 0.0)
        assert len(times) == 2
        assert times == sorted(times)
        assert reply_times(connection, "reply", "a@x", times[1]) == times[1:]
