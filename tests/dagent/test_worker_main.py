import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.servers import free_port
from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from dagent.worker_main import main; main()"]
DEADLINE = 20.0


class Daemon:
    """A running kopano-mr-accept and what it writes."""

    def __init__(self, directory: Path, *arguments: str, **environ: str) -> None:
        self.log_file = directory / "daemon.log"
        with self.log_file.open("ab") as output:
            self.process = subprocess.Popen(
                [*COMMAND, *arguments],
                cwd=ROOT,
                env=dict(os.environ) | {"DAGENT_DATA": str(directory)} | environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
            )

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def ended(self) -> int:
        """Wait for its end and return the exit code."""
        return self.process.wait(DEADLINE)

    def says(self, words: str) -> None:
        wait_for(lambda: words in self.log, timeout=DEADLINE, what=words)


@contextmanager
def daemon(directory: Path, *arguments: str, **environ: str) -> Iterator[Daemon]:
    running = Daemon(directory, *arguments, **environ)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
        running.process.communicate()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_ends_on_a_signal_and_tells_systemd(ending: signal.Signals, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(DEADLINE)
        with daemon(tmp_path, NOTIFY_SOCKET=str(tmp_path / "notify")) as running:
            assert manager.recv(100) == b"READY=1"
            running.process.send_signal(ending)
            assert manager.recv(100) == b"STOPPING=1"
            assert running.ended() == 0
    assert running.log.endswith("stopped\n")


def test_a_redis_that_is_away_is_one_warning(tmp_path: Path) -> None:
    url = f"redis://:geheim@127.0.0.1:{free_port()}/0"
    with daemon(tmp_path, DAGENT_QUEUE_URL=url) as running:
        running.says("cannot be used")
        running.says("ready: 2 booking threads")
        running.process.terminate()
        assert running.ended() == 0
    assert running.log.count("cannot be used") == 1
    assert "geheim" not in running.log


def test_hangup_reads_the_settings_again(tmp_path: Path) -> None:
    config = tmp_path / "kopano.toml"
    config.write_text("")
    with daemon(tmp_path, "--config", str(config)) as running:
        running.says("ready: 2 booking threads")
        config.write_text("[queue]\nurl = 'http://x'\n")
        running.process.send_signal(signal.SIGHUP)
        running.says("settings not reloaded, the old ones stay: ")
        config.write_text("[rules]\nsrs_domain = 'x y'\n")
        running.process.send_signal(signal.SIGHUP)
        running.says("the old ones stay: [rules] srs_")
        config.write_text("[log]\nlog_level = 'debug'\n[queue]\nworkers = 3\n")
        running.process.send_signal(signal.SIGHUP)
        running.says("settings reloaded; changed: log.log_level")
        running.says("only a restart takes it over: queue.workers")
        config.write_text("[log]\nlog_level = 'warning'\n")
        running.process.send_signal(signal.SIGHUP)
        running.process.terminate()
        assert running.ended() == 0
    # The stop is told at a level that is not logged any more.
    assert not running.log.endswith("stopped\n")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[queue]\nurl = 'localhost:6379'\n", "[queue] url: expected a URL that begins with"),
        ("[queue]\nurl = 'redis://localhost/first'\n", "[queue] url: expected the number"),
        ("[queue]\nworkers = 'many'\n", "[queue] workers: expected a whole number"),
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
    (line,) = running.log.splitlines()
    assert line.startswith("kopano-mr-accept: ")
    assert words in line


def test_database_that_is_away_is_a_temporary_failure(tmp_path: Path) -> None:
    url = "postgresql+psycopg://postgres@127.0.0.1:1/none"
    with daemon(tmp_path, DAGENT_STORE_DATABASE=url) as running:
        assert running.ended() == 75
    assert running.log.startswith("kopano-mr-accept: database postgresql")


@pytest.mark.parametrize(("option", "words"), [("--version", b"0."), ("--help", b"--config")])
def test_asks_and_ends(option: str, words: bytes, tmp_path: Path) -> None:
    with daemon(tmp_path, option) as running:
        output, _ = running.process.communicate(timeout=DEADLINE)
        assert running.ended() == 0
    assert words in output
