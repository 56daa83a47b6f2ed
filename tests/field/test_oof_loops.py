"""Out-of-office with Postfix in between: nothing that two absences, a group or a deaf robot do goes round in circles.

The agent writes a mail and whatever follows from it in one transaction, so what is in a mailbox has had all its
consequences: the outbox is complete.
"""

from collections.abc import Iterator

import pytest

from tests.support.agent import RunningAgent
from tests.support.mta import (
    DELIVERY_SECONDS,
    HOST,
    inbox,
    mail_directory,
    submit,
)
from tests.support.postfix import RunningPostfix, require_postfix, running_postfix
from tests.support.servers import free_port
from tests.support.waiting import wait_for

PEOPLE = ("anna", "ben", "carla", "dora", "emil", "robot")
AWAY = ("anna", "ben", "dora", "emil")
TEAM = "team@example.org"
ROUNDS = 3


class Office:
    """An agent whose people are away, and the Postfix in front of it."""

    def __init__(self, agent: RunningAgent, postfix: RunningPostfix) -> None:
        self._agent = agent
        self._postfix = postfix

    def people_come(self) -> None:
        """Everybody gets a mailbox; some are away, and two of them are a team."""
        for name in PEOPLE:
            self._agent.add_user(name)
        groups = (
            ("-g", "team", "-e", TEAM),
            ("-b", "anna", "-i", "team"),
            ("-b", "ben", "-i", "team"),
        )
        for words in groups:
            done = self._agent.admin(*words)
            assert done.returncode == 0, done.stderr
        for name in AWAY:
            words = ("-u", name, "-m", "1", "-t", f"{name} is away")
            assert self._agent.run("kopano-set-oof", *words).wait(DELIVERY_SECONDS) == 0

    def writes(self, author: str, to: str, subject: str, *fields: str) -> None:
        """A person, or a program that looks like one, sends a mail by Postfix."""
        head = [*fields, f"From: {author}@example.org", f"To: {to}", f"Subject: {subject}"]
        content = "\r\n".join([*head, "", "Hello", ""]).encode()
        submit(self._postfix.port, f"{author}@example.org", [to], content)

    def gets(self, name: str, subject: str, count: int = 1) -> None:
        """Wait until so many mails with this subject are in an Inbox."""
        wait_for(
            lambda: len(inbox(self._agent, name, subject)) >= count,
            timeout=DELIVERY_SECONDS,
            what=f"{name} has {subject!r}",
        )
        assert len(inbox(self._agent, name, subject)) == count

    def answers(self, *names: str) -> list[tuple[str, str]]:
        """Every out-of-office answer from one of these people: the subject and to whom."""
        wanted = tuple(f"{name} is away" for name in names)
        return [
            (entry.subject, entry.mail.rcpt_to)
            for entry in self._agent.outbox()
            if entry.kind == "oof" and entry.subject.startswith(wanted)
        ]

    def copies(self, name: str) -> int:
        """How many answers are in Sent Items."""
        return len(self._agent.mails(name, "Sent Items"))


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    require_postfix()
    with mail_directory() as directory:
        data = directory / "agent"
        data.mkdir()
        smtp_port = free_port()
        agent = RunningAgent(data, smtp_port=smtp_port)
        settings = {
            "virtual_transport": f"lmtp:inet:{HOST}:{agent.port}",
            "smtpd_recipient_restrictions": "",
        }
        with agent, running_postfix(directory / "postfix", smtp_port, settings) as postfix:
            office = Office(agent, postfix)
            office.people_come()
            yield office


def test_two_who_are_away_write_to_each_other(office: Office) -> None:
    office.writes("dora", "emil@example.org", "To Emil")
    office.writes("emil", "dora@example.org", "To Dora")
    office.gets("emil", "To Emil")
    office.gets("dora", "To Dora")
    office.gets("dora", "emil is away [To Emil]")
    office.gets("emil", "dora is away [To Dora]")
    assert sorted(office.answers("dora", "emil")) == [
        ("dora is away", "emil@example.org"),
        ("emil is away", "dora@example.org"),
    ]
    assert (office.copies("dora"), office.copies("emil")) == (1, 1)


def test_who_writes_to_a_group_hears_of_no_absence(office: Office) -> None:
    office.writes("carla", TEAM, "To all")
    office.writes("anna", TEAM, "From one of us")
    for name in ("anna", "ben"):
        office.gets(name, "To all")
        office.gets(name, "From one of us")
    assert office.answers("anna", "ben") == []


def test_a_mailing_list_hears_of_no_absence(office: Office) -> None:
    office.writes("carla", "anna@example.org", "List", "List-Id: <staff.example.org>")
    office.gets("anna", "List")
    assert office.answers("anna", "ben") == []


def test_a_robot_that_answers_everything_gets_one_answer(office: Office) -> None:
    for number in range(1, ROUNDS + 1):  # it looks at no header, and says none
        office.writes("robot", "ben@example.org", "Your request")
        office.gets("ben", "Your request", number)
        office.gets("robot", "ben is away [Your request]")
    assert office.answers("ben") == [("ben is away", "robot@example.org")]
    assert office.copies("ben") == 1
