"""A private Postfix: the sample configuration with other ports, in a directory of its own.

Queue, data, log and configuration are all below that directory; nothing of the system's Postfix is read or
written.  Its processes drop their privileges, so it needs root.
"""

import os
import re
import shutil
import signal
import smtplib
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.mta import HOST, ending_with_us, require_root
from tests.support.servers import missing_server
from tests.support.waiting import wait_for

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "postfix"
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin"
START_SECONDS = 30.0
STOP_SECONDS = 30.0
TEST_ONLY = {
    "inet_interfaces": "loopback-only",
    "maximal_backoff_time": "30s",
    "minimal_backoff_time": "30s",
    "queue_run_delay": "30s",
    "smtpd_error_sleep_time": "0",
    "smtpd_hard_error_limit": "1000",
    "smtpd_peername_lookup": "no",
    "alias_maps": "",
    "alias_database": "",
    "notify_classes": "",
}


class RunningPostfix:
    """One Postfix on a TCP port; `directory` has to be open to its user."""

    def __init__(self, directory: Path, port: int, settings: Mapping[str, str]) -> None:
        self.port = port
        self._config = directory / "config"
        self._log_file = directory / "maillog"
        self._write(directory, settings)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it greets."""
        self._run("postfix", "check")
        daemons = Path(self._run("postconf", "-hx", "daemon_directory").strip())
        self._process = subprocess.Popen(
            ending_with_us([daemons / "master", "-c", self._config, "-s"]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(self._greets, timeout=START_SECONDS, what="Postfix greets")

    def stop(self) -> None:
        """End it with all its processes."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        finally:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)

    def flush(self) -> None:
        """Try everything in the queue now."""
        self._run("postqueue", "-f")

    def queue(self) -> str:
        """What waits, as mailq(1) lists it."""
        return self._run("postqueue", "-p")

    def lookup(self, table: str, key: str) -> str | None:
        """Ask a lookup table as postmap(1) does; None where it is not found."""
        found = self._try("postmap", "-q", key, table)
        assert not found.stderr, found.stderr
        return found.stdout.rstrip("\n") if found.returncode == 0 else None

    def log(self) -> str:
        """What it has logged so far."""
        return self._log_file.read_text("utf-8", "replace") if self._log_file.exists() else ""

    def _write(self, directory: Path, settings: Mapping[str, str]) -> None:
        self._config.mkdir(parents=True)
        for name in ("queue", "data"):
            (directory / name).mkdir()
        shutil.chown(directory / "data", "postfix", "postfix")
        master = (SAMPLES / "master.cf").read_text()
        own = re.sub(r"(?m)^smtp(\s+inet)", rf"{HOST}:{self.port}\1", master)
        assert own != master
        (self._config / "master.cf").write_text(own)
        shutil.copy(SAMPLES / "main.cf", self._config)
        values = {
            "queue_directory": f"{directory}/queue",
            "data_directory": f"{directory}/data",
            "maillog_file": str(self._log_file),
            "maillog_file_prefixes": str(directory),
            **TEST_ONLY,
            **settings,
        }
        self._run("postconf", "-e", *(f"{name}={value}" for name, value in values.items()))

    def _run(self, command: str, *words: str) -> str:
        done = self._try(command, *words)
        assert (done.returncode, done.stderr) == (0, ""), f"{command}: {done}\n{self.log()}"
        return done.stdout

    def _try(self, command: str, *words: str) -> "subprocess.CompletedProcess[str]":
        program = shutil.which(command, path=PATH)
        assert program, f"{command} is missing"
        return subprocess.run(
            [program, "-c", self._config, *words], capture_output=True, text=True, check=False
        )

    def _greets(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"Postfix ended at once:\n{self.log()}"
        try:
            with smtplib.SMTP(HOST, self.port, timeout=5):
                return True
        except OSError:
            return False


def sample_alternative(name: str, directory: Path) -> str:
    """What the sample shows behind a # for unix sockets, with the sockets in `directory`."""
    found = re.search(rf"(?m)^#{name} = (.+)$", (SAMPLES / "main.cf").read_text())
    assert found, f"the sample has no alternative for {name}"
    by_path = found[1].replace("inet:127.0.0.1:2004", "unix:/run/kopano/socketmap.sock")
    return by_path.replace("/run/kopano", str(directory))


@contextmanager
def running_postfix(
    directory: Path, port: int, settings: Mapping[str, str]
) -> Iterator[RunningPostfix]:
    """Start Postfix with the sample configuration changed by `settings`."""
    postfix = RunningPostfix(directory, port, settings)
    try:
        postfix.start()
        yield postfix
    finally:
        postfix.stop()


def require_postfix() -> None:
    """End the running test where there is no Postfix, or nobody who may start it."""
    if shutil.which("postfix", path=PATH) is None:
        missing_server("postfix")
    require_root("Postfix")
