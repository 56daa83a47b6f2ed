import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from store.blobs import BlobStore
from store.commit import Committer
from store.engine import Database
from store.mailboxes import create_mailbox
from store.migrate import ensure_schema
from store.outbox import QUEUED, SENT
from tests.spooler.outbox import Outbox
from tests.spooler.sink import Sink, running_sink
from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from dagent.spooler_main import main; main()"]
DEADLINE = 20.0


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as running:
        yield running


@pytest.fixture
def outbox(database_url: str) -> Iterator[Outbox]:
    database = Database(database_url)
    ensure_schema(database)
    with database.write() as connection:
        store_id = create_mailbox(connection, "1", "anna")
    yield Outbox(database, Committer(database, BlobStore(None, 65536)), store_id)
    database.close()


class Daemon:
    """A running kopano-spooler and what it writes."""

    def __init__(self, directory: Path, *arguments: str, **environ: str) -> None:
        self.log = directory / "daemon.log"
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [*COMMAND, *arguments],
                cwd=ROOT,
                env=dict(os.environ) | {"DAGENT_DATA": str(directory)} | environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
            )

    def ended(self) -> int:
        """Wait for its end and return the exit code."""
        return self.process.wait(DEADLINE)

    def says(self, words: str) -> None:
        wait_for(lambda: words in self.log.read_text(), timeout=DEADLINE, what=words)


@contextmanager
def daemon(directory: Path, *arguments: str, **environ: str) -> Iterator[Daemon]:
    running = Daemon(directory, *arguments, **environ)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
        running.process.communicate()


def settings(database_url: str, sink: Sink) -> dict[str, str]:
    return {
        "DAGENT_STORE_DATABASE": database_url,
        "DAGENT_SPOOLER_SMTP_URL": sink.url,
        "DAGENT_SPOOLER_POLL_INTERVAL": "0.1",
    }


def test_repeat_after_a_kill_has_the_same_bytes(
    database_url: str, outbox: Outbox, sink: Sink, tmp_path: Path
) -> None:
    mails = outbox.queue("ann@x.org", "ben@x.org")
    environ = settings(database_url, sink)
    with daemon(tmp_path, **environ, DAGENT_FAILPOINTS="before-sent-mark:kill") as killed:
        assert killed.ended() == -signal.SIGKILL
    assert sink.rcpts() == ["ann@x.org", "ben@x.org"]
    assert outbox.states() == [QUEUED, QUEUED]
    outbox.let_time_pass()  # what the dead one held is free again
    with daemon(tmp_path, **environ) as successor:
        wait_for(lambda: outbox.states() == [SENT, SENT], timeout=DEADLINE, what="the repeat")
        successor.process.send_signal(signal.SIGTERM)
        assert successor.ended() == 0
    first, repeat = sink.received[:2], sink.received[2:]
    assert first == repeat
    assert [received.content for received in repeat] == [mail.content for mail in mails]
    assert b"Message-ID: <m1@example.org>\r\n" in repeat[0].content


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_ends_on_a_signal_and_tells_systemd(
    ending: signal.Signals, tmp_path: Path, sink: Sink
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(DEADLINE)
        with daemon(
            tmp_path,
            NOTIFY_SOCKET=str(tmp_path / "notify"),
            DAGENT_SPOOLER_SMTP_URL=sink.url,
        ) as running:
            assert manager.recv(100) == b"READY=1"
            running.process.send_signal(ending)
            assert manager.recv(100) == b"STOPPING=1"
            assert running.ended() == 0


def test_hangup_reads_the_settings_again(tmp_path: Path) -> None:
    config = tmp_path / "kopano.toml"
    config.write_text('[spooler]\nsmtp_url = "smtp://127.0.0.1:1"\n')
    with daemon(tmp_path, "--config", str(config)) as running:
        running.says("sends to smtp://127.0.0.1:1\n")
        config.write_text('[spooler]\nsmtp_url = "http://127.0.0.1:2"\n')
        running.process.send_signal(signal.SIGHUP)
        running.says("the settings were not reloaded: ")
        config.write_text('[spooler]\nsmtp_url = "smtp://127.0.0.1:3"\n')
        running.process.send_signal(signal.SIGHUP)
        running.says("sends to smtp://127.0.0.1:3\n")
        running.process.send_signal(signal.SIGTERM)
        assert running.ended() == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[spooler]\nsmtp_uri = 'x'\n", "unknown setting 'smtp_uri'"),
        ("[spooler]\nsmtp_url = 'smtp://host:port'\n", "smtp_url: expected"),
        ("[store]\ndatabase = 'mysql://x'\n", "database URL"),
        ("no toml", "is not valid TOML"),
    ],
)
def test_bad_configuration_ends_at_once_with_one_line(
    content: str, words: str, tmp_path: Path
) -> None:
    config = tmp_path / "kopano.toml"
    config.write_text(content)
    with daemon(tmp_path, "--config", str(config)) as running:
        assert running.ended() == 78
    (line,) = running.log.read_text().splitlines()
    assert line.startswith("kopano-spooler: ")
    assert words in line


def test_database_that_is_away_is_a_temporary_failure(tmp_path: Path) -> None:
    url = "postgresql+psycopg://postgres@127.0.0.1:1/none"
    with daemon(tmp_path, DAGENT_STORE_DATABASE=url) as running:
        assert running.ended() == 75
    assert running.log.read_text().startswith("kopano-spooler: database postgresql")


@pytest.mark.parametrize(("option", "words"), [("--version", b"0."), ("--help", b"--config")])
def test_asks_and_ends(option: str, words: bytes, tmp_path: Path) -> None:
    with daemon(tmp_path, option) as running:
        output, _ = running.process.communicate(timeout=DEADLINE)
        assert running.ended() == 0
    assert words in output
