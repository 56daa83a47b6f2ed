"""Where a server of ours listens: a TCP address, or a unix socket, as the settings write it.

The forms are `host:port` (IPv6 hosts in brackets) and `unix:/path`; no host means every address of this machine.
Host names are not looked up here.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from mailcore.errors import UsageError

_UNIX = "unix:"
_BETWEEN = re.compile(r"[\s,]+")
_MODE = re.compile(r"0?[0-7]{3}\Z")
_HOST_PORT = re.compile(r"(?:\[(?P<v6>[^\[\]]+)\]|(?P<host>[^\[\]:]*)):(?P<port>[0-9]{1,5})\Z")
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


def parse_listen_addresses(value: str, where: str) -> tuple[TcpAddress | UnixAddress, ...]:
    """Read one or more addresses, with blanks or commas between them; raises UsageError naming `where`.

    >>> [str(one) for one in parse_listen_addresses("127.0.0.1:2003, [::1]:2003", "listen")]
    ['127.0.0.1:2003', '[::1]:2003']
    """
    words = [word for word in _BETWEEN.split(value) if word]
    return tuple(parse_listen_address(word, where) for word in words or [""])


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
    match = _HOST_PORT.match(value)
    if match is None or int(match["port"]) > 65535:
        raise UsageError(
            f"{where}: expected host:port, for example 127.0.0.1:2003 or [::1]:2003, or unix:/path,"
            f" not {value!r}"
        )
    return match["v6"] or match["host"] or "", int(match["port"])
