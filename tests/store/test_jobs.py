"""Jobs: who may work on a resource, for how long, and how a job ends."""

from collections.abc import Callable

import pytest
from sqlalchemy import update

from mailcore.errors import UsageError
from store.engine import db_now
from store.jobs import (
    DONE,
    PENDING,
    Job,
    JobRecord,
    LeaseLostError,
    finish_job,
    lease_jobs,
    list_jobs,
    load_job,
    postpone_job,
    release_jobs,
    retry_job,
    waiting_resources,
)
from store.mailboxes import Mailbox
from store.schema import job
from tests.support.mailboxes import RAW, TRACE, PostOffice

LEASE = 60.0


def record(office: PostOffice, job_id: int) -> JobRecord:
    with office.database.read() as connection:
        return load_job(connection, job_id)[0]


def leased(office: PostOffice, room: Mailbox, seconds: float = LEASE) -> list[Job]:
    return lease_jobs(office.database, room.id, seconds)


def ids(jobs: list[Job]) -> list[int]:
    return [one.id for one in jobs]


def let_time_pass(office: PostOffice, column: str, **where: int) -> None:
    """Set a deadline of a job into the past, by the database's clock."""
    with office.database.write() as connection:
        connection.execute(
            update(job).where(job.c.id == where["job_id"]).values({column: db_now() - 0.001})
        )


def finish(office: PostOffice, work: Job) -> None:
    with office.database.write() as connection:
        finish_job(connection, work, "accepted", "because")


def test_jobs_are_leased_in_the_order_they_came(post_office: PostOffice) -> None:
    room, other = post_office.mailbox(), post_office.mailbox()
    queued = [post_office.queue(room, RAW + b"%d" % number) for number in range(3)]
    post_office.queue(other)
    jobs = leased(post_office, room)
    assert ids(jobs) == queued
    assert [one.content for one in jobs] == [RAW + b"0", RAW + b"1", RAW + b"2"]
    assert {(one.store_id, one.mail_from, one.rcpt_to, one.trace) for one in jobs} == {
        (room.id, "ben@example.net", "room@example.org", TRACE)
    }
    assert len({one.lease_token for one in jobs}) == 1


def test_one_lease_takes_a_limited_number(post_office: PostOffice) -> None:
    room = post_office.mailbox()
    queued = [post_office.queue(room) for _ in range(18)]
    first = leased(post_office, room)
    assert ids(first) == queued[:16]
    for work in first:
        finish(post_office, work)
    assert ids(leased(post_office, room)) == queued[16:]


def test_a_leased_head_keeps_everybody_away(post_office: PostOffice) -> None:
    room, other = post_office.mailbox(), post_office.mailbox()
    first, second = post_office.queue(room), post_office.queue(room)
    mine = leased(post_office, room)
    assert leased(post_office, room) == []
    post_office.queue(room)
    assert leased(post_office, room) == []  # not even what came later
    assert ids(leased(post_office, other)) == []
    assert other.id not in waiting_resources(post_office.database)
    release_jobs(post_office.database, mine[1:])
    assert leased(post_office, room) == []  # the head is still worked on
    release_jobs(post_office.database, mine)
    assert ids(leased(post_office, room))[:2] == [first, second]


def test_a_lease_ends_by_the_databases_clock(post_office: PostOffice) -> None:
    room = post_office.mailbox()
    job_id = post_office.queue(room)
    (mine,) = leased(post_office, room)
    assert leased(post_office, room) == []
    let_time_pass(post_office, "lease_until", job_id=job_id)
    (theirs,) = leased(post_office, room)
    assert theirs.lease_token != mine.lease_token
    with pytest.raises(LeaseLostError, match=f"job {job_id} was taken over"):
        finish(post_office, mine)
    finish(post_office, theirs)
    assert record(post_office, job_id).state == DONE


def test_what_was_done_under_a_lost_lease_is_rolled_back(post_office: PostOffice) -> None:
    room = post_office.mailbox()
    job_id = post_office.queue(room)
    (mine,) = leased(post_office, room)
    release_jobs(post_office.database, [mine])
    with pytest.raises(LeaseLostError), post_office.database.write() as connection:
        connection.execute(update(job).where(job.c.id == job_id).values(reason="half"))
        finish_job(connection, mine, "accepted")
    assert record(post_office, job_id).reason == ""


def test_a_finished_job_forgets_its_message_but_not_its_fate(post_office: PostOffice) -> None:
    room = post_office.mailbox()
    job_id = post_office.queue(room)
    (mine,) = leased(post_office, room)
    finish(post_office, mine)
    with post_office.database.read() as connection:
        found, content = load_job(connection, job_id)
    assert (found.state, found.fate, found.reason, content) == (DONE, "accepted", "because", None)
    assert found.finished_at is not None
    assert found.size == len(RAW)
    assert leased(post_office, room) == []
    with pytest.raises(LeaseLostError):
        finish(post_office, mine)  # once only


def test_a_postponed_job_holds_up_those_behind_it(post_office: PostOffice) -> None:
    room = post_office.mailbox()
    first, second = post_office.queue(room), post_office.queue(room)
    mine = leased(post_office, room)
    postpone_job(post_office.database, mine[0], 30.0, "database busy")
    release_jobs(post_office.database, mine[1:])
    found = record(post_office, first)
    assert (found.state, found.attempts, found.reason) == (PENDING, 1, "database busy")
    assert leased(post_office, room) == []
    let_time_pass(post_office, "not_before", job_id=first)
    again = leased(post_office, room)
    assert ids(again) == [first, second]
    assert (again[0].attempts, again[0].tried_since) == (1, mine[0].tried_since)


def test_only_the_holder_postpones_and_releases(post_office: PostOffice) -> None:
    room = post_office.mailbox()
    job_id = post_office.queue(room)
    (mine,) = leased(post_office, room)
    let_time_pass(post_office, "lease_until", job_id=job_id)
    leased(post_office, room)
    postpone_job(post_office.database, mine, 30.0, "late")
    release_jobs(post_office.database, [mine])
    assert record(post_office, job_id).attempts == 0
    assert leased(post_office, room) == []  # the new holder's lease stands


def test_an_administrator_makes_a_job_due(post_office: PostOffice) -> None:
    room = post_office.mailbox()
    job_id = post_office.queue(room)
    (mine,) = leased(post_office, room)
    postpone_job(post_office.database, mine, 3600.0, "no")
    assert room.id not in waiting_resources(post_office.database)
    with post_office.database.write() as connection:
        retry_job(connection, job_id)
    assert room.id in waiting_resources(post_office.database)
    (again,) = leased(post_office, room)
    assert (again.attempts, again.tried_since > mine.tried_since) == (0, True)
    finish(post_office, again)
    assert room.id not in waiting_resources(post_office.database)


@pytest.mark.parametrize("act", [retry_job, load_job])
def test_an_unknown_job_is_named(post_office: PostOffice, act: Callable[..., object]) -> None:
    missing = pytest.raises(UsageError, match="no job 999999; --list-jobs")
    with post_office.database.write() as connection, missing:
        act(connection, 999_999)


def test_a_job_that_is_done_is_not_tried_again(post_office: PostOffice) -> None:
    room = post_office.mailbox()
    job_id = post_office.queue(room)
    finish(post_office, leased(post_office, room)[0])
    done = pytest.raises(UsageError, match=r"is done \(accepted\)")
    with post_office.database.write() as connection, done:
        retry_job(connection, job_id)


def test_jobs_are_listed_by_id(post_office: PostOffice) -> None:
    room, other = post_office.mailbox(), post_office.mailbox()
    queued = [post_office.queue(one) for one in (room, other, room)]
    with post_office.database.read() as connection:
        mine = [found.id for found in list_jobs(connection, room.id)]
        everything = [found.id for found in list_jobs(connection)]
        assert load_job(connection, queued[1])[1] == RAW
    assert mine == [queued[0], queued[2]]
    assert everything == sorted(everything)
    assert set(queued) <= set(everything)
