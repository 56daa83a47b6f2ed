"""The other ways in and out: one message on standard input, reloading, a booker that fails."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.agent import RunningAgent
from tests.support.booking_desk import read_reply
from tests.support.meetings import ANNA, at, meeting_mail
from tests.support.waiting import wait_for

PLAIN = b"From: anna@example.net\nSubject: Hello\n\nHello.\n"
ROOM = "aurora@example.org"


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[RunningAgent]:
    """An agent's data and settings with ben and a room; it runs only where a test starts it."""
    quiet = RunningAgent(tmp_path)
    quiet.add_user("ben")
    quiet.add_room("aurora")
    yield quiet
    if quiet.running:
        quiet.kill()


# -- one message on standard input


@pytest.mark.parametrize("user", ["ben", "ben@example.org", "BEN@Example.ORG"])
def test_a_message_from_a_pipe(agent: RunningAgent, user: str) -> None:
    done = agent.deliver(user, "--sender", ANNA, content=PLAIN)
    assert (done.returncode, done.stdout) == (0, b"")
    (content,) = agent.mails("ben")
    assert content.startswith(b"Return-Path: <anna@example.net>\r\nDelivered-To: ben@example.org")
    assert content.endswith(PLAIN.replace(b"\n", b"\r\n"))


def test_a_message_given_twice_is_there_twice(agent: RunningAgent) -> None:
    for _ in range(2):
        assert agent.deliver("ben", content=PLAIN).returncode == 0
    assert len(agent.mails("ben")) == 2


def test_a_request_from_a_pipe_is_booked_at_once(agent: RunningAgent) -> None:
    raw = meeting_mail("one", at(9), room=ROOM)
    assert agent.deliver("aurora", "--sender", ANNA, content=raw).returncode == 0
    assert [job.fate for job in agent.jobs()] == ["accepted"]
    assert len(agent.admin_json("--list-bookings", "aurora")) == 1
    (entry,) = agent.outbox()
    assert (read_reply(entry).partstat, entry.mail.rcpt_to) == ("ACCEPTED", ANNA)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((), 64, b"give either -l or the USER"),
        (("-l", "ben"), 64, b"give either -l or the USER"),
        (("--no-such-option", "ben"), 64, b"--no-such-option"),
        (("nobody",), 70, b"no such user: nobody"),
        (("nobody@example.org",), 70, b"no such user: nobody@example.org"),
        (("ben", "--config", "/no/such/file"), 75, b"/no/such/file"),
    ],
)
def test_exit_codes(agent: RunningAgent, words: tuple[str, ...], code: int, says: bytes) -> None:
    done = agent.deliver(*words, content=PLAIN)
    assert done.returncode == code
    assert says in done.stderr
    assert b"Traceback" not in done.stderr
    assert agent.mails("ben") == []


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("postgresql://nobody@127.0.0.1:1/none", id="not reachable"),
        pytest.param("oracle://x", id="not supported"),
        pytest.param("sqlite:////dev/null/kopano.db", id="not a directory"),
    ],
)
def test_without_a_database_the_mta_keeps_the_mail(agent: RunningAgent, url: str) -> None:
    agent.settings["DAGENT_STORE_DATABASE"] = url
    done = agent.deliver("ben", content=PLAIN)
    assert done.returncode == 75
    assert b"Traceback" not in done.stderr


def test_a_booker_that_fails_does_not_keep_the_mail(agent: RunningAgent) -> None:
    raw = meeting_mail("one", at(9), room=ROOM)
    agent.settings["DAGENT_BOOKING_BOOKING_DEADLINE"] = "0"
    for failpoint, fate in (("bug", "failed"), ("temporary", "gave_up")):
        done = agent.deliver("aurora", content=raw, failpoints=f"before-decision:{failpoint}")
        assert done.returncode == 0
        assert agent.jobs()[-1].fate == fate
    assert [content.endswith(raw) for content in agent.mails("aurora")] == [True, True]


def test_what_is_left_undone_is_the_daemons(agent: RunningAgent) -> None:
    raw = meeting_mail("one", at(9), room=ROOM)
    done = agent.deliver("aurora", content=raw, failpoints="before-decision:temporary")
    assert done.returncode == 0
    assert [(job.state, job.attempts) for job in agent.jobs()] == [("pending", 1)]
    agent.settings["DAGENT_QUEUE_POLL_INTERVAL"] = "0.1"
    agent.start()
    assert [job.fate for job in agent.wait_for_jobs(1)] == ["accepted"]
    assert agent.stop() == 0


# -- the daemon


def test_a_bad_settings_file_does_not_end_a_running_agent(agent: RunningAgent) -> None:
    agent.start()
    agent.config.write_text("[lmtp]\nidle_timeout = 'never'\n")
    agent.hang_up()
    wait_for(lambda: "settings not reloaded" in agent.log(), what="the refusal is logged")
    assert "idle_timeout: expected a number" in agent.log()
    with agent.client() as client:
        assert client.send(ANNA, ["ben@example.org"], PLAIN)[0].code == 250
    agent.config.write_text("[lmtp]\nidle_timeout = 60\n")
    agent.hang_up()
    wait_for(lambda: "settings reloaded" in agent.log(), what="the new ones are taken")
    assert agent.stop() == 0


def test_an_agent_does_not_start_with_a_bad_settings_file(agent: RunningAgent) -> None:
    agent.config.write_text("[lmpt]\n")
    process = agent.run("kopano-dagent", "-l")
    assert process.wait(30) == 78
    assert "unknown section [lmpt]" in agent.log()


def test_the_port_is_taken(agent: RunningAgent) -> None:
    agent.start()
    process = agent.run("kopano-dagent", "-l")
    assert process.wait(30) == 78
    assert "is another agent running there" in agent.log()
    assert agent.stop() == 0
