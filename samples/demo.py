"""The demo: sample mails through a fresh agent, and what becomes of them.

Starts a mail server that keeps the answers and an agent with an empty data directory, creates the
people and rooms of users.toml, sends mail/*.eml one by one over LMTP, their meetings moved into the
next spring, and compares what happened with expected.toml.  Exit status 0 when all is as expected,
1 with a list of what differs.
"""

import argparse
import email
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from playback.agent import Agent, AgentError, free_port
from playback.answers import AnswerSink
from playback.dates import moved, moved_by
from playback.expected import (
    Expected,
    Outcome,
    SampleMail,
    differing_bookings,
    differing_outcome,
    parse_expected,
    read_bookings,
)
from playback.people import admin_commands, zones_of
from playback.report import (
    show_answers,
    show_calendar,
    show_differences,
    show_how_to_talk_to_it,
    show_mail,
)
from rich.console import Console

from mailcore.errors import MailError

SAMPLES = Path(__file__).resolve().parent


def main() -> int:
    """Run the demo; return the exit status."""
    parser = argparse.ArgumentParser(description="send the sample mails through a fresh agent")
    parser.add_argument("--keep", action="store_true", help="leave the agent running afterwards")
    keep = parser.parse_args().keep
    console = Console()
    by = moved_by(date.today())
    people = tomllib.loads((SAMPLES / "users.toml").read_text(encoding="utf-8"))
    text = (SAMPLES / "expected.toml").read_text(encoding="utf-8")
    expected = parse_expected(text, zones_of(people), by)
    sink = AnswerSink(free_port())
    with tempfile.TemporaryDirectory(prefix="dagent-demo-") as data, sink:
        try:
            with Agent(Path(data), free_port(), sink.port) as agent:
                create_people(console, agent, people)
                return play(console, agent, sink, expected, by, keep=keep)
        except (AgentError, MailError) as error:
            console.print(str(error), style="red", markup=False)
            return 1


def play(
    console: Console,
    agent: Agent,
    sink: AnswerSink,
    expected: Expected,
    by: timedelta,
    *,
    keep: bool,
) -> int:
    """Send everything with its meetings moved `by` whole weeks, show and compare; return the exit status."""
    differences = []
    for mail in expected.mails:
        content = moved((SAMPLES / "mail" / mail.file).read_bytes(), by)
        differences += send_mail(console, agent, sink, mail, content)
    console.print()
    for resource, bookings in expected.bookings.items():
        booked = read_bookings(agent.bookings(resource))
        show_calendar(console, resource, booked)
        differences += differing_bookings(resource, bookings, booked)
    show_answers(console, sink.answers)
    show_differences(console, differences)
    if keep:
        stay(console, agent)
    return 1 if differences else 0


def create_people(console: Console, agent: Agent, people: Mapping[str, Any]) -> None:
    """Create the users and resources of users.toml."""
    with console.status("creating users and resources"):
        for arguments in admin_commands(people):
            agent.admin(*arguments)


def send_mail(
    console: Console, agent: Agent, sink: AnswerSink, mail: SampleMail, content: bytes
) -> list[str]:
    """Send one mail, wait for what it causes and show it; return what differs."""
    answered = len(sink.answers)
    message_id = email.message_from_bytes(content)["Message-ID"]
    with console.status(mail.file):
        replies = agent.deliver(mail.mail_from, list(mail.replies), content)
        jobs = agent.wait_until_quiet()
    fates = [job["fate"] for job in jobs if job["message_id"] == message_id]
    outcome = Outcome(replies, fates, sink.answers[answered:])
    show_mail(console, mail, outcome)
    return differing_outcome(mail, outcome)


def stay(console: Console, agent: Agent) -> None:
    """Leave the agent running until someone ends it."""
    show_how_to_talk_to_it(console, agent, agent.environ)
    try:
        agent.wait()
    except KeyboardInterrupt:
        console.print("ending")


if __name__ == "__main__":
    sys.exit(main())
