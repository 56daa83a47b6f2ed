"""Who gets a mail that Postfix hands over by LMTP: groups, details, a catch-all, nobody, and full mailboxes."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.support.agent import RunningAgent
from tests.support.mta import ANNA, BEN, DELIVERY_SECONDS, HOST, inbox, mail_directory, submit
from tests.support.postfix import RunningPostfix, require_postfix, running_postfix
from tests.support.servers import free_port
from tests.support.waiting import wait_for

CARLA = "carla@example.org"
TEAM = "team@example.org"
LARGE = b"x" * 76 * 20_000  # more than the megabyte of the quota
SETTINGS = '[delivery]\ndetail_folder = true\nquota_full = "{}"\n'


class Site(NamedTuple):
    """An agent and the Postfix in front of it."""

    agent: RunningAgent
    postfix: RunningPostfix

    def writes(self, to: str, subject: str, content: bytes = b"Hello") -> None:
        """Carla sends a mail."""
        head = f"From: {CARLA}\r\nTo: {to}\r\nSubject: {subject}\r\n\r\n".encode()
        submit(self.postfix.port, CARLA, [to], head + content + b"\r\n")

    def gets(self, name: str, subject: str, folder: str = "Inbox") -> bytes:
        """The only mail of a folder with this subject, once it is there."""
        (mail,) = wait_for(
            lambda: self.has(name, subject, folder),
            timeout=DELIVERY_SECONDS,
            what=f"{name} has {subject!r} in {folder}",
        )
        return mail

    def has(self, name: str, subject: str, folder: str = "Inbox") -> list[bytes]:
        """The mails of a folder with this subject."""
        wanted = f"Subject: {subject}\r\n".encode()
        return [mail for mail in self.agent.mails(name, folder) if wanted in mail]

    def log_of(self, address: str) -> list[str]:
        """What Postfix has logged about handing mail over to an address."""
        return [
            line
            for line in self.postfix.log().splitlines()
            if f"to=<{address}>" in line and "/lmtp[" in line
        ]

    def bounced(self, address: str) -> str:
        """The line that says why Postfix has given up, once carla has its report."""
        report = wait_for(
            lambda: [
                mail
                for mail in inbox(self.agent, "carla", "Undelivered Mail")
                if f"<{address}>" in mail.as_string()
            ],
            timeout=DELIVERY_SECONDS,
            what=f"carla has the report about {address}",
        )
        assert len(report) == 1
        (line,) = self.log_of(address)
        return line


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    require_postfix()
    with mail_directory() as directory:
        data = directory / "agent"
        data.mkdir()
        smtp_port = free_port()
        agent = RunningAgent(data, smtp_port=smtp_port)
        agent.config.write_text(SETTINGS.format("reject"))
        settings = {
            "virtual_transport": f"lmtp:inet:{HOST}:{agent.port}",
            "virtual_mailbox_domains": "example.org catch.example",
            "smtpd_recipient_restrictions": "",  # what the agent refuses is the transport's to report
        }
        agent.add_user("anna", add_aliases=("@catch.example",))
        agent.add_user("ben")
        agent.add_user("carla")
        for words in (
            ("-g", "team", "-e", TEAM),
            ("-b", "anna", "-i", "team"),
            ("-b", "ben", "-i", "team"),
        ):
            assert agent.admin(*words).returncode == 0
        with agent, running_postfix(directory / "postfix", smtp_port, settings) as postfix:
            yield Site(agent, postfix)


def test_a_group_is_one_recipient_and_each_member_has_one_copy(site: Site) -> None:
    site.writes(TEAM, "To all")
    for name in ("anna", "ben"):
        mail = site.gets(name, "To all")
        assert f"Delivered-To: {name}@example.org\r\n".encode() in mail
    wait_for(lambda: site.log_of(TEAM), timeout=DELIVERY_SECONDS)
    (line,) = site.log_of(TEAM)
    assert "dsn=2.1.5, status=sent" in line
    assert not site.log_of(ANNA)


def test_a_detail_goes_to_its_folder(site: Site) -> None:
    site.writes("anna+drafts@example.org", "For a folder")
    site.gets("anna", "For a folder", "Drafts")
    site.writes("anna+nothing@example.org", "For no folder")
    site.gets("anna", "For no folder")


def test_the_catch_all_takes_what_is_nobodys(site: Site) -> None:
    site.writes("whoever@catch.example", "For whoever")
    site.gets("anna", "For whoever")


def test_mail_to_nobody_bounces(site: Site) -> None:
    site.writes("nobody@example.org", "For nobody")
    line = site.bounced("nobody@example.org")
    assert "dsn=5.1.1, status=bounced" in line
    assert "said: 550 5.1.1" in line


def test_over_quota_bounces_or_waits_as_the_setting_says(site: Site) -> None:
    assert site.agent.admin("-u", "ben", "--qo", "yes", "--qh", "1").returncode == 0
    site.writes(BEN, "Too much", LARGE)
    assert "dsn=5.2.2, status=bounced" in site.bounced(BEN)
    site.agent.config.write_text(SETTINGS.format("defer"))
    site.agent.hang_up()
    wait_for(lambda: "quota_full" in site.agent.log(), timeout=DELIVERY_SECONDS)
    site.writes(BEN, "Much", LARGE)
    wait_for(lambda: "452 4.2.2" in site.postfix.queue(), timeout=DELIVERY_SECONDS)
    assert "dsn=4.2.2, status=deferred" in site.log_of(BEN)[-1]
    assert site.has("ben", "Much") == []
    assert site.agent.admin("-u", "ben", "--qh", "100").returncode == 0
    site.postfix.flush()
    site.gets("ben", "Much")
    wait_for(lambda: "is empty" in site.postfix.queue(), timeout=DELIVERY_SECONDS)
    assert site.has("ben", "Too much") == []
