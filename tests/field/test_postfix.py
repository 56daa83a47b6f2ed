"""Postfix in front of a running agent, with the sample configuration: in by LMTP, out by SMTP, and back."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.agent import RunningAgent
from tests.support.meetings import at, meeting_mail
from tests.support.mta import (
    ANNA,
    BEN,
    DELIVERY_SECONDS,
    HOST,
    ROOM,
    add_people,
    connect,
    inbox,
    mail_directory,
    note,
    submit,
    wait_for_reply,
)
from tests.support.postfix import (
    RunningPostfix,
    require_postfix,
    running_postfix,
    sample_alternative,
)
from tests.support.servers import free_port, missing_server
from tests.support.waiting import wait_for

TCP = "tcp, verified by LMTP"
UNIX = "unix sockets, socketmap"
LARGEST = 52_000_000
"""Octets: message_size_limit in the sample."""


class Site(NamedTuple):
    """An agent and the Postfix in front of it."""

    agent: RunningAgent
    postfix: RunningPostfix
    directory: Path

    def wait_until_sent(self) -> None:
        """Return when Postfix has nothing left."""
        wait_for(
            lambda: "Mail queue is empty" in self.postfix.queue(),
            timeout=DELIVERY_SECONDS,
            what="Postfix has sent everything",
        )


def settings_for_tcp(port: int) -> dict[str, str]:
    """The sample with the agent's port."""
    return {
        "virtual_transport": f"lmtp:inet:{HOST}:{port}",
        "address_verify_negative_refresh_time": "1s",
    }


def settings_for_unix(directory: Path) -> dict[str, str]:
    """The alternatives that the sample shows, with the sockets in this directory."""
    return {
        "virtual_transport": sample_alternative("virtual_transport", directory),
        "virtual_mailbox_maps": sample_alternative("virtual_mailbox_maps", directory),
        "smtpd_recipient_restrictions": "",
    }


@contextmanager
def running_site(*, unix: bool) -> Iterator[Site]:
    """Both sides: TCP and recipients verified by LMTP, or unix sockets and a socketmap."""
    require_postfix()
    with mail_directory() as directory:
        data = directory / "agent"
        data.mkdir()
        smtp_port = free_port()
        sockets = {
            "DAGENT_LMTP_LISTEN": f"unix:{directory}/lmtp.sock",
            "DAGENT_LMTP_UNIX_GROUP": "postfix",
            "DAGENT_SOCKETMAP_LISTEN": f"unix:{directory}/socketmap.sock",
        }
        agent = RunningAgent(data, smtp_port=smtp_port, environ=sockets if unix else {})
        settings = settings_for_unix(directory) if unix else settings_for_tcp(agent.port)
        with agent, running_postfix(directory / "postfix", smtp_port, settings) as postfix:
            add_people(agent)
            yield Site(agent, postfix, directory)


@pytest.fixture(scope="module", params=[TCP, UNIX])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with running_site(unix=request.param == UNIX) as running:
        yield running


def test_the_reply_comes_back_to_the_organiser(site: Site) -> None:
    meeting = meeting_mail("planning", at(9), room=ROOM, organizer=ANNA)
    submit(site.postfix.port, ANNA, [ROOM], meeting)
    reply = wait_for_reply(site.agent, "anna", "planning")
    assert "PARTSTAT=ACCEPTED" in reply
    (mail,) = inbox(site.agent, "anna", "Accepted")
    assert any("(Postfix)" in received for received in mail.get_all("Received", []))
    assert mail["Return-Path"] == f"<{ROOM}>"


def test_swaks_invites_a_room_that_is_taken(site: Site, tmp_path: Path) -> None:
    swaks = shutil.which("swaks")
    if swaks is None:
        missing_server("swaks")
    for uid, organizer in (("first", ANNA), ("second", BEN)):
        mail = tmp_path / f"{uid}.eml"
        mail.write_bytes(meeting_mail(uid, at(14), room=ROOM, organizer=organizer))
        server = ["--server", f"{HOST}:{site.postfix.port}", "--from", organizer, "--to", ROOM]
        done = subprocess.run(
            [swaks, *server, "--data", f"@{mail}"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
        name = organizer.partition("@")[0]
        answer = "ACCEPTED" if uid == "first" else "DECLINED"
        assert f"PARTSTAT={answer}" in wait_for_reply(site.agent, name, uid)


def test_who_does_not_exist_is_refused_at_rcpt(site: Site) -> None:
    with connect(site.postfix.port) as session:
        session.mail(BEN)
        code, text = session.rcpt("nobody@example.org")
        assert (code, text[:5]) == (550, b"5.1.1"), text
        for known in (ANNA, "info@example.org", ROOM):
            code, text = session.rcpt(known)
            assert code == 250, text


def test_who_was_refused_is_taken_once_created(site: Site) -> None:
    with connect(site.postfix.port) as session:
        session.mail(BEN)
        assert session.rcpt("newcomer@example.org")[0] == 550
        site.agent.add_user("newcomer")
        wait_for(
            lambda: session.rcpt("newcomer@example.org")[0] == 250,
            timeout=DELIVERY_SECONDS,
            what="Postfix knows the new mailbox",
        )
    submit(site.postfix.port, BEN, ["newcomer@example.org"], note("welcome"))
    wait_for(lambda: inbox(site.agent, "newcomer", "Note"), timeout=DELIVERY_SECONDS)


def test_what_comes_while_the_agent_is_away_is_delivered_later_and_once(site: Site) -> None:
    with connect(site.postfix.port) as session:
        session.mail(BEN)
        assert session.rcpt(ANNA)[0] == 250
        site.agent.stop()
        code, text = session.data(note("while-away").replace(b"Note", b"Away"))
        assert code == 250, text
    wait_for(
        lambda: "lmtp" in site.postfix.queue() or "connect to" in site.postfix.queue(),
        timeout=DELIVERY_SECONDS,
        what="Postfix has found nobody there",
    )
    site.agent.start()
    site.postfix.flush()
    site.wait_until_sent()
    assert len(inbox(site.agent, "anna", "Away")) == 1


def test_an_agent_that_dies_before_its_reply_delivers_once(site: Site) -> None:
    site.agent.stop()
    site.agent.start("before-reply:kill")
    submit(site.postfix.port, BEN, [ANNA], note("dying").replace(b"Note", b"Dying"))
    site.agent.wait_until_killed()
    site.agent.start()
    wait_for(
        lambda: "dsn=4." in site.postfix.log().rpartition("daemon started")[2],
        timeout=DELIVERY_SECONDS,
        what="Postfix has noticed",
    )
    site.postfix.flush()
    site.wait_until_sent()
    assert len(inbox(site.agent, "anna", "Dying")) == 1


@pytest.mark.parametrize("site", [TCP], indirect=True)
def test_the_largest_mail_fits_and_a_larger_one_is_refused_at_once(site: Site) -> None:
    content = note("large").replace(b"Note", b"Large") + (b"x" * 76 + b"\r\n") * 666_600
    assert LARGEST - 20_000 < len(content) < LARGEST
    submit(site.postfix.port, BEN, [ANNA], content)
    site.wait_until_sent()
    assert len(inbox(site.agent, "anna", "Large")) == 1
    with connect(site.postfix.port) as session:
        assert session.mail(BEN, [f"SIZE={LARGEST + 1}"])[0] == 552


@pytest.mark.parametrize("site", [UNIX], indirect=True)
def test_the_alias_map(site: Site) -> None:
    table = sample_alternative("virtual_alias_maps", site.directory)
    assert site.postfix.lookup(table, "INFO@example.org") == ANNA
    assert site.postfix.lookup(table, ANNA) is None


@pytest.mark.parametrize("site", [UNIX], indirect=True)
def test_with_a_socketmap_recipients_wait_for_the_agent(site: Site) -> None:
    site.agent.stop()
    with connect(site.postfix.port) as session:
        session.mail(BEN)
        code, text = session.rcpt(ANNA)
        assert (code, text[:5]) == (451, b"4.3.0"), text
        site.agent.start()
        assert session.rcpt(ANNA)[0] == 250
