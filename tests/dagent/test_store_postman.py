"""The postman over a real store: groups, quota, rewritten addresses, folders elsewhere, hooks, the raw log."""

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from dagent.srs_relay import PassingOn
from delivery.deliver import Planned, plan_message
from delivery.hooks import Hook, Hooks, Verdict
from mailcore.envelope import Envelope
from mailcore.errors import MailboxFullError, NoSuchRecipientError, TemporaryError
from mailcore.reply import DELIVERED, TRY_LATER, LmtpReply
from mailcore.settings import (
    DeliverySettings,
    LogSettings,
    RuleSettings,
)
from mailcore.view import MessageView
from store.public import create_public_store
from store.rights import Right, grant
from tests.support.office import MAIL, SENDER, Office
from userstore.model import Quota, User


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    opened = Office(tmp_path, database_url)
    yield opened
    opened.close()


def test_a_group_reaches_each_member_once(office: Office) -> None:
    replies = office.deliver("sales@example.org", "anna@example.org")
    assert replies == [DELIVERED, DELIVERED]
    assert [len(office.mails(name)) for name in ("anna", "ben")] == [1, 1]
    assert b"Delivered-To: ben@example.org\r\n" in office.read("ben")


@pytest.mark.parametrize(("size", "full"), [(0, False), (500, False), (2_000, True)])
def test_quota_is_asked_at_rcpt(office: Office, size: int, full: bool) -> None:
    office.change("anna", quota=Quota(hard=1_000))
    if not full:
        assert office.resolve("anna@example.org", size)
        return
    with pytest.raises(MailboxFullError) as refused:
        office.resolve("anna@example.org", size)
    assert str(refused.value.reply).startswith("552 5.2.2")
    office.configure(delivery=DeliverySettings(quota_full="defer"))
    with pytest.raises(MailboxFullError) as refused:
        office.resolve("anna@example.org", size)
    assert str(refused.value.reply).startswith("452 4.2.2")
    # A group is asked only when nobody in it has room; and who only asks who that is, hears.
    assert office.resolve("sales@example.org", size)
    assert office.resolve("anna@example.org", None)


def test_a_mailbox_that_fills_up_while_the_mail_is_sent(office: Office) -> None:
    office.change("anna", quota=Quota(hard=600))
    assert office.deliver("anna@example.org") == [DELIVERED]
    again = MAIL + b"Or at one?\r\n" * 10

    async def session() -> list[LmtpReply]:
        found = [await office.postman.resolve("anna@example.org", 0)]
        envelope = Envelope(SENDER, ("anna@example.org",))
        return list(await office.postman.deliver(envelope, found, again))

    office.postman._handover = None
    (reply,) = asyncio.run(session())
    assert str(reply).startswith("552 5.2.2")
    assert len(office.mails("anna")) == 1


def test_a_report_to_a_rewritten_sender_goes_on(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.configure(rules=RuleSettings(srs_domain="srs.example.org", srs_secret="s3cret"))
    srs = office.postman.site.srs
    assert srs is not None
    office.rule("anna", '{"name": "on", "then": [{"redirect": "dora@example.com"}]}')
    assert office.deliver("anna@example.org") == [DELIVERED]
    (redirected,) = office.outbox()
    rewritten = redirected.mail.mail_from
    assert isinstance(office.resolve(rewritten), PassingOn)
    with caplog.at_level(logging.INFO):
        replies = office.deliver(
            "ben@example.org", rewritten, raw=b"Subject: failed\r\n\r\n", sender=""
        )
    assert replies == [DELIVERED, DELIVERED]
    assert "route=srs" in caplog.text
    report = office.outbox()[1]
    assert (report.kind, report.store_id) == ("srs", None)
    assert (report.mail.mail_from, report.mail.rcpt_to) == ("", "carla@example.net")
    assert report.mail.content.startswith(b"Received: ")
    assert report.mail.content.endswith(b"Subject: failed\r\n\r\n")
    assert len(office.mails("ben")) == 1
    forged = rewritten.replace("SRS0=", "SRS0=x", 1)
    with pytest.raises(NoSuchRecipientError):
        office.resolve(forged)


def test_a_report_goes_on_once_though_planning_fails_for_others(office: Office) -> None:
    rules = RuleSettings(srs_domain="srs.example.org", srs_secret="s3cret")
    office.configure(rules=rules)
    assert office.postman.site.srs is not None
    rewritten = office.postman.site.srs.envelope_sender(SENDER, "dora@example.com", time.time())
    office.configure(Hooks([("gate", Gate())]), rules=rules)
    with pytest.raises(TemporaryError, match="hook gate failed"):
        office.deliver("ben@example.org", rewritten, raw=b"Subject: fail\r\n\r\n", sender="")
    assert office.outbox() == []  # the client tries again for both
    office.configure(rules=rules)
    office.deliver("ben@example.org", rewritten, raw=b"Subject: fail\r\n\r\n", sender="")
    assert len(office.outbox()) == 1


def test_a_large_group_is_planned_in_a_thread(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = set()

    def noted(*arguments: Any, **options: Any) -> Planned:
        threads.add(threading.current_thread().name.partition("_")[0])
        return plan_message(*arguments, **options)

    monkeypatch.setattr("dagent.store_postman.plan_message", noted)
    assert office.deliver("sales@example.org") == [DELIVERED]
    assert threads == {"MainThread"}
    monkeypatch.setattr("dagent.store_postman._FEW", 1)
    assert office.deliver("sales@example.org", raw=MAIL + b"!\r\n") == [DELIVERED]
    assert threads == {"MainThread", "large-mail"}


@pytest.mark.parametrize("allowed", [True, False])
def test_a_rule_may_file_where_its_owner_may_write(office: Office, allowed: bool) -> None:
    with office.parts.database.write() as connection:
        public_id = create_public_store(connection)
        if not allowed:
            grant(connection, public_id, "everyone", Right.READ)
    document = '{"name": "p", "then": [{"move": "Public Folders", "store": "public"}]}'
    office.rule("anna", document)
    assert office.deliver("anna@example.org") == [DELIVERED]
    filed = office.mails_of(office.mailbox("public:"), "Public Folders")
    assert [len(filed), len(office.mails("anna"))] == ([1, 0] if allowed else [0, 1])


def test_an_archive_in_another_mailbox(office: Office) -> None:
    office.configure(delivery=DeliverySettings(archive_folder="Archive/Mail", archive_store="ben"))
    assert office.deliver("anna@example.org") == [DELIVERED]
    assert [len(office.mails("anna")), len(office.mails("ben", "Archive/Mail"))] == [1, 1]
    office.configure(delivery=DeliverySettings(archive_folder="Archive", archive_store="nobody"))
    assert office.deliver("anna@example.org", raw=MAIL + b"!\r\n") == [TRY_LATER]
    assert len(office.mails("anna")) == 1


class Gate(Hook):
    """Drops, refuses, changes or fails, as the subject asks."""

    def post_converting(self, message: MessageView, envelope: Envelope) -> bytes | None:
        if message.subject == "change":
            return message.raw + b"-- \r\nscanned\r\n"
        if message.subject == "fail":
            raise RuntimeError("scanner down")
        return None

    def pre_delivery(self, message: MessageView, envelope: Envelope, user: User) -> Verdict:
        known = {
            "refuse": Verdict(reply=LmtpReply(550, "5.7.1", "not here")),
            "junk": Verdict(junk=True),
            "drafts": Verdict(folder="Drafts"),
        }
        return known.get(message.subject, Verdict())

    def pre_rules(self, message: MessageView, envelope: Envelope, user: User) -> bool:
        return message.subject != "no rules"

    told: ClassVar[list[tuple[str, str, str]]] = []

    def post_delivery(
        self, message: MessageView, envelope: Envelope, user: User, reply: LmtpReply
    ) -> None:
        self.told.append((message.subject, user.name, str(reply)[:3]))
        raise RuntimeError("only logged")


@pytest.mark.parametrize(
    ("subject", "failure", "code", "folder"),
    [
        ("change", "defer", 250, "Inbox"),
        ("refuse", "defer", 550, ""),
        ("junk", "defer", 250, "Junk E-mail"),
        ("drafts", "defer", 250, "Drafts"),
        ("fail", "defer", 451, ""),
        ("fail", "skip", 250, "Inbox"),
        ("other", "defer", 250, "Deleted Items"),
        ("no rules", "defer", 250, "Inbox"),
    ],
)
def test_hooks(office: Office, subject: str, failure: str, code: int, folder: str) -> None:
    office.rule(
        "anna",
        '{"name": "o", "when": {"any": [{"header": "Subject", "is": "other"},'
        ' {"header": "Subject", "is": "no rules"}]}, "then": [{"move": "Deleted Items"}]}',
    )
    Gate.told.clear()
    office.configure(Hooks([("gate", Gate())], failure=failure))
    raw = f"Subject: {subject}\r\n\r\nx\r\n".encode()
    if (subject, failure) == ("fail", "defer"):
        with pytest.raises(Exception, match="hook gate failed"):
            office.deliver("anna@example.org", raw=raw)
        return
    (reply,) = office.deliver("anna@example.org", raw=raw)
    assert reply.code == code
    places = ("Inbox", "Drafts", "Junk E-mail", "Deleted Items")
    assert [path for path in places if office.mails("anna", path)] == ([folder] if folder else [])
    assert Gate.told == [(subject, "anna", str(code))]
    if subject == "change":
        assert office.read("anna").endswith(b"x\r\n-- \r\nscanned\r\n")
        assert office.deliver("anna@example.org", raw=raw) == [DELIVERED]  # a repeat
        assert len(office.mails("anna")) == 1


@pytest.mark.parametrize(
    ("asked", "kept"), [("no", 0), ("all", 2), ("error", 0), ("anna", 2), ("ben carl", 0)]
)
def test_the_raw_log(office: Office, tmp_path: Path, asked: str, kept: int) -> None:
    directory = tmp_path / "kept"
    office.configure(log=LogSettings(log_raw_message=asked, log_raw_message_path=str(directory)))
    assert office.deliver("anna@example.org") == [DELIVERED]
    files = sorted(directory.iterdir()) if directory.exists() else []
    assert len(files) == kept
    if kept:
        message, about = files
        assert message.read_bytes() == MAIL
        assert message.stat().st_mode & 0o777 == 0o600
        assert "to: <anna@example.org> (anna): 250 2.1.5" in about.read_text()


def test_the_raw_log_keeps_what_was_refused_and_stays_small(office: Office, tmp_path: Path) -> None:
    directory = tmp_path / "kept"
    log = LogSettings(
        log_raw_message="error", log_raw_message_path=str(directory), log_raw_message_limit=1
    )
    office.configure(log=log)
    for number in range(4):
        looped = b"Received: x\r\n" * 50 + f"X-N: {number}\r\n".encode() + MAIL
        (reply,) = office.deliver("anna@example.org", raw=looped + b"x" * 400_000)
        assert reply.code == 550
    sizes = [path.stat().st_size for path in directory.iterdir()]
    assert 800_000 < sum(sizes) <= 1_048_576


def test_a_raw_log_that_cannot_be_written_is_no_mails_trouble(
    office: Office, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    taken = tmp_path / "file"
    taken.write_text("")
    office.configure(log=LogSettings(log_raw_message="all", log_raw_message_path=str(taken)))
    for number in range(3):
        assert office.deliver("anna@example.org", raw=MAIL + b"%d" % number) == [DELIVERED]
    warned = [record for record in caplog.records if "raw message log" in record.getMessage()]
    assert len(warned) == 1
