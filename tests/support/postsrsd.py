"""A private postsrsd, which rewrites senders for Postfix, and the questions it answers (tcp_table(5))."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

from tests.support.mta import HOST, ending_with_us
from tests.support.private_root import UNPACKED
from tests.support.servers import free_port, missing_server
from tests.support.waiting import wait_for

PROGRAM = UNPACKED / "postsrsd" / "usr" / "sbin" / "postsrsd"
SECONDS = 10.0


class Postsrsd(NamedTuple):
    """Where it listens: for senders that leave, and for recipients that come back."""

    forward_port: int
    reverse_port: int

    def forward(self, mail_from: str) -> str | None:
        """The rewritten sender; None where it rewrites nothing."""
        return _ask(self.forward_port, mail_from)

    def reverse(self, rcpt_to: str) -> str | None:
        """The original sender; None where the address is forged, too old or none of its own."""
        return _ask(self.reverse_port, rcpt_to)


@contextmanager
def running_postsrsd(
    directory: Path, domain: str, secret: str, excluded: str
) -> Iterator[Postsrsd]:
    """Start one; senders in the domain `excluded` are left alone."""
    if not PROGRAM.exists():
        missing_server("postsrsd")
    secrets, log = directory / "secrets", directory / "log"
    secrets.write_text(f"{secret}\n")
    server = Postsrsd(free_port(), free_port())
    ports = [f"-f{server.forward_port}", f"-r{server.reverse_port}"]
    words = [PROGRAM, f"-s{secrets}", f"-d{domain}", f"-X{excluded}", f"-l{HOST}", "-4", *ports]
    with log.open("wb") as output:
        process = subprocess.Popen(ending_with_us(words), stdout=output, stderr=output)

    def answers() -> bool:
        assert process.poll() is None, f"postsrsd ended at once:\n{log.read_text()}"
        try:
            server.forward("x@example.net")
            server.reverse("x@example.net")
        except OSError:
            return False
        return True

    try:
        wait_for(answers, timeout=SECONDS, what="postsrsd answers")
        yield server
    finally:
        process.terminate()
        process.wait(SECONDS)


def _ask(port: int, key: str) -> str | None:
    with socket.create_connection((HOST, port), SECONDS) as connection:
        connection.sendall(f"get {quote(key, safe='')}\n".encode())
        with connection.makefile("rb") as replies:
            code, _, text = replies.readline().decode().rstrip("\n").partition(" ")
    assert code in {"200", "500"}, text
    return unquote(text) if code == "200" else None
