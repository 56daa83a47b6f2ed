"""swaks, another client, straight to a running agent: over TCP and a unix socket, pipelined, and inside TLS."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.agent import RunningAgent
from tests.support.certificates import make_certificate
from tests.support.mta import ANNA, BEN, HOST, add_people
from tests.support.servers import missing_server


class Site(NamedTuple):
    """An agent, and the unix socket beside its port."""

    agent: RunningAgent
    path: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("swaks")
    certificate = make_certificate(directory)
    environ = {
        "DAGENT_LMTP_TLS_CERTIFICATE": str(certificate),
        "DAGENT_LMTP_TLS_KEY": str(certificate.with_suffix(".key")),
    }
    path = directory / "lmtp.sock"
    agent = RunningAgent(directory, environ=environ)
    agent.settings["DAGENT_LMTP_LISTEN"] = f"{HOST}:{agent.port} unix:{path}"
    with agent:
        add_people(agent)
        yield Site(agent, path)


def swaks(*words: str) -> str:
    """Run it, which has to succeed, and return the dialogue."""
    program = shutil.which("swaks")
    if program is None:
        missing_server("swaks")
    done = subprocess.run(
        [program, "--protocol", "LMTP", "--from", "a@example.net", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    if "--tls" in words and "Net::SSLeay" in done.stdout + done.stderr:
        missing_server("libnet-ssleay-perl")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("way", [[], ["--pipeline"], ["--tls"]], ids=["plain", "pipelined", "tls"])
@pytest.mark.parametrize("unix", [False, True], ids=["tcp", "unix"])
def test_swaks(site: Site, unix: bool, way: list[str], request: pytest.FixtureRequest) -> None:
    where = ["--socket", str(site.path)] if unix else ["--server", f"{HOST}:{site.agent.port}"]
    subject = request.node.callspec.id
    said = swaks("--to", f"{ANNA},{BEN}", "--header", f"Subject: {subject}", *where, *way)
    assert said.count(" 250 2.1.5 delivered") == 2, said
    for name in ("anna", "ben"):
        (mail,) = [one for one in site.agent.mails(name) if f"Subject: {subject}".encode() in one]
        assert (b"with LMTPS id" if "--tls" in way else b"with LMTP id") in mail
