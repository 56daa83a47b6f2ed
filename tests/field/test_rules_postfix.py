"""Rules with Postfix in between: what they send ends after a few mails, and nobody loses anything.

Postfix brings the mail by LMTP, the agent's spooler hands what rules send to the same Postfix, and what goes outside
reaches a server there that is no host of ours.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from mailcore.address import address_key
from mailcore.view import MessageView
from tests.support.agent import RunningAgent
from tests.support.mta import DELIVERY_SECONDS, HOST, inbox, mail_directory, submit
from tests.support.postfix import RunningPostfix, require_postfix, running_postfix
from tests.support.servers import free_port
from tests.support.waiting import wait_for

SRS_DOMAIN = "srs.example.org"
OUTSIDE_DOMAIN = "outside.test"
CARLA = f"carla@{OUTSIDE_DOMAIN}"
GONE = f"gone@{OUTSIDE_DOMAIN}"
ROBOT = f"robot@{OUTSIDE_DOMAIN}"
RULES: dict[str, list[Any]] = {
    "anna": [{"redirect": "ben@example.org"}],
    "ben": [{"redirect": "anna@example.org"}],
    "cleo": [{"redirect": "office@example.org"}, "delete"],
    "dora": [{"redirect": "emil@example.org"}, "delete"],
    "emil": [],
    "fritz": [{"reply": {"text": "Thanks for your mail."}}],
    "gerd": [{"redirect": GONE}],
}
ENOUGH = 8
"""Mails after which a robot counts as answered without end."""


class Outside:
    """Everybody who is not here: takes all mail but that to gone@, and robot@ answers all it gets.

    The robot writes to whom a mail is from, looks at no other header, and sets none of those that it should.
    """

    def __init__(self, mta_port: int) -> None:
        self.came: list[tuple[str, str, bytes]] = []
        self._mta_port = mta_port

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, _: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address == GONE:
            return "550 5.1.1 nobody here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 recipient ok"

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self, _: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        for rcpt_to in envelope.rcpt_tos:
            sender = (envelope.mail_from or "").strip("<>")
            self.came.append((sender, rcpt_to, envelope.content))
            if rcpt_to == ROBOT and len(self.came) < ENOUGH:
                author = MessageView(envelope.content).from_
                assert author is not None
                write(self._mta_port, ROBOT, author.address, "Robot: again")
        return "250 2.0.0 taken"


def write(port: int, sender: str, to: str, subject: str) -> None:
    head = f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n"
    submit(port, sender, [to], f"{head}\r\nHello\r\n".encode())


class Town:
    """The agent, its Postfix and the outside."""

    def __init__(self, agent: RunningAgent, postfix: RunningPostfix, outside: Outside) -> None:
        self.agent = agent
        self.postfix = postfix
        self.outside = outside

    def people_come(self) -> None:
        for name, actions in RULES.items():
            more = {"add_aliases": ("office@example.org",)} if name == "cleo" else {}
            self.agent.add_user(name, **more)
            if actions:
                file = self.agent.data / f"{name}.json"
                file.write_text(json.dumps({"name": f"of {name}", "then": actions}))
                done = self.agent.admin("--add-rule", name, str(file))
                assert done.returncode == 0, done.stderr

    def settle(self) -> None:
        """Wait until nothing is on its way: the outbox is empty, then Postfix's queue, and no mail has come between.

        A mail is in the next place before it leaves the last, so it cannot be in neither.
        """

        def rests() -> bool:
            before = self.agent.outbox()
            if any(entry.state == "queued" for entry in before):
                return False
            quiet = "Mail queue is empty" in self.postfix.queue()
            return quiet and len(self.agent.outbox()) == len(before)

        wait_for(rests, timeout=DELIVERY_SECONDS, what="nothing is on its way")

    def sends(self, sender: str, to: str, subject: str) -> None:
        """Somebody sends a mail, and everything that follows from it has happened."""
        write(self.postfix.port, sender, to, subject)
        self.settle()

    def left(self, subject: str) -> list[tuple[str, str, str]]:
        """What rules and the agent have sent about it: kind, envelope sender, recipient."""
        return [
            (entry.kind, entry.mail.mail_from, entry.mail.rcpt_to)
            for entry in self.agent.outbox()
            if subject in entry.subject
        ]

    def has(self, name: str, subject: str) -> int:
        """How many mails with this subject are in an Inbox."""
        return len(inbox(self.agent, name, subject))


@contextmanager
def outside_of(mta_port: int, port: int) -> Iterator[Outside]:
    outside = Outside(mta_port)
    controller = Controller(outside, hostname=HOST, port=port)
    controller.start()
    try:
        yield outside
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    require_postfix()
    with mail_directory() as directory:
        data = directory / "agent"
        data.mkdir()
        smtp_port, outside_port = free_port(), free_port()
        srs = {
            "DAGENT_RULES_SRS_DOMAIN": SRS_DOMAIN,
            "DAGENT_RULES_SRS_SECRET": "tops3cret",
            "DAGENT_DELIVERY_INTERNAL_DOMAINS": "example.org",
        }
        agent = RunningAgent(data, smtp_port=smtp_port, environ=srs)
        settings = {
            "virtual_mailbox_domains": f"example.org {SRS_DOMAIN}",
            "virtual_transport": f"lmtp:inet:{HOST}:{agent.port}",
            "transport_maps": f"inline:{{{OUTSIDE_DOMAIN}=smtp:[{HOST}]:{outside_port}}}",
            "smtpd_recipient_restrictions": "",
        }
        with (
            agent,
            running_postfix(directory / "postfix", smtp_port, settings) as postfix,
            outside_of(smtp_port, outside_port) as outside,
        ):
            town = Town(agent, postfix, outside)
            town.people_come()
            yield town


def test_two_who_redirect_to_each_other(town: Town) -> None:
    town.sends(CARLA, "anna@example.org", "Round")
    assert [to for _, _, to in town.left("Round")] == ["ben@example.org"]
    assert (town.has("anna", "Round"), town.has("ben", "Round")) == (1, 1)


def test_a_redirect_to_oneself_by_an_alias(town: Town) -> None:
    town.sends(CARLA, "cleo@example.org", "Mirror")
    town.sends(CARLA, "office@example.org", "Mirror")
    assert town.left("Mirror") == []
    assert town.has("cleo", "Mirror") == 2


def test_a_redirect_with_delete(town: Town) -> None:
    town.sends(CARLA, "dora@example.org", "Moved on")
    assert town.left("Moved on") == [("redirect", CARLA, "emil@example.org")]
    assert (town.has("dora", "Moved on"), town.has("emil", "Moved on")) == (0, 1)


def test_a_robot_that_answers_the_answer(town: Town) -> None:
    """It gets one, whatever it writes, and what it writes is kept."""
    town.sends(ROBOT, "fritz@example.org", "Robot: first")
    assert town.left("Robot") == [("answer", "", ROBOT)]
    assert (town.has("fritz", "Robot: first"), town.has("fritz", "Robot: again")) == (1, 1)


def test_a_bounce_of_what_was_redirected_outside(town: Town) -> None:
    """It comes to the address that SRS has made, and goes on to the author with the null sender."""
    town.sends(CARLA, "gerd@example.org", "Farther")
    (redirected,) = town.left("Farther")
    kind, mail_from, to = redirected
    assert (kind, to) == ("redirect", GONE)
    assert mail_from.startswith("SRS0=")
    assert address_key(mail_from).endswith(f"={OUTSIDE_DOMAIN}=carla@{SRS_DOMAIN}")
    assert town.has("gerd", "Farther") == 1
    passed = [one for one in town.agent.outbox() if one.kind == "srs"]
    assert [(one.mail.mail_from, one.mail.rcpt_to) for one in passed] == [("", CARLA)]
    ((sender, raw),) = [(sender, raw) for sender, to, raw in town.outside.came if to == CARLA]
    assert sender == ""
    assert MessageView(raw).root.content_type == "multipart/report"
    assert b"Subject: Farther" in raw
