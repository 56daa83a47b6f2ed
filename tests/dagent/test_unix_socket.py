import grp
import os
import pwd
import socket
import stat
from pathlib import Path

import pytest

from dagent.unix_socket import Ownership, bind_unix_socket, ownership_of, unlink_socket
from mailcore.errors import UsageError
from mailcore.settings import LmtpSettings

PRIVATE = Ownership(0o600)


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
def test_the_socket_gets_its_permissions_before_anyone_can_connect(
    tmp_path: Path, mode: int
) -> None:
    path = tmp_path / "lmtp.sock"
    with bind_unix_socket(path, Ownership(mode, os.getuid(), os.getgid())):
        assert stat.S_IMODE(path.stat().st_mode) == mode
        with socket.socket(socket.AF_UNIX) as client, pytest.raises(ConnectionRefusedError):
            client.connect(str(path))


def test_a_socket_that_was_left_behind_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "lmtp.sock"
    bind_unix_socket(path, PRIVATE).close()
    assert path.is_socket()
    with bind_unix_socket(path, PRIVATE) as bound:
        bound.listen()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_a_socket_somebody_listens_on_stays(tmp_path: Path) -> None:
    path = tmp_path / "lmtp.sock"
    with bind_unix_socket(path, PRIVATE) as bound:
        bound.listen()
        with pytest.raises(OSError, match="in use"):
            bind_unix_socket(path, PRIVATE)
        unlink_socket(path)
        assert path.is_socket()
    unlink_socket(path)
    unlink_socket(path)
    assert not path.exists()


def test_a_file_is_never_removed(tmp_path: Path) -> None:
    path = tmp_path / "mails.mbox"
    path.write_text("dear to somebody")
    with pytest.raises(OSError, match="no socket"):
        bind_unix_socket(path, PRIVATE)
    unlink_socket(path)
    assert path.read_text() == "dear to somebody"


def test_ownership_by_name() -> None:
    user, group = pwd.getpwuid(os.getuid()), grp.getgrgid(os.getgid())
    settings = LmtpSettings(unix_mode="0640", unix_owner=user.pw_name, unix_group=group.gr_name)
    assert ownership_of(settings) == Ownership(0o640, user.pw_uid, group.gr_gid)
    assert ownership_of(LmtpSettings()) == Ownership(0o660)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (LmtpSettings(unix_owner="no such user"), r"\[lmtp\] unix_owner"),
        (LmtpSettings(unix_group="no such group"), r"\[lmtp\] unix_group"),
        (LmtpSettings(unix_mode="rw"), r"\[lmtp\] unix_mode"),
    ],
)
def test_what_cannot_be_is_named(settings: LmtpSettings, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ownership_of(settings)
