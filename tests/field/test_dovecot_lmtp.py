"""Finished mail handed on to a real Dovecot: what arrives there, its replies, and what happens when it is away.

Each test has users of its own; Dovecot has those of USERS, the agent's own settings send everybody there.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from delivery.hop_session import DOWN_SECONDS
from mailcore.errors import TemporaryError
from mailcore.reply import LmtpReply
from mailcore.view import MessageView
from store.mailboxes import StoredOof
from store.personal import add_rule, save_oof
from tests.support.agent import RunningAgent
from tests.support.dovecot import RunningDovecot, running_dovecot
from tests.support.meetings import at, meeting_mail
from tests.support.mta import BEN, HOST, mail_directory
from tests.support.waiting import wait_for

USERS = ("anna", "ben", "carla", "dora", "emil", "frida", "gustav", "hanna", "room")
SETTINGS = """\
recipient_delimiter = +
lmtp_save_to_detail_mailbox = yes
lda_mailbox_autocreate = yes
mail_plugins = $mail_plugins quota
plugin {
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=1M
  quota_grace = 0
}
"""
RAW = (
    b"From: ben@example.org\r\nTo: friends@example.org\r\nSubject: K\xc3\xa4se\r\n\r\n"
    b".\r\n..\r\n.dot\r\n\xff\xfe\r\n" + b"x" * 3000 + b"\r\n\r\n"
)


@pytest.fixture(scope="module")
def dovecot() -> Iterator[RunningDovecot]:
    with (
        mail_directory() as directory,
        running_dovecot(directory, USERS, settings=SETTINGS) as running,
    ):
        yield running


@pytest.fixture
def agent(tmp_path: Path, dovecot: RunningDovecot) -> Iterator[RunningAgent]:
    hop = {
        "DAGENT_DELIVERY_DELIVER_VIA": f"lmtp:{HOST}:{dovecot.lmtp_port}",
        "DAGENT_DELIVERY_DELIVER_VIA_DETAIL": "true",
    }
    with RunningAgent(tmp_path, environ=hop) as running:
        yield running


def send(agent: RunningAgent, *names: str, raw: bytes = RAW) -> list[LmtpReply]:
    with agent.client() as client:
        return client.send(BEN, [f"{name}@example.org" for name in names], raw)


def codes(replies: list[LmtpReply]) -> list[str]:
    return [f"{reply.code} {reply.enhanced}" for reply in replies]


def there(dovecot: RunningDovecot, user: str, folder: str = "INBOX") -> list[bytes]:
    """The mails that Dovecot has."""
    with dovecot.imap(user) as session:
        answers = session.run(f'SELECT "{folder}"')
        if ["0", "EXISTS"] in answers:
            return []
        return [mail["BODY[]"] for mail in session.fetch("1:*", "BODY.PEEK[]")]  # type: ignore[misc]


def add_rules(agent: RunningAgent, name: str, *actions: object) -> None:
    with agent.store() as parts, parts.database.write() as connection:
        mailbox = parts.directory.resolve(name).mailbox
        for number, action in enumerate(actions, start=1):
            document = json.dumps({"name": f"rule {number}", "then": [action]})
            add_rule(connection, mailbox.id, number, True, 1, document)


def be_away(agent: RunningAgent, name: str) -> None:
    with agent.store() as parts, parts.database.write() as connection:
        mailbox = parts.directory.resolve(name).mailbox
        save_oof(connection, mailbox.id, StoredOof(True, "Away", "In June.", None, None, 0.0))


# -- what arrives


def test_mail_arrives_byte_for_byte_and_once(agent: RunningAgent, dovecot: RunningDovecot) -> None:
    agent.add_user("anna")
    (reply,) = send(agent, "anna")
    assert (reply.code, reply.enhanced) == (250, "2.0.0")
    assert reply.text.startswith("<anna@example.org> ")  # as Dovecot says it
    assert reply.text.endswith(" Saved")
    assert codes(send(agent, "anna")) == ["250 2.1.5"]  # known by the ledger
    (mail,) = there(dovecot, "anna")
    assert mail.endswith(RAW)
    view = MessageView(mail)
    assert view.headers("Return-Path") == (f"<{BEN}>",)
    assert view.headers("Delivered-To") == ("anna@example.org",) * 2  # Dovecot's and ours
    assert "by mx.example.org with LMTP id " in view.headers("Received")[1]
    assert agent.mails("anna") == []
    assert "hop=lmtp:" in agent.log()


def test_folders_are_told_as_a_detail(agent: RunningAgent, dovecot: RunningDovecot) -> None:
    agent.add_user("carla")
    add_rules(agent, "carla", {"copy": "Lists/Python"}, {"copy": "K\xe4se"})
    assert codes(send(agent, "carla")) == ["250 2.0.0"]
    # Dovecot 2.3 takes no UTF-8 address: that copy is the one in the Inbox.
    assert [len(there(dovecot, "carla", path)) for path in ("INBOX", "Lists/Python")] == [1, 1]
    spam = RAW.replace(b"Subject:", b"X-Spam-Status: Yes, 7\r\nSubject:")
    assert codes(send(agent, "carla", raw=spam)) == ["250 2.0.0"]
    (mail,) = there(dovecot, "carla", "Junk E-mail")
    assert mail.endswith(spam)
    assert len(there(dovecot, "carla")) == 1


def test_direct_delivery_hands_on_too(agent: RunningAgent, dovecot: RunningDovecot) -> None:
    agent.add_user("dora")
    hop = f"lmtp:unix:{dovecot.lmtp_socket}"
    assert agent.admin("-u", "dora", "--deliver-via", hop).returncode == 0
    agent.add_user("unknown")
    shown = agent.deliver("dora", "--dry-run", content=RAW).stdout.decode()
    assert f"next hop: {hop}\n" in shown
    assert there(dovecot, "dora") == []
    assert agent.deliver("dora", content=RAW).returncode == 0
    assert len(there(dovecot, "dora")) == 1
    refused = agent.deliver("unknown", content=RAW)
    assert refused.returncode == 70
    assert b"550 5.1.1" in refused.stderr


# -- its replies


def test_each_recipient_has_its_own_fate(agent: RunningAgent, dovecot: RunningDovecot) -> None:
    for name in ("ben", "full", "unknown", "ours"):
        agent.add_user(
            name, address="emil@example.org" if name == "full" else f"{name}@example.org"
        )
    assert agent.admin("-u", "ours", "--deliver-via", "store").returncode == 0
    with dovecot.imap("emil") as session:
        session.append("INBOX", [b"Subject: large\r\n\r\n" + b"x" * 900_000 + b"\r\n"])
    raw = RAW + b"y" * 200_000 + b"\r\n"
    replies = send(agent, "ben", "unknown", "emil", "ours", raw=raw)
    assert codes(replies) == ["250 2.0.0", "550 5.1.1", "552 5.2.2", "250 2.1.5"]
    assert "Quota exceeded" in replies[2].text
    assert there(dovecot, "ben")[0].endswith(raw)
    assert agent.mails("ours")[0].endswith(raw)
    assert agent.mails("unknown") == agent.mails("full") == []


def test_while_it_is_down_the_sender_keeps_the_mail(
    agent: RunningAgent, dovecot: RunningDovecot
) -> None:
    agent.add_user("frida")
    agent.add_user("ours")
    assert agent.admin("-u", "ours", "--deliver-via", "store").returncode == 0
    dovecot.stop()
    try:
        for _ in range(2):
            assert codes(send(agent, "frida", "ours")) == ["451 4.4.1", "250 2.1.5"]
    finally:
        dovecot.start()
    wait_for(
        lambda: codes(send(agent, "frida")) == ["250 2.0.0"],
        timeout=4 * DOWN_SECONDS,
        what="Dovecot is asked again",
    )
    assert len(there(dovecot, "frida")) == 1
    assert len(agent.mails("ours")) == 1


# -- a crash


def test_a_crash_after_its_250_repeats_and_answers_once(
    agent: RunningAgent, dovecot: RunningDovecot
) -> None:
    agent.add_user("gustav")
    be_away(agent, "gustav")
    raw = RAW.replace(b"friends@", b"gustav@")
    agent.kill()
    agent.start(failpoints="after-hand-over:kill")
    with agent.client() as client:
        try:
            replies = codes(client.send(BEN, ["gustav@example.org"], raw))
        except TemporaryError:
            replies = []
    assert replies in ([], ["451 4.4.2"])
    agent.wait_until_killed()
    agent.start()
    assert codes(send(agent, "gustav", raw=raw)) == ["250 2.0.0"]
    assert codes(send(agent, "gustav", raw=raw)) == ["250 2.1.5"]
    assert len(there(dovecot, "gustav")) == 2
    assert [entry.kind for entry in agent.outbox()] == ["oof"]


# -- the booker


def test_what_the_booker_hands_back_goes_on(agent: RunningAgent, dovecot: RunningDovecot) -> None:
    sent = {}
    for number, name in enumerate(("room", "elsewhere"), start=1):
        agent.add_room(name)
        raw = meeting_mail("one", at(9), room=f"{name}@example.org")
        sent[name] = raw.replace(b"BEGIN:VEVENT", b"BEGIN:NOTHING")
        assert codes(send(agent, name, raw=sent[name])) == ["250 2.1.5"]
        assert [job.fate for job in agent.wait_for_jobs(number)] == ["ordinary"] * number
    (mail,) = there(dovecot, "room")
    assert mail.endswith(sent["room"])
    assert agent.mails("room") == []
    (kept,) = agent.mails("elsewhere")  # Dovecot knows no such user, and the mail has had its 250
    assert kept.endswith(sent["elsewhere"])
    assert "kept in the Inbox of our own store" in agent.log()
