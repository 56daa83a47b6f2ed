"""Sockets that the service manager opened for us (sd_listen_fds(3), systemd.socket(5)).

Its variables LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES name file descriptors from 3 on.  They are taken once: after
that the variables are gone, and no process we start inherits a descriptor.  Only listening stream sockets are of
use (`Accept=no`); anything else stops the start, because mail would wait for an answer that never comes.
"""

import os
import socket
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass

from mailcore.errors import UsageError

FIRST_DESCRIPTOR = 3
_VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
_FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)


@dataclass(frozen=True, slots=True)
class Inherited:
    """A file descriptor from the service manager and its name (FileDescriptorName=), which may be empty."""

    descriptor: int
    name: str


def parse_activation(environ: Mapping[str, str], pid: int) -> tuple[Inherited, ...]:
    """The descriptors meant for the process `pid`; none where the variables are absent or another's.

    Raises UsageError when they contradict each other.

    >>> parse_activation({"LISTEN_PID": "7", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "lmtp"}, 7)
    (Inherited(descriptor=3, name='lmtp'),)
    """
    if environ.get("LISTEN_PID") != str(pid):
        return ()
    text = environ.get("LISTEN_FDS", "")
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"LISTEN_FDS: expected the number of sockets, not {text!r}")
    count = int(text)
    names = environ.get("LISTEN_FDNAMES", ":" * (count - 1)).split(":") if count else []
    if len(names) != count:
        raise UsageError(f"LISTEN_FDNAMES: expected {count} names, not {len(names)}")
    return tuple(Inherited(FIRST_DESCRIPTOR + n, name) for n, name in enumerate(names))


def take_sockets(environ: MutableMapping[str, str], pid: int) -> dict[str, list[socket.socket]]:
    """The inherited listening sockets by their names; safe to repeat: the second time there are none.

    Raises UsageError for a descriptor that is no listening stream socket.
    """
    inherited = parse_activation(environ, pid)
    for variable in _VARIABLES:
        environ.pop(variable, None)
    sockets: dict[str, list[socket.socket]] = {}
    for one in inherited:
        sockets.setdefault(one.name, []).append(_listening_socket(one))
    return sockets


def _listening_socket(inherited: Inherited) -> socket.socket:
    what = f"file descriptor {inherited.descriptor} ({inherited.name or 'without a name'})"
    try:
        os.set_inheritable(inherited.descriptor, False)
        listening = socket.socket(fileno=inherited.descriptor)
    except OSError as error:
        raise UsageError(f"{what} from systemd is no socket: {error.strerror}") from error
    if listening.family not in _FAMILIES or listening.type != socket.SOCK_STREAM:
        raise UsageError(f"{what} from systemd is no stream socket; use ListenStream=")
    if not listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise UsageError(f"{what} from systemd does not listen; use Accept=no")
    listening.setblocking(False)
    return listening
