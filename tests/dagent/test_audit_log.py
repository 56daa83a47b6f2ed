"""Audit lines arrive where the settings say, and nowhere else; every daemon says when it starts and ends."""

import json
import logging
import os
import re
import signal
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dagent.audit_log import audit, audit_signal, audit_startup, setup_audit
from mailcore.errors import UsageError
from mailcore.settings import AuditSettings, LogSettings, Settings
from tests.support.agent import RunningAgent
from tests.support.waiting import wait_for

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d"


@pytest.fixture(autouse=True)
def logger_of_the_test_run() -> Iterator[None]:
    before = (audit.handlers[:], audit.level, audit.propagate)
    yield
    for handler in audit.handlers:
        if handler not in before[0]:
            handler.close()
    audit.handlers, audit.propagate = before[0], before[2]
    audit.setLevel(before[1])


@pytest.fixture
def syslog(tmp_path: Path) -> Iterator[socket.socket]:
    """What stands at /dev/log."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "log"))
        receiver.settimeout(10)
        yield receiver


def audited(**said: Any) -> Settings:
    return Settings(audit=AuditSettings(audit_log_enabled=True, **said))


def to_file(path: Path) -> Settings:
    return audited(audit_log_method="file", audit_log_file=str(path))


def test_nothing_is_written_unless_it_is_asked_for(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    setup_audit(Settings(), "kopano-dagent", tmp_path / "no-syslog")
    audit_startup("kopano-dagent")
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_syslog_gets_facility_name_and_line(
    syslog: socket.socket, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    setup_audit(audited(), "kopano-dagent", tmp_path / "log")
    audit_startup("kopano-dagent")
    audit.warning("authenticate failed user=%s", "'ü'")
    authpriv, informational, warning = 10 << 3, 6, 4
    head = f"kopano-dagent[{os.getpid()}]: "
    assert [syslog.recv(1000).decode() for _ in range(2)] == [
        f"<{authpriv + informational}>{head}kopano-dagent startup by user uid={os.getuid()}",
        f"<{authpriv + warning}>{head}authenticate failed user='ü'",
    ]
    assert caplog.records == []


def test_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    setup_audit(audited(audit_log_method="stderr"), "kopano-spooler")
    assert audit_signal("kopano-spooler", signal.SIGTERM) == signal.SIGTERM
    assert re.fullmatch(
        f"{TIME} INFO audit: kopano-spooler signalled sig=15\n", capfd.readouterr().err
    )


def test_stderr_is_json_where_the_log_is(capfd: pytest.CaptureFixture[str]) -> None:
    settings = replace(audited(audit_log_method="stderr"), log=LogSettings(log_format="json"))
    setup_audit(settings, "kopano-dagent")
    audit_startup("kopano-dagent")
    said = json.loads(capfd.readouterr().err)
    assert said["logger"] == "audit"
    assert said["message"] == f"kopano-dagent startup by user uid={os.getuid()}"


def test_file_is_appended_to_and_follows_a_rotation(tmp_path: Path) -> None:
    path, rotated = tmp_path / "audit.log", tmp_path / "audit.log.1"
    path.write_text("before\n")
    setup_audit(to_file(path), "kopano-dagent")
    audit.info("one")
    path.rename(rotated)
    audit.info("two")
    setup_audit(to_file(path), "kopano-dagent")  # as a HUP does
    audit.info("three")
    head = re.escape(f"kopano-dagent[{os.getpid()}]: ")
    assert re.fullmatch(f"before\n{TIME} {head}one\n", rotated.read_text())
    assert re.fullmatch(f"{TIME} {head}two\n{TIME} {head}three\n", path.read_text())


def test_a_file_that_cannot_be_opened_changes_nothing(tmp_path: Path) -> None:
    setup_audit(to_file(tmp_path / "audit.log"), "kopano-dagent")
    nowhere = tmp_path / "missing" / "audit.log"
    expected = rf"\[audit\] audit_log_file {re.escape(str(nowhere))}: cannot be opened: No such"
    with pytest.raises(UsageError, match=expected):
        setup_audit(to_file(nowhere), "kopano-dagent")
    audit.info("still")
    assert "still" in (tmp_path / "audit.log").read_text()


@pytest.mark.parametrize("away", ["at the start", "later"])
def test_a_line_that_is_lost_is_in_the_ordinary_log(
    away: str, syslog: socket.socket, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / ("log" if away == "later" else "nowhere")
    setup_audit(audited(), "kopano-dagent", path)
    syslog.close()
    path.unlink(missing_ok=True)
    audit.info("who was it?")
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("dagent.audit_log", logging.ERROR)
    assert "audit line not written: " in record.getMessage()
    assert record.getMessage().endswith(": who was it?")


@pytest.mark.parametrize("command", ["kopano-dagent", "kopano-mr-accept", "kopano-spooler"])
def test_every_daemon_says_when_it_starts_and_what_signals_it_gets(
    command: str, tmp_path: Path
) -> None:
    path = tmp_path / "audit.log"
    environ = {
        "DAGENT_AUDIT_AUDIT_LOG_ENABLED": "yes",
        "DAGENT_AUDIT_AUDIT_LOG_METHOD": "file",
        "DAGENT_AUDIT_AUDIT_LOG_FILE": str(path),
    }
    agent = RunningAgent(tmp_path, environ=environ)
    words = ["-l"] if command == "kopano-dagent" else []
    with agent.run(command, *words) as process:
        try:
            wait_for(lambda: path.exists() and path.read_text(), timeout=30, what="it starts")
            process.send_signal(signal.SIGHUP)
            wait_for(lambda: "reloaded" in agent.log(), timeout=10, what="the HUP")
            process.terminate()
            assert process.wait(30) == 0, agent.log()
        finally:
            process.kill()
    pid = process.pid
    assert [
        line.partition(f" {command}[{pid}]: ")[2] for line in path.read_text().splitlines()
    ] == [
        f"{command} startup by user uid={os.getuid()}",
        f"{command} signalled sig=1",
        f"{command} signalled sig=15",
    ]
    assert "audit" not in agent.log()


def test_a_file_that_cannot_be_opened_stops_the_start(tmp_path: Path) -> None:
    config = tmp_path / "kopano.toml"
    agent = RunningAgent(tmp_path)
    config.write_text(
        "[audit]\naudit_log_enabled = true\naudit_log_method = 'file'\n"
        f"audit_log_file = '{tmp_path}/missing/audit.log'\n"
    )
    with agent.run("kopano-dagent", "-l") as process:
        assert process.wait(30) == 78
    assert (
        f"kopano-dagent: [audit] audit_log_file {tmp_path}/missing/audit.log: cannot" in agent.log()
    )
