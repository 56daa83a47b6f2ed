"""The postman and next hops: their quota counts, and nobody else waits for one that misbehaves."""

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mailcore.errors import MailboxFullError
from mailcore.settings import DeliverySettings
from tests.support.agent import HOST, RunningAgent
from tests.support.office import Office
from userstore.model import Quota

RAW = b"Subject: Lunch\r\n\r\nAt noon?\r\n"


def send(agent: RunningAgent, name: str) -> str:
    with agent.client() as client:
        (reply,) = client.send("ben@example.net", [f"{name}@example.org"], RAW)
    return f"{reply.code} {reply.enhanced}"


def test_our_quota_is_not_asked_for_a_mailbox_elsewhere(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.change("anna", quota=Quota(hard=1_000))
    with pytest.raises(MailboxFullError):
        office.resolve("anna@example.org", 2_000)
    office.configure(delivery=DeliverySettings(deliver_via="lmtp:127.0.0.1:24"))
    assert office.resolve("anna@example.org", 2_000)
    office.close()


def test_a_next_hop_that_hangs_holds_up_nobody_else_and_no_stop(tmp_path: Path) -> None:
    settings = {
        "DAGENT_LMTP_SHUTDOWN_GRACE": "1",
        "DAGENT_DELIVERY_DELIVER_VIA_CONNECT_TIMEOUT": "600",
    }
    with (
        socket.create_server((HOST, 0)) as hop,
        RunningAgent(tmp_path, environ=settings) as agent,
        ThreadPoolExecutor() as pool,
    ):
        agent.add_user("anna")
        agent.add_user("ben")
        address = f"lmtp:{HOST}:{hop.getsockname()[1]}"
        assert agent.admin("-u", "ben", "--deliver-via", address).returncode == 0
        waiting = pool.submit(send, agent, "ben")
        connection, _ = hop.accept()  # it waits for our greeting now
        with connection:
            assert send(agent, "anna") == "250 2.1.5"
            assert agent.stop() == 0
            assert waiting.result() in {"451 4.4.1", "451 4.4.2"}


def test_a_next_hop_that_is_ourselves_ends_the_loop(tmp_path: Path) -> None:
    agent = RunningAgent(tmp_path)
    agent.settings["DAGENT_DELIVERY_DELIVER_VIA"] = f"lmtp:{HOST}:{agent.port}"
    with agent:
        agent.add_user("anna")
        assert send(agent, "anna") == "550 5.4.6"
