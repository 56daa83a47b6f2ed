import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import delete, text, update

from mailcore import failpoint
from mailcore.errors import TemporaryError, UsageError
from mailcore.settings import SpoolerSettings
from spooler.spooler import BATCH, Spooler
from store.outbox import FAILED, QUEUED, SENT
from store.schema import folder
from store.schema import outbox as outbox_table
from tests.spooler.outbox import Outbox
from tests.spooler.sink import Sink, running_sink
from tests.support.servers import free_port
from tests.support.waiting import wait_for

HOUR = 3600.0


def make_spooler(outbox: Outbox, sink: Sink, **settings: float) -> Spooler:
    values = {"poll_interval": HOUR, "timeout": 5.0} | settings
    spooler_settings = SpoolerSettings(smtp_url=sink.url, **values)
    return Spooler(outbox.database, outbox.committer, spooler_settings, "mx.example.org")


@pytest.fixture
def spooler(outbox: Outbox, sink: Sink) -> Iterator[Spooler]:
    made = make_spooler(outbox, sink)
    yield made
    made.stop()


@pytest.fixture
def disarm() -> Iterator[None]:
    yield
    failpoint.arm("")


def lines(caplog: pytest.LogCaptureFixture, level: int, words: str) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno == level and words in record.getMessage()
    ]


def test_nothing_due(spooler: Spooler, outbox: Outbox) -> None:
    assert spooler.run_once() == 0


def test_sends_and_marks(spooler: Spooler, outbox: Outbox, sink: Sink) -> None:
    mails = outbox.queue("ann@x.org", "ben@x.org")
    assert spooler.run_once() == 2
    assert [m.content for m in sink.received] == [m.content for m in mails]
    for entry in outbox.entries():
        assert (entry.state, entry.attempts) == (SENT, 1)
        assert entry.last_reply == "250 2.0.0 taken"
        assert entry.finished_at is not None
    assert spooler.run_once() == 0
    assert outbox.notices() == []


def test_batch_is_bounded(spooler: Spooler, outbox: Outbox) -> None:
    outbox.queue(*[f"user{n}@x.org" for n in range(BATCH + 1)])
    assert [spooler.run_once(), spooler.run_once(), spooler.run_once()] == [BATCH, 1, 0]


def test_temporary_refusal_waits_longer_each_time(
    spooler: Spooler, outbox: Outbox, sink: Sink
) -> None:
    outbox.queue("later@x.org", "ben@x.org")
    pauses = []
    for _ in range(3):
        spooler.run_once()
        entry = outbox.entries()[0]
        pauses.append(entry.next_attempt_at)
        assert (entry.state, entry.last_reply) == (QUEUED, "451 4.7.1 try later")
        assert spooler.run_once() == 0
        outbox.let_time_pass()
    assert pauses[1] - pauses[0] >= 10.0
    assert pauses[2] - pauses[1] >= 45.0
    assert outbox.entries()[0].attempts == 3
    assert sink.rcpts() == ["ben@x.org"]
    assert outbox.notices() == []


def test_refusal_is_told_to_the_owner(spooler: Spooler, outbox: Outbox, sink: Sink) -> None:
    outbox.queue("unknown@x.org", "ben@x.org")
    assert spooler.run_once() == 2
    assert outbox.states() == [FAILED, SENT]
    assert outbox.entries()[0].last_reply == "550 5.1.1 no such user"
    (notice,) = outbox.notices()
    assert notice.raw.startswith(b"Return-Path: <>\r\n")
    assert notice.subject == "Undelivered: Subject of <m1@example.org>"
    assert "unknown@x.org" in notice.text
    assert "550 5.1.1 no such user" in notice.text
    assert sink.rcpts() == ["ben@x.org"]
    outbox.let_time_pass()
    assert spooler.run_once() == 0
    assert len(outbox.notices()) == 1


def test_old_mail_is_tried_once_more_and_given_up(spooler: Spooler, outbox: Outbox) -> None:
    outbox.queue("later@x.org", "ben@x.org", age=6 * 24 * HOUR)
    spooler.run_once()
    assert outbox.states() == [FAILED, SENT]
    (notice,) = outbox.notices()
    assert b"\r\nStatus: 5.4.7\r\n" in notice.raw
    assert "451 4.7.1 try later" in notice.text


def test_refusal_without_an_inbox_ends_all_the_same(
    spooler: Spooler, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    with outbox.database.write() as connection:
        connection.execute(delete(folder).where(folder.c.special_use == "\\Inbox"))
    outbox.queue("unknown@x.org")
    spooler.run_once()
    assert outbox.states() == [FAILED]
    assert lines(caplog, logging.WARNING, "was not told")


def rename_table(outbox: Outbox, old: str, new: str) -> None:
    with outbox.database.write() as connection:
        connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))


def test_notice_and_mark_are_one_transaction(spooler: Spooler, outbox: Outbox) -> None:
    outbox.queue("unknown@x.org")
    rename_table(outbox, "mailbox_entry", "missing")  # filing fails after the mark is written
    with contextlib.suppress(TemporaryError):  # what the database calls it differs
        spooler.run_once()
    rename_table(outbox, "missing", "mailbox_entry")
    assert (outbox.states(), outbox.notices()) == ([QUEUED], [])
    outbox.let_time_pass()
    spooler.run_once()
    assert (outbox.states(), len(outbox.notices())) == ([FAILED], 1)


def test_what_the_database_did_not_record_is_not_sent_again(
    spooler: Spooler, outbox: Outbox, sink: Sink, disarm: None
) -> None:
    outbox.queue("ann@x.org", "unknown@x.org")
    failpoint.arm("before-sent-mark:temporary")
    for _ in range(2):
        with pytest.raises(TemporaryError):
            spooler.run_once()
    assert outbox.states() == [QUEUED, QUEUED]
    failpoint.arm("")
    outbox.let_time_pass()
    spooler.run_once()
    assert outbox.states() == [SENT, FAILED]
    assert sink.rcpts() == ["ann@x.org"]


def test_mail_that_breaks_the_connection_does_not_hold_up_the_others(
    spooler: Spooler, outbox: Outbox, sink: Sink
) -> None:
    outbox.queue(*["cut@x.org"] * 4, "ann@x.org", "ben@x.org")
    assert spooler.run_once() == 3  # then it might as well be the MTA
    assert spooler.run_once() == 1
    assert spooler.run_once() == 2
    assert sink.rcpts() == ["ann@x.org", "ben@x.org"]
    assert [entry.attempts for entry in outbox.entries()] == [1, 1, 1, 1, 1, 1]


def test_outage_is_told_once_and_costs_the_waiting_mails_nothing(
    outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sink = Sink(free_port())
    spooler = make_spooler(outbox, sink)
    outbox.queue(*[f"user{n}@x.org" for n in range(5)])
    assert [spooler.run_once() for _ in range(3)] == [1, 1, 1]
    assert [entry.attempts for entry in outbox.entries()] == [1, 1, 1, 0, 0]
    (warning,) = lines(caplog, logging.WARNING, "")
    assert warning == f"{sink.url} cannot be reached: Connection refused; 5 mails wait"
    with running_sink(sink):
        assert spooler.run_once() == 1
        assert spooler.run_once() == 1
        outbox.let_time_pass()
        assert spooler.run_once() == 3
    assert outbox.states() == [SENT] * 5
    assert len(lines(caplog, logging.INFO, "can be reached again")) == 1
    assert len(lines(caplog, logging.WARNING, "")) == 1


def test_one_log_line_per_mail(
    spooler: Spooler, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    outbox.queue("ann@x.org", "unknown@x.org", "later@x.org")
    spooler.run_once()
    sent, refused, deferred = (
        record.getMessage() for record in caplog.records if record.name == "spooler.spooler"
    )
    assert sent == (
        "sent outbox=1 kind=reply message_id=<m1@example.org> rcpt=ann@x.org attempts=1"
        ' reply="250 2.0.0 taken"'
    )
    assert deferred.startswith("deferred outbox=3")
    assert refused.startswith("refused outbox=2")


def test_two_spoolers_send_each_mail_once(outbox: Outbox, sink: Sink) -> None:
    mails = outbox.queue(*[f"user{n}@x.org" for n in range(2 * BATCH + 20)])
    spoolers = [make_spooler(outbox, sink) for _ in range(3)]
    begin = threading.Barrier(len(spoolers))

    def work(spooler: Spooler) -> None:
        begin.wait()
        while spooler.run_once():
            pass

    threads = [threading.Thread(target=work, args=[spooler]) for spooler in spoolers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(sink.rcpts()) == Counter(mail.rcpt_to for mail in mails)
    assert set(outbox.states()) == {SENT}


def test_thread_sends_when_woken(spooler: Spooler, outbox: Outbox) -> None:
    spooler.start()
    outbox.queue("ann@x.org")
    spooler.wake()
    wait_for(lambda: outbox.states() == [SENT], what="the mail is sent")


def test_thread_polls(outbox: Outbox, sink: Sink) -> None:
    spooler = make_spooler(outbox, sink, poll_interval=0.05)
    spooler.start()
    outbox.queue("ann@x.org")
    wait_for(lambda: outbox.states() == [SENT], what="the mail is sent")
    assert spooler.stop()


def test_thread_survives_any_error(
    outbox: Outbox, sink: Sink, caplog: pytest.LogCaptureFixture, disarm: None
) -> None:
    failpoint.arm("before-sent-mark:bug")
    spooler = make_spooler(outbox, sink, poll_interval=0.05)
    outbox.queue("ann@x.org")
    spooler.start()
    wait_for(lambda: lines(caplog, logging.ERROR, "could not be worked on"), what="it is told")
    failpoint.arm("")
    wait_for(lambda: outbox.states() == [SENT], what="the mail is marked")
    spooler.stop()
    assert sink.rcpts() == ["ann@x.org"]


def test_stop_ends_after_the_mail_in_hand(outbox: Outbox, sink: Sink) -> None:
    outbox.queue("slow@x.org", "slow@x.org", "slow@x.org")
    spooler = make_spooler(outbox, sink)
    spooler.start()
    wait_for(lambda: sink.commands["EHLO"], what="it sends")
    assert not spooler.stop(timeout=0.0)
    assert spooler.stop()
    done = len(sink.received)
    assert done < 3
    assert outbox.states() == [SENT] * done + [QUEUED] * (3 - done)
    successor = make_spooler(outbox, sink)  # nothing is left behind a lease
    assert successor.run_once() == 3 - done


def test_lost_lease_stops_the_batch(outbox: Outbox, sink: Sink) -> None:
    outbox.queue("slow@x.org", "ann@x.org")
    settings = SpoolerSettings(smtp_url=sink.url)
    spooler = Spooler(outbox.database, outbox.committer, settings, "mx", lease_seconds=0.3)
    worker = threading.Thread(target=spooler.run_once)
    worker.start()
    wait_for(lambda: sink.commands["EHLO"], what="it sends")
    with outbox.database.write() as connection:
        connection.execute(update(outbox_table).values(lease_token="another", lease_until=1e12))
    worker.join()
    assert sink.rcpts() == ["slow@x.org"]
    assert outbox.states() == [QUEUED, QUEUED]


def test_new_settings_end_the_pause_of_an_outage(outbox: Outbox, sink: Sink) -> None:
    outbox.queue("ann@x.org", "ben@x.org")
    nowhere = SpoolerSettings(smtp_url=f"smtp://127.0.0.1:{free_port()}", poll_interval=HOUR)
    spooler = Spooler(outbox.database, outbox.committer, nowhere, "mx")
    spooler.start()
    wait_for(lambda: spooler._outage_probes, what="the outage is noticed")
    spooler.adopt(SpoolerSettings(smtp_url=sink.url, poll_interval=HOUR))
    # What was tried in the outage waits for its turn; the other one goes at once.
    wait_for(lambda: "ben@x.org" in sink.rcpts(), what="mail leaves through the new MTA")
    assert spooler.stop(5.0)


def test_bad_settings_are_not_adopted(spooler: Spooler, outbox: Outbox, sink: Sink) -> None:
    with pytest.raises(UsageError):
        spooler.adopt(SpoolerSettings(smtp_url="http://127.0.0.1"))
    outbox.queue("ann@x.org")
    assert spooler.run_once() == 1
    assert sink.rcpts() == ["ann@x.org"]
