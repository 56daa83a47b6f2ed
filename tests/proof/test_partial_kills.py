"""The process dies around a series that is booked in part: each answer leaves once, and is the same to its reader."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from mailcore.errors import TemporaryError
from store.booking_policies import save_policy_values
from store.outbox import OutboxEntry
from store.schema import outbox
from tests.spooler.sink import Sink, running_sink
from tests.support.agent import RunningAgent
from tests.support.meetings import ANNA, BEN, at, basic, meeting_mail
from tests.support.waiting import wait_for

ROOM = "aurora@example.org"
TAKEN = [at(9, day=day) for day in (1, 3)]
SERIES = meeting_mail("series", at(9), room=ROOM, rrule="FREQ=DAILY;COUNT=5", organizer=BEN)
SOON = {"DAGENT_BOOKING_LEASE": "0.5", "DAGENT_QUEUE_POLL_INTERVAL": "0.1"}


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as running:
        yield running


@pytest.fixture
def agent(tmp_path: Path, sink: Sink) -> Iterator[RunningAgent]:
    """An agent that is not started yet, with a room that takes series in part; a dead worker's lease ends soon."""
    waiting = RunningAgent(tmp_path, smtp_port=sink.port, environ=SOON)
    waiting.add_room("aurora")
    yield waiting
    if waiting.running:
        waiting.kill()


def use(agent: RunningAgent, partial_reply: str) -> None:
    with agent.store() as parts, parts.database.write() as connection:
        room = parts.directory.resolve("aurora").mailbox.id
        rules = {"max_conflicts": "2", "partial_reply": partial_reply}
        save_policy_values(connection, room, rules)


def send(agent: RunningAgent, sender: str, raw: bytes) -> bool:
    """Send to the room; False where the kill was quicker than the reply."""
    try:
        with agent.client() as client:
            return client.send(sender, [ROOM], raw)[0].positive
    except TemporaryError:
        return False


def take_two_days(agent: RunningAgent) -> None:
    for number, day in enumerate(TAKEN, start=1):
        assert send(agent, ANNA, meeting_mail(f"taken-{number}", day, room=ROOM))
        wait_for_sent(agent, number)


def wait_for_sent(agent: RunningAgent, count: int) -> None:
    """Return when so many mails have been composed, and each is marked as sent."""

    def sent() -> bool:
        return [entry.state for entry in agent.outbox()] == ["sent"] * count

    wait_for(sent, timeout=30, what=f"{count} mails are sent")


def to_ben(agent: RunningAgent) -> list[OutboxEntry]:
    return [entry for entry in agent.outbox() if entry.mail.rcpt_to == BEN]


def unfolded(content: bytes) -> str:
    return content.decode().replace("\r\n ", "")


def declined_in(content: bytes) -> list[str]:
    """The recurrence ids that a reply declines."""
    events = unfolded(content).split("BEGIN:VEVENT")[1:]
    lines = [event.splitlines() for event in events if "PARTSTAT=DECLINED" in event]
    return [
        line.removeprefix("RECURRENCE-ID:")
        for event in lines
        for line in event
        if line.startswith("RECURRENCE-ID:")
    ]


@pytest.mark.parametrize(
    ("partial_reply", "failpoint", "mails"),
    [
        ("one-mail", "after-booking-commit:kill@3", 1),
        ("separate", "before-booking-commit:kill@3", 3),
        ("separate", "after-booking-commit:kill@3", 3),
    ],
)
def test_a_kill_around_a_booking_in_part(
    agent: RunningAgent, sink: Sink, partial_reply: str, failpoint: str, mails: int
) -> None:
    use(agent, partial_reply)
    agent.start(failpoint)
    take_two_days(agent)
    known = send(agent, BEN, SERIES)
    agent.wait_until_killed()
    booked = "after" in failpoint
    assert len(to_ben(agent)) == (mails if booked else 0)
    agent.start()
    if not known:
        assert send(agent, BEN, SERIES)
    agent.wait_for_jobs(3)
    wait_for_sent(agent, len(TAKEN) + mails)
    sent = [mail.content for mail in sink.received if mail.rcpt_to == BEN]
    assert sorted(sent) == sorted(entry.mail.content for entry in to_ben(agent))
    assert len(sent) == mails
    declined = [one for content in sent for one in declined_in(content)]
    assert sorted(declined) == sorted(basic(day) for day in TAKEN)
    assert sum("PARTSTAT=ACCEPTED" in unfolded(content) for content in sent) == 1
    listed = agent.admin_json("--list-bookings", "aurora")
    assert [one["status"] for one in listed if one["uid"] == "series"].count("accepted") == 3


def test_a_kill_before_separate_answers_are_marked_as_sent(agent: RunningAgent, sink: Sink) -> None:
    """What was sent already comes again, the same bytes and no other."""
    use(agent, "separate")
    agent.start("before-sent-mark:kill@3")
    take_two_days(agent)
    send(agent, BEN, SERIES)
    agent.wait_until_killed()
    first = [mail.content for mail in sink.received[2:]]
    assert first
    with agent.store() as parts, parts.database.write() as connection:
        connection.execute(update(outbox).values(lease_until=0))  # the dead spooler's
    agent.start()
    wait_for_sent(agent, len(TAKEN) + 3)
    again = [mail.content for mail in sink.received[2 + len(first) :]]
    assert set(first) <= set(again)
    assert sorted(again) == sorted(entry.mail.content for entry in to_ben(agent))
    assert len(again) == 3
