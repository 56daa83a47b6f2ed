"""A server that says what a script tells it to, for clients that have to stand anything."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HANG_UP = b"(hang up)"


class ScriptedServer:
    """Says one entry of its script for each line it hears, and keeps everything it hears.

    The answer to content comes after its final dot.  The connection is closed when an entry ends in
    HANG_UP, or at None, which comes one line later.
    """

    def __init__(self, script: tuple[bytes | None, ...]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.heard = b""
        self._script = script
        self._thread = threading.Thread(target=self._talk)
        self._thread.start()

    def _talk(self) -> None:
        connection, _ = self._listener.accept()
        with connection, connection.makefile("rb") as lines:
            for said in self._script:
                if said is None:
                    return
                connection.sendall(said.removesuffix(HANG_UP))
                if said.endswith(HANG_UP):
                    return
                in_data = said.startswith(b"354")
                while line := lines.readline():
                    self.heard += line
                    if not in_data or line == b".\r\n":
                        break

    def stop(self) -> None:
        """Wait for the end of its connection."""
        self._thread.join(10)
        self._listener.close()


@contextmanager
def scripted_servers() -> Iterator[Callable[..., ScriptedServer]]:
    """A way to start servers, each with its script; they have ended behind the `with` block."""
    servers: list[ScriptedServer] = []

    def start(*script: bytes | None) -> ScriptedServer:
        servers.append(ScriptedServer(script))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
