"""Killing an agent under load, and comparing what its mailboxes hold with what it has said 250 to."""

import random
from collections import Counter

from mailcore.view import MessageView
from tests.support.agent import RunningAgent
from tests.support.senders import Delivered, Senders

KILLS = 20
USERS = ("anna", "ben", "carla")
MOST_MAILS_BETWEEN = 30


def without_trace(content: bytes) -> bytes:
    """A stored mail as it was sent: what the delivery puts before it ends with Received and its folded lines."""
    return content[content.index(b"From: load@example.net\r\n") :]


def stored(agent: RunningAgent) -> Counter[Delivered]:
    return Counter(
        Delivered(f"{name}@example.org", without_trace(content))
        for name in USERS
        for content in agent.mails(name)
    )


def names(mails: Counter[Delivered]) -> list[tuple[str, str]]:
    """Recipient and Message-ID of each, which say enough and are short."""
    return [(one.rcpt_to, MessageView(one.content).message_id) for one in mails.elements()]


def compare(agent: RunningAgent, delivered: list[Delivered]) -> None:
    """Every mail that got its 250 is there once, byte by byte, and there is nothing else."""
    expected, found = Counter(delivered), stored(agent)
    assert max(expected.values()) == 1, "a sender has sent after a 250"
    lost, extra = names(expected - found), names(found - expected)
    assert (lost, extra) == ([], [])


def kill_again_and_again(agent: RunningAgent, seed: int) -> None:
    """Kill a running agent twenty times at moments nobody chose, and check every mail."""
    rng = random.Random(seed)
    for name in USERS:
        agent.add_user(name)
    senders = Senders(agent, [f"{name}@example.org" for name in USERS], seed, count=3)
    try:
        for _ in range(KILLS):
            senders.wait_for_more(rng.randint(1, MOST_MAILS_BETWEEN))
            agent.kill()
            agent.start()
    finally:
        delivered = senders.finish()
    assert agent.stop() == 0, agent.log()
    compare(agent, delivered)
