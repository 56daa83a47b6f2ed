"""What tests with a real mail server share: a directory it may enter, mail to send, and what comes back."""

import email
import email.policy
import os
import shutil
import smtplib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.support.agent import RunningAgent
from tests.support.waiting import wait_for

HOST = "127.0.0.1"
ANNA = "anna@example.org"
BEN = "ben@example.org"
ROOM = "room@example.org"
DELIVERY_SECONDS = 60.0


@contextmanager
def mail_directory() -> Iterator[Path]:
    """A directory that the users of mail servers may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory(prefix="mta-", dir="/tmp") as name:  # short, for unix sockets
        directory = Path(name)
        directory.chmod(0o755)
        yield directory


def require_root(what: str, environ: Mapping[str, str] = os.environ) -> None:
    """End the running test where nobody may start what needs root; where servers are required, it fails."""
    if os.geteuid() == 0:
        return
    reason = f"{what} has to be started by root"
    if environ.get("REQUIRE_SERVERS") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def ending_with_us(words: Sequence[str | Path]) -> list[str | Path]:
    """The command, to be told to end when the test run is killed; where util-linux is there."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--", *words] if setpriv else [*words]


def add_people(agent: RunningAgent) -> None:
    """Two people and a room; anna is info@example.org too."""
    agent.add_user("anna", add_aliases=("info@example.org",))
    agent.add_user("ben")
    agent.add_room("room")


def connect(port: int) -> smtplib.SMTP:
    """An SMTP session with a server here, greeted."""
    session = smtplib.SMTP(HOST, port, timeout=DELIVERY_SECONDS)
    session.ehlo("client.example.net")
    return session


def submit(port: int, mail_from: str, rcpt_tos: Sequence[str], content: bytes) -> None:
    """Send a mail by SMTP; every recipient has to be taken."""
    with connect(port) as session:
        refused = session.sendmail(mail_from, rcpt_tos, content)
    assert not refused


def note(message_id: str, *, to: str = ANNA, body: str = "Hello\r\n") -> bytes:
    """A plain mail from ben."""
    head = [f"From: {BEN}", f"To: {to}", "Subject: Note", f"Message-ID: <{message_id}@example.org>"]
    return "\r\n".join([*head, "", body]).encode()


def inbox(agent: RunningAgent, name: str, subject: str) -> list[EmailMessage]:
    """The mails in a user's Inbox whose subject contains `subject`."""
    parsed = [
        email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.default)
        for raw in agent.mails(name)
    ]
    return [mail for mail in parsed if subject in str(mail["Subject"])]


def calendar_replies(agent: RunningAgent, name: str, uid: str) -> list[str]:
    """The REPLYs about `uid` in a user's Inbox, as iCalendar text with unfolded lines."""
    found = []
    for raw in agent.mails(name):
        for part in email.message_from_bytes(raw).walk():
            if part.get_content_type() != "text/calendar":
                continue
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            text = payload.decode().replace("\r\n ", "")
            if f"UID:{uid}\r\n" in text and "METHOD:REPLY" in text:
                found.append(text)
    return found


def wait_for_reply(agent: RunningAgent, name: str, uid: str) -> str:
    """Return the first REPLY about `uid` that reaches a user's Inbox."""
    return wait_for(
        lambda: calendar_replies(agent, name, uid),
        timeout=DELIVERY_SECONDS,
        what=f"the REPLY about {uid} reaches {name}",
    )[0]
