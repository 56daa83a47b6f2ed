"""Unix sockets to listen on: made with the permissions wanted, and taken away at the end.

The permissions are set between bind() and listen(): until then every client is refused, so there is no
moment at which the socket is open to more than it should be, and the umask of the process is left alone.
"""

import contextlib
import errno
import grp
import os
import pwd
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from mailcore.errors import UsageError
from mailcore.listen import parse_mode
from mailcore.settings import LmtpSettings

_PROBE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Ownership:
    """The permission bits of a socket, and user and group by number; -1 leaves what it is."""

    mode: int
    uid: int = -1
    gid: int = -1


def ownership_of(settings: LmtpSettings) -> Ownership:
    """Read `unix_mode`, `unix_owner` and `unix_group`; raises UsageError for a name that nobody has."""
    try:
        uid = pwd.getpwnam(settings.unix_owner).pw_uid if settings.unix_owner else -1
    except KeyError as error:
        raise UsageError(f"[lmtp] unix_owner: no such user {settings.unix_owner!r}") from error
    try:
        gid = grp.getgrnam(settings.unix_group).gr_gid if settings.unix_group else -1
    except KeyError as error:
        raise UsageError(f"[lmtp] unix_group: no such group {settings.unix_group!r}") from error
    return Ownership(parse_mode(settings.unix_mode, "[lmtp] unix_mode"), uid, gid)


def bind_unix_socket(path: Path, ownership: Ownership) -> socket.socket:
    """Return a socket that is bound to `path` and does not listen yet.

    A socket that a process left behind there is replaced.  Raises OSError: EADDRINUSE if somebody
    answers there, EEXIST if what stands there is no socket.
    """
    _remove_stale(path)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.bind(str(path))
        os.chown(path, ownership.uid, ownership.gid)
        path.chmod(ownership.mode)
    except OSError:
        bound.close()
        raise
    return bound


def unlink_socket(path: Path) -> None:
    """Take a socket away that nobody answers on any more; safe to repeat.

    One that another process has put there meanwhile answers, and stays.
    """
    with contextlib.suppress(OSError):
        _remove_stale(path)


def _remove_stale(path: Path) -> None:
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise FileExistsError(errno.EEXIST, "something that is no socket stands there")
    except FileNotFoundError:
        return
    if _somebody_answers(path):
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    path.unlink(missing_ok=True)


def _somebody_answers(path: Path) -> bool:
    """Whether a process has the socket open; one that is too busy to accept counts."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_SECONDS)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except TimeoutError:
            return True
    return True
