"""A private Redis, and a private Sentinel: temporary directories, loopback ports, nothing on disk.

A server can be stopped, frozen and started again on its port; what comes back is empty, as after
the loss of its host.
"""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.support.servers import free_port, missing_server
from tests.support.waiting import wait_for

HOST = "127.0.0.1"
PASSWORD = "p:w/%?#@ö"
START_SECONDS = 20
STOP_SECONDS = 20
SERVICE = "mymaster"
AT_ONCE = Retry(NoBackoff(), 0)
"""Without it a client waits for seconds before it says that nobody listens."""


def find_redis() -> str:
    """The server's program; without one the test ends here."""
    return shutil.which("redis-server") or missing_server("redis-server")


class RedisServer:
    """One server; `options` are added to those of its command line."""

    def __init__(self, directory: Path, *options: str, port: int = 0) -> None:
        self.directory = directory
        self.port = port or free_port()
        self.path = directory / "redis.sock"
        self.url = f"redis://{HOST}:{self.port}/0"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        network = ["--port", str(self.port), "--bind", HOST, "--unixsocket", str(self.path)]
        storage = ["--save", "", "--appendonly", "no", "--dir", str(self.directory)]
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*ending_with_us(), find_redis(), *network, *storage, *self._options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_for(self._answers, timeout=START_SECONDS, what="Redis starts")

    def stop(self) -> None:
        """Kill it, frozen or not; safe to repeat."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
            self._process = None

    def replace(self) -> None:
        """Let an empty server take its place."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Let it take connections, and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def client(self, **options: Any) -> "redis.Redis":
        """A client; close it after use."""
        return redis.Redis(unix_socket_path=str(self.path), retry=AT_ONCE, **options)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.directory / "server.log").read_text()
        with suppress(redis.ConnectionError), self.client() as client:
            try:
                return bool(client.ping())
            except redis.AuthenticationError:
                return True
        return False


@contextmanager
def running_redis(*options: str) -> Iterator[RedisServer]:
    """A server for the time of the `with` block."""
    find_redis()
    with tempfile.TemporaryDirectory(prefix="redis-") as name:
        server = RedisServer(Path(name), *options)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def running_sentinel(master: RedisServer, password: str) -> Iterator[int]:
    """A sentinel that watches `master`, whose password that is, and the replica that `master` has.

    Yields the sentinel's port.  It gives a silent master up within a second.
    """
    # Sentinel looks for replicas every ten seconds only: there should be one when it begins.
    with master.client(password=password) as client:
        wait_for(lambda: _follows(client), timeout=START_SECONDS, what="the replica follows")
    with tempfile.TemporaryDirectory(prefix="sentinel-") as name:
        port = free_port()
        config = Path(name, "sentinel.conf")
        lines = [
            f"bind {HOST}",
            f"port {port}",
            f"dir {name}",
            f"sentinel monitor {SERVICE} {HOST} {master.port} 1",
            f'sentinel auth-pass {SERVICE} "{password}"',
            f"sentinel down-after-milliseconds {SERVICE} 500",
            f"sentinel failover-timeout {SERVICE} 2000",
        ]
        config.write_text("\n".join(lines) + "\n")
        process = _start_sentinel(config)
        try:
            wait_for(lambda: _replicas(port) > 0, timeout=START_SECONDS, what="Sentinel watches")
            yield port
        finally:
            process.kill()
            process.wait(STOP_SECONDS)


def _follows(master: Any) -> bool:
    replica = master.info("replication").get("slave0", {})
    return bool(replica.get("state") == "online")


def _start_sentinel(config: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*ending_with_us(), find_redis(), str(config), "--sentinel"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _replicas(port: int) -> int:
    """How many replicas the sentinel knows: it finds them by asking the master."""
    with suppress(redis.RedisError), redis.Redis(HOST, port, retry=AT_ONCE) as client:
        replicas: Sequence[Any] = client.sentinel_slaves(SERVICE)
        return len(replicas)
    return 0


def ending_with_us() -> list[str]:
    """Where util-linux is there: a server whose test run was killed ends too."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
