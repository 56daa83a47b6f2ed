"""The group-commit writer: who gets which answer, and when."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailcore.errors import TemporaryError
from mailcore.outgoing import OutgoingMail
from store.batch import RepeatSinglyError, StagedBatch
from store.engine import Database
from store.mailboxes import Mailbox
from store.plan import Filing, NewJob, Outgoing, Receipt, StorePlan, Submission
from store.schema import mailbox_entry
from store.writer import GroupCommitWriter, Receipts
from tests.support.mailboxes import NOW, RAW, PostOffice, plan, submission
from tests.support.servers import free_port
from tests.support.waiting import wait_for

DEADLINE = 20.0


class Woken:
    """Remembers which resources were woken."""

    def __init__(self, error: Exception | None = None) -> None:
        self.resources: list[int] = []
        self.error = error

    def __call__(self, store_id: int) -> None:
        self.resources.append(store_id)
        if self.error is not None:
            raise self.error


@pytest.fixture
def woken() -> Woken:
    return Woken()


@pytest.fixture
def writer(post_office: PostOffice, woken: Woken) -> Iterator[GroupCommitWriter]:
    started = GroupCommitWriter(post_office.committer, wake=woken)
    yield started
    started.stop()


@contextmanager
def one_batch(database: Database, writer: GroupCommitWriter) -> Iterator[None]:
    """What is submitted within the block is committed together after it."""
    first = threading.Event()
    release = threading.Event()
    commit = writer._commit

    def held_up(submissions: list[Submission]) -> list[Receipts]:
        first.set()
        assert release.wait(DEADLINE)
        writer._commit = commit  # type: ignore[method-assign]
        return commit(submissions)

    writer._commit = held_up  # type: ignore[method-assign, assignment]
    writer.submit(submission(RAW))
    assert first.wait(DEADLINE)
    yield
    release.set()


def broken(mailbox: Mailbox) -> StorePlan:
    """A plan for a folder that somebody has removed since."""
    return StorePlan(mailbox.id, (*plan(mailbox).filings, Filing(-1, b"", NOW)))


def uids(office: PostOffice, mailbox: Mailbox) -> list[int]:
    inbox = mailbox_entry.c.folder_id == mailbox.folders["Inbox"]
    return sorted(row.uid for row in office.rows(mailbox_entry, inbox))


def test_a_future_is_done_when_the_mail_is_there(
    post_office: PostOffice, writer: GroupCommitWriter
) -> None:
    mailbox = post_office.mailbox()
    futures = [writer.submit(submission(RAW, plan(mailbox))) for _ in range(5)]
    assert [future.result(DEADLINE) for future in futures] == [
        (Receipt((n,)),) for n in range(1, 6)
    ]
    assert uids(post_office, mailbox) == [1, 2, 3, 4, 5]


def test_what_waits_is_committed_together(
    post_office: PostOffice, writer: GroupCommitWriter
) -> None:
    mailbox, other = post_office.mailbox(), post_office.mailbox()
    with one_batch(post_office.database, writer):
        futures = [writer.submit(submission(RAW, plan(m))) for m in (mailbox, other, mailbox)]
    assert [future.result(DEADLINE)[0].uids for future in futures] == [(1,), (1,), (2,)]
    assert post_office.store(mailbox).change_number == 1  # one transaction


def test_a_bad_submission_hurts_only_itself(
    post_office: PostOffice, writer: GroupCommitWriter, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox = post_office.mailbox()
    no_such_store = StorePlan(-1, plan(mailbox).filings, ledger_key=b"x" * 32)
    caplog.set_level(logging.INFO)
    with one_batch(post_office.database, writer):
        good = [writer.submit(submission(RAW, plan(mailbox))) for _ in range(2)]
        gone = writer.submit(submission(RAW, broken(mailbox)))
        bad = writer.submit(submission(RAW, no_such_store))
        good.append(writer.submit(submission(RAW, plan(mailbox))))
    assert [future.result(DEADLINE)[0].uids for future in good] == [(1,), (2,), (3,)]
    assert isinstance(gone.exception(DEADLINE), RepeatSinglyError)
    assert "IntegrityError" in repr(bad.exception(DEADLINE))
    assert uids(post_office, mailbox) == [1, 2, 3]
    assert "a batch of 5 failed and is repeated one by one" in caplog.text
    assert "a message could not be committed" in caplog.text


def test_how_long_a_batch_is_at_work(post_office: PostOffice, writer: GroupCommitWriter) -> None:
    assert (writer.alive, writer.busy_seconds) == (True, 0.0)
    with one_batch(post_office.database, writer):
        wait_for(lambda: writer.busy_seconds > 0.05, what="the batch takes time")
        assert not writer.stop(0.05), "it is still at work"
        assert writer.alive
    assert writer.stop(DEADLINE)
    assert (writer.alive, writer.busy_seconds) == (False, 0.0)


def test_a_submission_is_committed_whole_or_not_at_all(
    post_office: PostOffice, writer: GroupCommitWriter
) -> None:
    mailbox, other = post_office.mailbox(), post_office.mailbox()
    future = writer.submit(submission(RAW, plan(other), broken(mailbox)))
    assert isinstance(future.exception(DEADLINE), TemporaryError)
    assert uids(post_office, other) == uids(post_office, mailbox) == []


def test_a_repeat_from_another_session_in_the_same_batch(
    post_office: PostOffice, writer: GroupCommitWriter
) -> None:
    mailbox = post_office.mailbox()
    with one_batch(post_office.database, writer):
        futures = [writer.submit(submission(RAW, plan(mailbox, key=b"k" * 32))) for _ in range(2)]
    receipts = [future.result(DEADLINE)[0] for future in futures]
    assert receipts == [Receipt((1,)), Receipt((1,), duplicate=True)]


@pytest.fixture
def no_disk(post_office: PostOffice, tmp_path: Path) -> PostOffice:
    """The attachment directory cannot be written: where it should be, there is a file."""
    (tmp_path / "attachments").write_bytes(b"")
    return PostOffice(post_office.database, tmp_path / "attachments", large=0)


@pytest.fixture
def no_server(post_office: PostOffice) -> PostOffice:
    """The server went away after the mailboxes were loaded."""
    return PostOffice(Database(f"postgresql://postgres@127.0.0.1:{free_port()}/gone"))


@pytest.mark.parametrize("trouble", ["no_disk", "no_server"])
def test_our_own_trouble_refuses_everybody_for_now(
    post_office: PostOffice, trouble: str, request: pytest.FixtureRequest
) -> None:
    sick: PostOffice = request.getfixturevalue(trouble)
    mailbox = post_office.mailbox()
    writer = GroupCommitWriter(sick.committer, wake=Woken())
    with one_batch(sick.database, writer):
        futures = [writer.submit(submission(RAW, plan(mailbox))) for _ in range(3)]
    errors = [future.exception(DEADLINE) for future in futures]
    writer.stop()
    assert [type(error) for error in errors] == [TemporaryError] * 3
    assert uids(post_office, mailbox) == []


def test_it_goes_on_after_trouble(
    post_office: PostOffice, writer: GroupCommitWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox = post_office.mailbox()
    committer = post_office.committer
    with monkeypatch.context() as patched:
        patched.setattr(committer, "apply", lambda *_: (_ for _ in ()).throw(TemporaryError("no")))
        failed = writer.submit(submission(RAW, plan(mailbox)))
        assert isinstance(failed.exception(DEADLINE), TemporaryError)
    assert writer.submit(submission(RAW, plan(mailbox))).result(DEADLINE) == (Receipt((1,)),)


def test_a_database_that_goes_away_in_a_repetition_is_asked_once_more_only(
    post_office: PostOffice, writer: GroupCommitWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox = post_office.mailbox()
    asked: list[int] = []

    def apply(_connection: object, staged: StagedBatch) -> list[Receipts]:
        asked.append(len(staged.submissions))
        raise RepeatSinglyError("bad") if len(staged.submissions) > 1 else TemporaryError("away")

    with one_batch(post_office.database, writer):
        futures = [writer.submit(submission(RAW, plan(mailbox))) for _ in range(5)]
        monkeypatch.setattr(post_office.committer, "apply", apply)
    errors = [future.exception(DEADLINE) for future in futures]
    assert all(isinstance(error, TemporaryError) for error in errors)
    # The first is what holds the batch up; then five together, and the first of these.
    assert asked == [1, 5, 1]


def test_stopping_commits_what_waits(post_office: PostOffice, woken: Woken) -> None:
    mailbox = post_office.mailbox()
    writer = GroupCommitWriter(post_office.committer, wake=woken)
    with one_batch(post_office.database, writer):
        futures: list[Future[Receipts]] = [
            writer.submit(submission(RAW, plan(mailbox))) for _ in range(3)
        ]
        stopper = threading.Thread(target=writer.stop)
        stopper.start()
    stopper.join(DEADLINE)
    assert not stopper.is_alive()
    assert [future.result(0)[0].uids for future in futures] == [(1,), (2,), (3,)]
    with pytest.raises(TemporaryError, match="shutting down"):
        writer.submit(submission(RAW, plan(mailbox)))


def test_a_session_that_goes_away_stops_nobody_else(
    post_office: PostOffice, writer: GroupCommitWriter
) -> None:
    mailbox = post_office.mailbox()
    with one_batch(post_office.database, writer):
        gone, stays = (writer.submit(submission(RAW, plan(mailbox))) for _ in range(2))
        assert not gone.cancel()
    assert stays.result(DEADLINE) == (Receipt((2,)),)
    assert gone.result(DEADLINE) == (Receipt((1,)),)
    assert writer.submit(submission(RAW, plan(mailbox))).result(DEADLINE) == (Receipt((3,)),)


def job_for(mailbox: Mailbox, key: bytes | None = None) -> Submission:
    job = NewJob("b@x", "r@x", "<1@x>", "Hi", RAW, b"")
    return submission(RAW, StorePlan(mailbox.id, job=job, ledger_key=key))


def test_each_resource_is_woken_once_after_the_commit(
    post_office: PostOffice, woken: Woken
) -> None:
    room, other, anna = (post_office.mailbox() for _ in range(3))
    writer = GroupCommitWriter(post_office.committer, wake=woken)
    with one_batch(post_office.database, writer):
        for queued in (job_for(room), job_for(other), job_for(room)):
            writer.submit(queued)
        writer.submit(submission(RAW, plan(anna)))
    writer.stop()
    assert sorted(woken.resources) == sorted([room.id, other.id])


def test_a_repeated_request_wakes_nobody(post_office: PostOffice, woken: Woken) -> None:
    room = post_office.mailbox()
    writer = GroupCommitWriter(post_office.committer, wake=woken)
    for _ in range(2):
        writer.submit(job_for(room, b"k" * 32)).result(DEADLINE)
    writer.stop()
    assert woken.resources == [room.id]


def test_a_wake_up_that_fails_is_only_a_warning(
    post_office: PostOffice, caplog: pytest.LogCaptureFixture
) -> None:
    room, other = post_office.mailbox(), post_office.mailbox()
    woken = Woken(ConnectionRefusedError("no redis"))
    writer = GroupCommitWriter(post_office.committer, wake=woken)
    with one_batch(post_office.database, writer):
        futures = [writer.submit(job_for(one)) for one in (room, other)]
    assert all(future.result(DEADLINE)[0].job_id for future in futures)
    writer.stop()
    assert sorted(woken.resources) == [room.id, other.id]
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
    assert f"resource {room.id} not sent: no redis" in caplog.text


def test_mail_that_leaves_wakes_the_spooler(post_office: PostOffice, woken: Woken) -> None:
    anna = post_office.mailbox()
    mail = Outgoing("oof", "Away", OutgoingMail("", "b@x", RAW, "<2@x>"))
    answered = submission(RAW, StorePlan(anna.id, outgoing=(mail,), ledger_key=b"k" * 32))
    spooler_woken: list[None] = []
    writer = GroupCommitWriter(
        post_office.committer, wake=woken, mail_leaves=lambda: spooler_woken.append(None)
    )
    for queued in (answered, answered, submission(RAW, plan(anna))):
        writer.submit(queued).result(DEADLINE)
    writer.stop()
    assert (len(spooler_woken), woken.resources) == (1, [])


def test_settled_is_called_once_for_a_batch_after_its_results(
    post_office: PostOffice, writer: GroupCommitWriter
) -> None:
    mailbox = post_office.mailbox()
    futures: list[Future[Receipts]] = []
    calls: list[int] = []
    with one_batch(post_office.database, writer):
        futures += [writer.submit(submission(RAW, plan(mailbox))) for _ in range(3)]
        writer.call_when_settled(lambda: calls.append(sum(one.done() for one in futures)))
    wait_for(lambda: 3 in calls, timeout=DEADLINE, what="the batch")
    assert calls.count(3) == 1


def test_settled_is_called_after_a_failure_too(
    post_office: PostOffice, writer: GroupCommitWriter
) -> None:
    settled = threading.Event()
    writer.call_when_settled(settled.set)
    future = writer.submit(submission(RAW, broken(post_office.mailbox())))
    with pytest.raises(RepeatSinglyError):
        future.result(DEADLINE)
    assert settled.wait(DEADLINE)
