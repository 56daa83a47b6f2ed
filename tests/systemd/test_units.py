"""The units are well formed, as confined as the documentation says, and mail flows under that confinement."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from store.events import add_event, list_events
from tests.support.agent import COMMANDS, RunningAgent
from tests.support.meetings import at, meeting_mail
from tests.support.servers import missing_server
from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "systemd"
SERVICES = ("kopano-dagent", "kopano-mr-accept", "kopano-spooler")
ALL = [f"{name}.service" for name in SERVICES] + ["kopano-dagent.socket", "kopano.target"]


@pytest.fixture(autouse=True)
def analyze() -> str:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        missing_server("systemd")
    return tool


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units with our commands where these are, since systemd looks whether they exist."""
    for path in UNITS.glob("*.*"):
        if path.is_file():
            text = path.read_text().replace("/usr/bin/kopano-", f"{COMMANDS}/kopano-")
            (tmp_path / path.name).write_text(text)
    return tmp_path


def test_nothing_is_missing_or_unknown_in_any_unit(units: Path, analyze: str) -> None:
    assert sorted(path.name for path in UNITS.glob("*.*") if path.is_file()) == sorted(ALL)
    done = subprocess.run(
        [analyze, "verify", "--man=no", *(units / name for name in ALL)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_verify_would_find_a_mistake(units: Path, analyze: str) -> None:
    """Older versions only warn: the test above has to look at what is said."""
    path = units / "kopano-spooler.service"
    path.write_text(path.read_text().replace("ProtectClock=", "ProtectClocks="))
    done = subprocess.run(
        [analyze, "verify", "--man=no", path], capture_output=True, text=True, check=False
    )
    assert "ProtectClocks" in done.stdout + done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_exposure_is_what_the_documentation_says(name: str, units: Path, analyze: str) -> None:
    documented = re.search(
        rf"`{name}\.service` \| (\d+\.\d)", (ROOT / "docs/systemd.md").read_text()
    )
    assert documented is not None
    done = subprocess.run(
        [analyze, "security", "--offline=yes", "--no-pager", units / f"{name}.service"],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Overall exposure level for \S+: (\d+\.\d)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    assert float(found[1]) <= float(documented[1])


@pytest.mark.parametrize("name", SERVICES)
def test_commands_are_those_that_a_package_installs(name: str) -> None:
    text = (UNITS / f"{name}.service").read_text()
    (command,) = re.findall(r"^ExecStart=(\S+)", text, flags=re.MULTILINE)
    assert command == f"/usr/bin/{name}"
    assert (COMMANDS / name).exists()


@pytest.mark.parametrize("name", SERVICES)
def test_life_of_each_service(name: str) -> None:
    lines = (UNITS / f"{name}.service").read_text().splitlines()
    assert "Type=notify" in lines
    assert "Restart=on-failure" in lines
    assert "RestartPreventExitStatus=78" in lines
    assert "ExecReload=/bin/kill -HUP $MAINPID" in lines
    assert ("WatchdogSec=60s" in lines) == (name == "kopano-dagent"), "only it beats"


def test_sysusers_makes_the_user_that_the_services_run_as() -> None:
    text = (UNITS / "sysusers.d/kopano.conf").read_text()
    assert re.search(r"^u kopano ", text, flags=re.MULTILINE)
    for name in SERVICES:
        assert "\nUser=kopano\n" in (UNITS / f"{name}.service").read_text()


class ConfinedAgent(RunningAgent):
    """An agent that may do what its unit allows."""

    def run(
        self, command: str, *words: str, failpoints: str = "", log_file: Path | None = None
    ) -> "subprocess.Popen[bytes]":
        wrapper = [sys.executable, ROOT / "tests/support/confined.py", UNITS / f"{command}.service"]
        with (log_file or self.log_file).open("ab") as log:
            return subprocess.Popen(
                [*wrapper, COMMANDS / command, *words, "--config", self.config],
                env=self._environ(failpoints),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


def test_mail_and_bookings_flow_under_the_confinement(tmp_path: Path) -> None:
    path = tmp_path / "lookups.sock"  # a unix socket is given its permissions
    with ConfinedAgent(tmp_path, environ={"DAGENT_SOCKETMAP_LISTEN": f"unix:{path}"}) as agent:
        agent.add_user("anna")
        agent.add_room("room")
        large = b"Subject: large\r\n\r\n" + b"x" * 70 + b"\r\n" * 1_000_000
        request = meeting_mail("1@example.net", at(9), room="room@example.org")
        with agent.client() as client:
            for rcpt_to, content in (("anna", large), ("room", request)):
                (reply,) = client.send("b@example.net", [f"{rcpt_to}@example.org"], content)
                assert reply.code == 250, agent.log()
        assert path.is_socket()
        (job,) = agent.wait_for_jobs(1)
        assert job.fate == "accepted", agent.log()
        assert agent.stop() == 0
        assert "Operation not permitted" not in agent.log()
        assert "Traceback" not in agent.log()
        assert len(agent.mails("anna")) == 1
        (answer,) = agent.outbox()
        assert answer.kind == "reply"


def test_scripts_of_events_run_and_are_killed_under_the_confinement(tmp_path: Path) -> None:
    scripts = tmp_path / "createuser.d"
    scripts.mkdir(mode=0o755)
    for name, body in {"10": "sleep 1000 & echo $KOPANO_USER", "20": "sleep 1000"}.items():
        (scripts / name).write_text(f"#!/bin/sh\n{body}\n")
        (scripts / name).chmod(0o755)
    environ = {
        "DAGENT_EVENTS_SCRIPTS_DIRECTORY": str(tmp_path),
        "DAGENT_EVENTS_SCRIPT_TIMEOUT": "0.5",
    }
    with ConfinedAgent(tmp_path, environ=environ) as agent, agent.store() as parts:
        with parts.database.write() as connection:
            add_event(connection, "createuser", {"KOPANO_USER": "anna"})

        def output() -> str:
            with parts.database.read() as connection:
                return list_events(connection)[0].output

        ended = wait_for(output, timeout=20, what="the scripts have run")
        assert ended == "10: exit code 0\nanna\n20: killed after 0.5 seconds", agent.log()


@pytest.mark.parametrize(
    "forbidden",
    [
        "import mmap; mmap.mmap(-1, 4096, prot=7)",
        "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "import os; os.chroot('/')",
        "import os; os.setpriority(os.PRIO_PROCESS, 0, 0)",
    ],
)
def test_confinement_is_in_force(forbidden: str) -> None:
    wrapper = [ROOT / "tests/support/confined.py", UNITS / "kopano-dagent.service"]
    done = subprocess.run(
        [sys.executable, *wrapper, sys.executable, "-c", forbidden],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "PermissionError" in done.stderr
