"""The servers that are loaded: our agent, a real Dovecot with two of its mailbox formats, and the bare LMTP edge.

Each is a private copy on a loopback port with its data in a temporary directory and 64 mailboxes, logs a line per
delivery to a file, and has its defaults but for the places.  Dovecot needs root (it gives up its privileges) and
Debian's dovecot-lmtpd.
"""

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.load import ADDRESS, MAILBOXES
from dagent.lmtp import serve
from mailcore.reply import DELIVERED
from store.engine import Database
from store.mailboxes import create_mailbox
from store.migrate import ensure_schema
from userstore.db_edit import DbEditor

BIN = Path(sys.executable).parent
_TICKS = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 30.0

_DOVECOT = """\
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
protocols = lmtp
ssl = no
first_valid_uid = 1
mail_location = {location}
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/mail/%n allow_all_users=yes
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
}}
"""
LOCATIONS = {"dovecot maildir": "maildir:~/Maildir", "dovecot sdbox": "sdbox:~/sdbox"}


@dataclass
class Server:
    """A running server and what its processes have used."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    def cpu_seconds(self) -> float:
        """CPU of the whole process tree so far, of children that have ended too."""
        ticks = 0
        for pid in self._tree():
            fields = _read(pid, "stat").rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
        return ticks / _TICKS

    def pss(self) -> int:
        """Octets of memory of the process tree; what processes share is counted once."""
        lines = (line for pid in self._tree() for line in _read(pid, "smaps_rollup").splitlines())
        return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def _tree(self) -> Iterator[int]:
        waiting = [self.process.pid]
        while waiting:
            pid = waiting.pop()
            yield pid
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                waiting += map(int, _text(task).split())


def _read(pid: int, name: str) -> str:
    return _text(Path(f"/proc/{pid}/{name}"))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the process has ended meanwhile
        return ""


def start_agent(home: Path, *, imap: bool = False, url: str = "") -> Server:
    """Start kopano-dagent with its default settings, and 64 users."""
    port = free_port()
    database = Database(url or f"sqlite:///{home / 'kopano.db'}")
    ensure_schema(database)
    features = {"enabled_features": "imap"} if imap else {}
    for number in range(MAILBOXES):
        with database.write() as connection:
            values = {"address": ADDRESS.format(number=number)} | features
            user = DbEditor().create_user(connection, f"u{number}", values)
            create_mailbox(connection, user.external_id, user.name)
    database.close()
    environment = os.environ | {
        "DAGENT_DATA": str(home),
        "DAGENT_LMTP_LISTEN": f"127.0.0.1:{port}",
    }
    if url:
        environment["DAGENT_STORE_DATABASE"] = url
    name = "agent, imap" if imap else "agent"
    return _started(name, port, [str(BIN / "kopano-dagent"), "-l"], home, environment)


def start_dovecot(home: Path, name: str) -> Server:
    """Start Dovecot's LMTP server; `name` is one of LOCATIONS."""
    port = free_port()
    user = pwd.getpwnam("mail")
    for directory in ("run", "state", "mail"):
        (home / directory).mkdir()
    home.chmod(0o755)
    os.chown(home / "mail", user.pw_uid, user.pw_gid)
    settings = {"home": home, "location": LOCATIONS[name], "port": port}
    configuration = home / "dovecot.conf"
    configuration.write_text(_DOVECOT.format(uid=user.pw_uid, gid=user.pw_gid, **settings))
    return _started(name, port, ["dovecot", "-F", "-c", str(configuration)], home, os.environ)


def start_edge(home: Path) -> Server:
    """Start our LMTP edge alone: it reads everything and keeps nothing."""
    port = free_port()
    command = [sys.executable, "-m", "bench.servers", str(port)]
    return _started("edge that keeps nothing", port, command, home, os.environ)


def starters(*, imap: bool = False) -> dict[str, Callable[[Path], Server]]:
    """The servers that can be started here, by a short name."""
    known: dict[str, Callable[[Path], Server]] = {"agent": start_agent}
    if imap:
        known["agent-imap"] = lambda home: start_agent(home, imap=True)
    if os.geteuid() == 0 and shutil.which("dovecot"):
        known["maildir"] = lambda home: start_dovecot(home, "dovecot maildir")
        known["sdbox"] = lambda home: start_dovecot(home, "dovecot sdbox")
    known["edge"] = start_edge
    return known


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _started(
    name: str, port: int, command: list[str], home: Path, environment: "os._Environ[str] | dict"
) -> Server:
    with (home / "stderr").open("wb") as errors:
        process = subprocess.Popen(command, env=environment, stdout=errors, stderr=errors)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                if client.recv(100).startswith(b"220"):
                    return Server(name, port, process)
        except OSError:
            time.sleep(0.02)
    process.kill()
    raise RuntimeError(f"{name} did not start: {(home / 'stderr').read_text()[-1000:]}")


class _Discard:
    """A postman that takes everything and keeps nothing."""

    async def resolve(self, address: str, _size: int | None) -> str:
        return address

    async def deliver(self, _envelope: object, recipients: list[str], _content: bytes):
        return [DELIVERED] * len(recipients)


async def _serve_edge(port: int) -> None:
    await serve(_Discard(), "127.0.0.1", port, "bench")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve_edge(int(sys.argv[1])))
