"""Rules that send mail in circles: each ends after a few mails, and nobody loses anything.

What leaves is handed back in at once, as an MTA would that routes the domain here; a mailing list and a robot stand
outside.
"""

import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mailcore.settings import RuleSettings
from store.outbox import OutboxEntry
from tests.support.office import Office

ENOUGH = 20
"""Mails after which a loop counts as endless."""

Outside = Callable[[OutboxEntry], list[tuple[str, str, bytes]]]
"""What somebody outside sends when a mail comes: envelope sender, recipient, content."""


class Circle:
    """An office whose outgoing mail comes back in."""

    def __init__(self, office: Office, outside: Outside = lambda _: []) -> None:
        self.office = office
        self._outside = outside
        self.sent: list[OutboxEntry] = []
        self.replies: list[str] = []

    def start(
        self, raw: bytes, to: str = "anna@example.org", sender: str = "carla@example.net"
    ) -> None:
        waiting = deque([(sender, to, raw)])
        while waiting:
            mail_from, rcpt_to, content = waiting.popleft()
            # The MTA in front of us writes its Received, and some write a Delivered-To above it.
            relayed = (
                f"Delivered-To: {rcpt_to}\r\nReceived: by mta.example.org\r\n".encode() + content
            )
            (reply,) = self.office.deliver(rcpt_to, raw=relayed, sender=mail_from)
            self.replies.append(str(reply))
            for entry in self.office.outbox()[len(self.sent) :]:
                self.sent.append(entry)
                assert len(self.sent) < ENOUGH, "the mail goes round in circles"
                mail = entry.mail
                if mail.rcpt_to.endswith("@example.org"):
                    waiting.append((mail.mail_from, mail.rcpt_to, mail.content))
                else:
                    waiting.extend(self._outside(entry))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    opened = Office(tmp_path)
    yield opened
    opened.close()


def rule(*actions: Any, **more: Any) -> str:
    return json.dumps({"name": "r", "then": list(actions), **more})


RAW = b"From: carla@example.net\r\nTo: anna@example.org\r\nSubject: Lunch\r\n\r\nAt noon?\r\n"


@pytest.mark.parametrize("careful", [True, False])
@pytest.mark.parametrize("action", ["redirect", "forward", "forward_as_attachment", "delegate"])
@pytest.mark.parametrize("then", [[], ["delete"]])
def test_two_who_pass_everything_on_to_each_other(
    office: Office, action: str, careful: bool, then: list[str]
) -> None:
    office.configure(rules=RuleSettings(no_double_forward=careful))
    office.rule("anna", rule({action: "ben@example.org"}, *then))
    office.rule("ben", rule({action: "anna@example.org"}, *then))
    circle = Circle(office)
    circle.start(RAW)
    assert len(circle.sent) <= 2
    assert all(reply.startswith("250") for reply in circle.replies)
    kept = [len(office.mails(name)) for name in ("anna", "ben")]
    assert sum(kept) >= 1, "the mail is lost"
    if not then:
        assert kept[1] == 1


@pytest.mark.parametrize("target", ["info@example.org", "anna+x@example.org", "ANNA@example.org"])
def test_a_forward_to_oneself_by_another_name(office: Office, target: str) -> None:
    office.change("anna", add_aliases=("info@example.org",))
    office.rule("anna", rule({"redirect": target}, "delete"))
    circle = Circle(office)
    circle.start(RAW)
    assert len(circle.sent) <= 1
    assert len(office.mails("anna")) == 1


def test_a_list_that_sends_it_back(office: Office) -> None:
    def mailing_list(entry: OutboxEntry) -> list[tuple[str, str, bytes]]:
        head = b"List-Id: <team.example.com>\r\nPrecedence: list\r\n"
        return [("team-bounces@example.com", "anna@example.org", head + entry.mail.content)]

    for careful in (True, False):
        office.configure(rules=RuleSettings(no_double_forward=careful))
        office.rule("anna", rule({"forward": "team@example.com"}, "delete"))
        circle = Circle(office, mailing_list)
        circle.sent = office.outbox()
        before = len(circle.sent)
        circle.start(RAW + b"%d\r\n" % careful)
        assert len(circle.sent) - before <= 2
    assert office.mails("anna"), "what came back is in the Inbox"


def test_a_reply_rule_against_a_robot(office: Office) -> None:
    def robot(entry: OutboxEntry) -> list[tuple[str, str, bytes]]:
        """Answers everything from its own address, and sets none of the headers that it should."""
        raw = (
            b"From: shop@example.net\r\nTo: anna@example.org\r\nSubject: Re: " + b"\r\n\r\nHi!\r\n"
        )
        return [("shop@example.net", "anna@example.org", raw)] if entry.mail.mail_from else []

    office.rule("anna", rule({"reply": {"text": "Thanks for your mail."}}))
    circle = Circle(office, robot)
    circle.start(RAW, sender="shop@example.net")
    # The reply has the null sender: a robot that answers it would answer nobody.
    assert [entry.kind for entry in circle.sent] == ["answer"]
    assert len(office.mails("anna")) == 1


def test_a_reply_rule_against_a_robot_that_writes_to_the_author(office: Office) -> None:
    def robot(entry: OutboxEntry) -> list[tuple[str, str, bytes]]:
        """Answers to From, whatever the envelope sender and the other headers say."""
        raw = b"From: shop@example.net\r\nTo: anna@example.org\r\nSubject: %d\r\n\r\nHi!\r\n"
        return [("shop@example.net", "anna@example.org", raw % entry.id)]

    office.rule("anna", rule({"reply": {"text": "Thanks for your mail."}}))
    circle = Circle(office, robot)
    circle.start(RAW, sender="shop@example.net")
    assert [entry.kind for entry in circle.sent] == ["answer"]
    assert len(office.mails("anna")) == 2
    circle.start(RAW, sender="carla@example.net")
    assert [entry.mail.rcpt_to for entry in circle.sent] == [
        "shop@example.net",
        "carla@example.net",
    ]


def test_each_reply_of_the_rules_is_a_reply_of_its_own(office: Office) -> None:
    for text in ("Our prices", "Our hours", "Our prices"):
        office.rule("anna", rule({"reply": {"text": text}}))
    office.deliver("anna@example.org", raw=RAW)
    office.deliver("anna@example.org", raw=RAW + b"Again\r\n")
    assert [entry.kind for entry in office.outbox()] == ["answer", "answer"]


def test_a_bounce_that_bounces(office: Office) -> None:
    office.rule("anna", rule({"bounce": "No thanks"}))
    office.rule("ben", rule({"bounce": "Neither do I"}))
    circle = Circle(office)
    raw = RAW.replace(b"carla@example.net", b"ben@example.org")
    circle.start(raw, sender="ben@example.org")
    # The report has the null sender, and so is kept by the one who would bounce it.
    assert [(entry.kind, entry.mail.rcpt_to) for entry in circle.sent] == [
        ("bounce", "ben@example.org")
    ]
    assert [len(office.mails(name)) for name in ("anna", "ben")] == [0, 1]


def test_a_chain_is_as_long_as_max_received_allows_at_most(office: Office) -> None:
    """Even a next hop that strips every header of ours but Received sees an end."""

    def stripping(entry: OutboxEntry) -> list[tuple[str, str, bytes]]:
        head, _, body = entry.mail.content.partition(b"\r\n\r\n")
        fields = [
            line
            for line in head.replace(b"\r\n\t", b" ").split(b"\r\n")
            if line.lower().startswith((b"received:", b"from:", b"subject:"))
        ]
        return [
            ("carla@example.net", "anna@example.org", b"\r\n".join(fields) + b"\r\n\r\n" + body)
        ]

    settings = replace(office.settings.delivery, max_received=6)
    office.configure(delivery=settings, rules=RuleSettings(no_double_forward=False))
    office.rule("anna", rule({"redirect": "dora@example.com"}, "delete"))
    circle = Circle(office, stripping)
    circle.start(RAW)
    assert len(circle.sent) <= 6
    assert circle.replies[-1].startswith("550 5.4.6")
