"""Where a server of ours listens: a TCP address, or a unix socket, as the settings write it.

The forms are `host:port` (IPv6 hosts in brackets) and `unix:/path`.  Host names are not looked up here.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from mailcore.errors import UsageError

_UNIX = "unix:"
_MODE = re.compile(r"0?[0-7]{3}\Z")
_LONGEST_UNIX_PATH = 107
"""Octets of a unix socket's path that the kernel takes (sun_path of unix(7), less the final NUL)."""


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A TCP address; port 0 is any free one.

    >>> str(TcpAddress("::1", 2003))
    '[::1]:2003'
    """

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A unix socket."""

    path: Path

    def __str__(self) -> str:
        return f"{_UNIX}{self.path}"


def parse_listen_address(value: str, where: str) -> TcpAddress | UnixAddress:
    """Read `host:port` or `unix:/path`; raises UsageError naming `where`.

    >>> parse_listen_address("127.0.0.1:2003", "listen")
    TcpAddress(host='127.0.0.1', port=2003)
    """
    if not value.startswith(_UNIX):
        return TcpAddress(*split_host_port(value, where))
    path = Path(value.removeprefix(_UNIX))
    if not path.is_absolute() or "\0" in value:
        raise UsageError(f"{where}: expected unix:/path with an absolute path, not {value!r}")
    if len(bytes(path)) > _LONGEST_UNIX_PATH:
        raise UsageError(
            f"{where}: the path of a unix socket has at most {_LONGEST_UNIX_PATH} octets,"
            f" {path} has {len(bytes(path))}"
        )
    return UnixAddress(path)


def parse_mode(value: str, where: str) -> int:
    """Read permissions in octal, as chmod(1) takes them; raises UsageError naming `where`.

    >>> oct(parse_mode("0660", "unix_mode"))
    '0o660'
    """
    if not _MODE.match(value):
        raise UsageError(f"{where}: expected octal permissions, for example 0660, not {value!r}")
    return int(value, 8)


def split_host_port(value: str, where: str) -> tuple[str, int]:
    """Split `host:port` (IPv6 hosts in brackets); raises UsageError naming `where`.

    >>> split_host_port("[::1]:2003", "listen")
    ('::1', 2003)
    """
    host, colon, port = value.rpartition(":")
    digits = port.isascii() and port.isdigit()
    if not colon or not digits or int(port) > 65535:
        raise UsageError(
            f"{where}: expected host:port, for example 127.0.0.1:2003, or unix:/path, not {value!r}"
        )
    return host.strip("[]"), int(port)
