"""Exim and OpenSMTPD in front of a running agent, with the sample configurations."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.support.agent import RunningAgent
from tests.support.meetings import at, meeting_mail
from tests.support.mta import (
    ANNA,
    BEN,
    DELIVERY_SECONDS,
    ROOM,
    add_people,
    connect,
    inbox,
    mail_directory,
    note,
    submit,
    wait_for_reply,
)
from tests.support.private_root import require_unpacked
from tests.support.servers import free_port
from tests.support.unpacked_mtas import Exim, OpenSmtpd, UnpackedMta, running_mta
from tests.support.waiting import wait_for


class Site(NamedTuple):
    """An agent and the mail server in front of it."""

    agent: RunningAgent
    mta: UnpackedMta
    port: int

    def wait_until_sent(self, rcpt_to: str) -> None:
        """Return when the mail server has nothing left for this recipient."""
        wait_for(
            lambda: rcpt_to not in self.mta.waiting(),
            timeout=DELIVERY_SECONDS,
            what=f"the mail server has sent everything to {rcpt_to}",
        )


@pytest.fixture(scope="module", params=[Exim, OpenSmtpd])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    require_unpacked(request.param.package)
    with mail_directory() as directory:
        (directory / "agent").mkdir()
        port = free_port()
        agent = RunningAgent(directory / "agent", smtp_port=port)
        with agent, running_mta(request.param, directory, port, agent) as mta:
            add_people(agent)
            yield Site(agent, mta, port)


def test_the_reply_comes_back_to_the_organiser(site: Site) -> None:
    submit(site.port, ANNA, [ROOM], meeting_mail("planning", at(9), room=ROOM, organizer=ANNA))
    assert "PARTSTAT=ACCEPTED" in wait_for_reply(site.agent, "anna", "planning")


def test_who_does_not_exist_is_refused_at_rcpt(site: Site) -> None:
    with connect(site.port) as session:
        session.mail(BEN)
        assert session.rcpt("nobody@example.org")[0] == 550
        for known in (ANNA, "info@example.org", ROOM):
            code, text = session.rcpt(known)
            assert code == 250, text


def test_a_mail_to_several_reaches_each_once(site: Site) -> None:
    submit(site.port, BEN, [ANNA, BEN], note("several").replace(b"Note", b"Several"))
    for name in ("anna", "ben"):
        site.wait_until_sent(f"{name}@example.org")
        assert len(inbox(site.agent, name, "Several")) == 1


def test_what_comes_while_the_agent_is_away_is_delivered_later_and_once(site: Site) -> None:
    with connect(site.port) as session:
        session.mail(BEN)
        assert session.rcpt(ANNA)[0] == 250
        site.agent.stop()
        code, text = session.data(note("away").replace(b"Note", b"Away"))
        assert code == 250, text
    wait_for(
        lambda: site.mta.nobody_there in site.mta.log(),
        timeout=DELIVERY_SECONDS,
        what="the mail server has found nobody there",
    )
    site.agent.start()
    site.mta.flush()
    site.wait_until_sent(ANNA)
    assert len(inbox(site.agent, "anna", "Away")) == 1


@pytest.mark.parametrize("site", [OpenSmtpd], indirect=True)
def test_who_is_in_the_list_only_waits_in_the_queue(site: Site) -> None:
    submit(site.port, BEN, ["ghost@example.org"], note("ghost", to="ghost@example.org"))
    wait_for(
        lambda: "550 5.1.1 no such user here" in site.mta.waiting(),
        timeout=DELIVERY_SECONDS,
        what="the refusal is in the queue",
    )
