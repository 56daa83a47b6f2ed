"""A private Exim and a private OpenSMTPD with the sample configurations, each in a root directory of its own."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.support.agent import RunningAgent
from tests.support.mta import connect
from tests.support.private_root import PrivateRoot, require_unpacked
from tests.support.waiting import wait_for

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
START_SECONDS = 30.0
STOP_SECONDS = 30.0


class UnpackedMta(Protocol):
    """What tests ask of a mail server; `nobody_there` is in its log when the agent did not answer."""

    nobody_there: str

    def start(self) -> "subprocess.Popen[bytes]":
        """Start its daemon in the foreground."""
        ...

    def flush(self) -> None:
        """Try everything in the queue now."""
        ...

    def waiting(self) -> str:
        """What is in the queue, with the recipients."""
        ...

    def log(self) -> str:
        """What it has said so far."""
        ...


class Exim:
    """Exim 4, of Debian's exim4-daemon-light."""

    package = "exim4-daemon-light"
    nobody_there = "Connection refused"

    def __init__(self, directory: Path, port: int, agent: RunningAgent) -> None:
        user = "Debian-exim"
        self._output = directory / "exim.log"
        self._root = PrivateRoot(directory / "exim", self.package, [user])
        self._root.add_libraries("usr/sbin/exim4")
        for path in ("var/spool/exim4", "var/log/exim4", "run/exim4"):
            self._root.private_directory(path, user, user, 0o750)
        sample = (SAMPLES / "exim" / "exim4.conf").read_text()
        listen = f"daemon_smtp_ports = {port}\nlocal_interfaces = 127.0.0.1\n"
        own = sample.replace("daemon_smtp_ports = 25\n", listen)
        own = own.replace("port = 2003\n", f"port = {agent.port}\n")
        self._root.file("etc/exim4/exim4.conf", own)

    def start(self) -> "subprocess.Popen[bytes]":
        """See UnpackedMta."""
        return self._root.start(["/usr/sbin/exim4", "-bdf"], self._output)

    def flush(self) -> None:
        """See UnpackedMta."""
        self._root.run(["/usr/sbin/exim4", "-qff"])

    def waiting(self) -> str:
        """See UnpackedMta."""
        return self._root.run(["/usr/sbin/exim4", "-bp"])

    def log(self) -> str:
        """See UnpackedMta."""
        logs = sorted((self._root.directory / "var/log/exim4").iterdir())
        return "".join(log.read_text() for log in logs) + self._output.read_text()


class OpenSmtpd:
    """OpenSMTPD with a list of addresses, one of which the agent does not know."""

    package = "opensmtpd"
    nobody_there = "mail.lmtp: connect"

    def __init__(self, directory: Path, port: int, agent: RunningAgent) -> None:
        self._output = directory / "smtpd.log"
        self._root = PrivateRoot(
            directory / "smtpd", self.package, ["opensmtpd", "opensmtpq", "kopano"]
        )
        for program in ("sbin/smtpd", "sbin/smtpctl", "libexec/opensmtpd/mail.lmtp"):
            self._root.add_libraries(f"usr/{program}")
        self._root.add_program("/bin/sh")
        self._root.set_group_id("usr/sbin/smtpctl", "opensmtpq")
        for path in ("var/spool/smtpd", "var/lib/opensmtpd/empty"):
            self._root.private_directory(path, "root", "root", 0o711)
        sample = (SAMPLES / "opensmtpd" / "smtpd.conf").read_text()
        own = sample.replace("listen on 0.0.0.0 port 25\n", f"listen on 127.0.0.1 port {port}\n")
        own = own.replace(":2003", f":{agent.port}")
        self._root.file("etc/smtpd.conf", own)
        names = ("anna", "info", "ben", "room", "ghost")
        self._root.file("etc/mail/recipients", "".join(f"{n}@example.org\n" for n in names))

    def start(self) -> "subprocess.Popen[bytes]":
        """See UnpackedMta."""
        return self._root.start(["/usr/sbin/smtpd", "-d"], self._output)

    def flush(self) -> None:
        """See UnpackedMta."""
        self._root.run(["/usr/sbin/smtpctl", "schedule", "all"])

    def waiting(self) -> str:
        """See UnpackedMta."""
        return self._root.run(["/usr/sbin/smtpctl", "show", "queue"])

    def log(self) -> str:
        """See UnpackedMta."""
        return self._output.read_text()


@contextmanager
def running_mta(
    kind: type[Exim] | type[OpenSmtpd], directory: Path, port: int, agent: RunningAgent
) -> Iterator[UnpackedMta]:
    """Start it on a port of 127.0.0.1, in front of an agent that need not run yet."""
    require_unpacked(kind.package)
    mta = kind(directory, port, agent)
    process = mta.start()

    def greets() -> bool:
        assert process.poll() is None, f"it ended at once:\n{mta.log()}"
        try:
            with connect(port):
                return True
        except OSError:
            return False

    try:
        wait_for(greets, timeout=START_SECONDS, what=f"{kind.package} greets")
        yield mta
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)
