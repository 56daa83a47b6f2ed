"""A private kopano-dagent for the demo, driven only through its command lines and LMTP.

It has no configuration file: a temporary data directory and a few environment variables are all.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from delivery.lmtp_client import LmtpClient
from mailcore.reply import LmtpReply

COMMANDS = Path(sys.executable).parent
HOST = "127.0.0.1"
START_SECONDS = 30.0
QUIET_SECONDS = 30.0
STOP_SECONDS = 40.0


class AgentError(Exception):
    """The agent did not do what the demo needs; the text has what it said."""


class Agent:
    """A kopano-dagent of our own, running inside the `with` block."""

    def __init__(self, data: Path, lmtp_port: int, smtp_port: int) -> None:
        self.data = data
        self.lmtp_port = lmtp_port
        self.environ = {
            "DAGENT_DATA": str(data),
            "DAGENT_LMTP_LISTEN": f"{HOST}:{self.lmtp_port}",
            "DAGENT_SPOOLER_SMTP_URL": f"smtp://{HOST}:{smtp_port}",
        }
        self._log = data / "agent.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [COMMANDS / "kopano-dagent", "-l"],
                env={**os.environ, **self.environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            self._wait_until_it_listens(self._process)
        except AgentError:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def wait(self) -> None:
        """Return when the agent has ended by itself."""
        if self._process is not None:
            self._process.wait()

    def admin(self, *arguments: str) -> str:
        """Run kopano-admin and return what it printed; raises AgentError when it fails."""
        done = subprocess.run(
            [COMMANDS / "kopano-admin", *arguments],
            env={**os.environ, **self.environ},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise AgentError(f"kopano-admin {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def deliver(self, mail_from: str, rcpt_tos: list[str], content: bytes) -> list[LmtpReply]:
        """Send one message by LMTP; return one reply per recipient, in their order."""
        with LmtpClient(HOST, self.lmtp_port, timeout=60) as client:
            return client.send(mail_from, rcpt_tos, content)

    def wait_until_quiet(self) -> list[Mapping[str, Any]]:
        """Return all booking jobs once none of them is pending and no mail waits to leave.

        Raises AgentError when that takes too long.
        """
        deadline = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < deadline:
            # Jobs first: the end of a job and the answer it puts into the outbox are one transaction.
            jobs = self._json("--list-jobs")
            if any(job["state"] == "pending" for job in jobs):
                continue
            if not any(mail["state"] == "queued" for mail in self._json("--list-outbox")):
                return jobs
        raise AgentError(f"still busy after {QUIET_SECONDS:g} s; {self._said()}")

    def bookings(self, resource: str) -> list[Mapping[str, Any]]:
        """Return what kopano-admin lists as booked for a resource."""
        return self._json("--list-bookings", resource)

    def _json(self, *arguments: str) -> list[Mapping[str, Any]]:
        rows: list[Mapping[str, Any]] = json.loads(self.admin(*arguments, "--json"))
        return rows

    def _wait_until_it_listens(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise AgentError(f"kopano-dagent ended with {process.returncode}; {self._said()}")
            try:
                socket.create_connection((HOST, self.lmtp_port), 1).close()
            except ConnectionRefusedError:
                time.sleep(0.05)
            else:
                return
        raise AgentError(f"kopano-dagent does not listen after {START_SECONDS:g} s; {self._said()}")

    def _said(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-20:]
        return "\n".join(["the end of its log:", *lines])

    def _stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AgentError(f"kopano-dagent ignored TERM for {STOP_SECONDS:g} s") from None


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 on which nothing listens at this moment."""
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
