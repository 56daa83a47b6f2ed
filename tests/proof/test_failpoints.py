"""The process dies at each named place where that could lose or double something."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from mailcore.errors import TemporaryError
from mailcore.reply import LmtpReply
from store.schema import outbox
from tests.spooler.sink import Sink, running_sink
from tests.support.agent import RunningAgent
from tests.support.booking_desk import read_reply
from tests.support.meetings import ANNA, at, meeting_mail
from tests.support.waiting import wait_for

PLAIN = b"From: anna@example.net\r\nMessage-ID: <p@example.net>\r\nSubject: Hello\r\n\r\nHello.\r\n"
ROOM = "aurora@example.org"
NOT_KNOWN = 451


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as running:
        yield running


@pytest.fixture
def agent(tmp_path: Path, sink: Sink) -> Iterator[RunningAgent]:
    """An agent that is not started yet, with anna and a room; a dead worker's lease ends soon."""
    soon = {"DAGENT_BOOKING_LEASE": "0.5", "DAGENT_QUEUE_POLL_INTERVAL": "0.1"}
    waiting = RunningAgent(tmp_path, smtp_port=sink.port, environ=soon)
    waiting.add_user("ben")
    waiting.add_room("aurora")
    yield waiting
    if waiting.running:
        waiting.kill()


def send(agent: RunningAgent, rcpt_to: str, content: bytes) -> LmtpReply:
    """Send to one recipient; what an MTA does not hear is 'try later'."""
    try:
        with agent.client() as client:
            return client.send(ANNA, [rcpt_to], content)[0]
    except TemporaryError as error:
        return LmtpReply(NOT_KNOWN, "4.4.2", str(error))


def test_a_kill_between_commit_and_reply(agent: RunningAgent) -> None:
    agent.start("before-reply:kill")
    assert send(agent, "ben@example.org", PLAIN).code == NOT_KNOWN
    agent.wait_until_killed()
    assert len(agent.mails("ben")) == 1  # it had been committed
    agent.start()
    assert send(agent, "ben@example.org", PLAIN).code == 250
    (content,) = agent.mails("ben")
    assert content.endswith(PLAIN)
    assert "repeat=yes" in agent.log()


def test_a_request_whose_reply_was_lost_is_booked_once(agent: RunningAgent) -> None:
    raw = meeting_mail("one", at(9), room=ROOM)
    agent.start("before-reply:kill")
    assert send(agent, ROOM, raw).code == NOT_KNOWN
    agent.wait_until_killed()
    agent.start()
    assert send(agent, ROOM, raw).code == 250
    check_booked_once(agent)


@pytest.mark.parametrize(
    "failpoint",
    [
        "before-wake-up:kill",
        "before-decision:kill",
        "before-booking-commit:kill",
        "after-booking-commit:kill",
    ],
)
def test_a_kill_around_the_booking(agent: RunningAgent, failpoint: str) -> None:
    raw = meeting_mail("one", at(9), room=ROOM)
    agent.start(failpoint)
    reply = send(agent, ROOM, raw)
    agent.wait_until_killed()
    agent.start()
    if not reply.positive:  # the kill was quicker than the reply
        assert send(agent, ROOM, raw).code == 250
    check_booked_once(agent)


def check_booked_once(agent: RunningAgent) -> None:
    """One job, one booking, one reply, one copy of each in the mailbox."""
    (job,) = agent.wait_for_jobs(1)
    assert job.fate == "accepted"
    (booking,) = agent.admin_json("--list-bookings", "aurora")
    assert booking["uid"] == "one"
    (entry,) = agent.outbox()
    assert read_reply(entry).partstat == "ACCEPTED"
    assert len(agent.mails("aurora", "Deleted Items")) == 1
    assert agent.mails("aurora", "Sent Items") == [entry.mail.content]
    assert agent.mails("aurora") == []


def test_a_kill_before_a_mail_is_marked_as_sent(agent: RunningAgent, sink: Sink) -> None:
    """The repeat cannot be avoided; it is the same mail to whoever reads it."""
    agent.start("before-sent-mark:kill")
    send(agent, ROOM, meeting_mail("one", at(9), room=ROOM))
    agent.wait_until_killed()
    (first,) = sink.received
    with agent.store() as parts, parts.database.write() as connection:
        connection.execute(update(outbox).values(lease_until=0))  # the dead spooler's
    agent.start()
    wait_for(lambda: len(sink.received) == 2, timeout=20, what="the mail is sent again")
    wait_for(lambda: agent.outbox()[0].state == "sent", timeout=20, what="it is marked")
    assert sink.received[1].content == first.content
    assert agent.outbox()[0].mail.message_id.encode() in first.content
    assert len(sink.received) == 2
