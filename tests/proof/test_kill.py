"""An agent that is killed at any moment loses nothing it has said 250 to, and doubles nothing."""

import secrets
from pathlib import Path

import pytest

from tests.support.agent import RunningAgent
from tests.support.kills import USERS, compare, kill_again_and_again
from tests.support.senders import Senders


@pytest.fixture
def seed() -> int:
    """Another one in each run; pytest prints it with a failure."""
    chosen = secrets.randbelow(1_000_000)
    print(f"seed = {chosen}")
    return chosen


def test_twenty_kills_under_load(tmp_path: Path, seed: int) -> None:
    with RunningAgent(tmp_path) as agent:
        kill_again_and_again(agent, seed)


def test_term_under_load_loses_nothing(tmp_path: Path, seed: int) -> None:
    with RunningAgent(tmp_path) as agent:
        for name in USERS:
            agent.add_user(name)
        senders = Senders(agent, [f"{name}@example.org" for name in USERS], seed, count=3)
        try:
            for _ in range(2):
                senders.wait_for_more(30)
                assert agent.stop() == 0
                agent.start()
        finally:
            delivered = senders.finish()
        assert agent.stop() == 0, agent.log()
        compare(agent, delivered)
