import asyncio
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dagent.listening import open_listener
from dagent.socketmap import SocketmapServer
from mailcore.envelope import Envelope
from mailcore.errors import UsageError
from mailcore.listen import parse_listen_address
from mailcore.reply import LmtpReply
from mailcore.settings import LmtpSettings, parse_settings
from tests.support.servers import free_port

LISTEN = "[socketmap] listen"


class NoDirectory:
    """A postman who is never asked."""

    async def resolve(self, address: str, size: int | None = None) -> Any:
        raise AssertionError(address)

    async def deliver(
        self, envelope: Envelope, recipients: Sequence[Any], content: bytes
    ) -> Sequence[LmtpReply]:
        raise AssertionError(envelope)


def opened(value: str, settings: LmtpSettings, times: int = 1) -> Path | None:
    """Open what the setting names in a server of its own each time; they are all closed again."""
    address = parse_listen_address(value, LISTEN)

    async def open_all() -> Path | None:
        servers = [SocketmapServer(NoDirectory(), 1.0) for _ in range(times)]
        try:
            for server in servers:
                path = await open_listener(server, address, LISTEN, settings)
        finally:
            for server in servers:
                await server.close()
        return path

    return asyncio.run(open_all())


def test_a_unix_socket_is_opened_with_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "map.sock"
    assert opened(f"unix:{path}", LmtpSettings(unix_mode="0606")) == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o606


def test_a_tcp_address_leaves_nothing_behind() -> None:
    assert opened(f"127.0.0.1:{free_port()}", LmtpSettings()) is None


def test_a_place_that_is_taken_is_named_with_its_setting(tmp_path: Path) -> None:
    for value in (f"127.0.0.1:{free_port()}", f"unix:{tmp_path}/map.sock"):
        with pytest.raises(UsageError, match=rf"\[socketmap\] listen: cannot listen on {value}"):
            opened(value, LmtpSettings(), times=2)


@pytest.mark.parametrize("path", ["missing/map.sock", "file"])
def test_a_path_that_cannot_be_is_named_with_its_setting(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"\[socketmap\] listen: cannot listen on"):
        opened(f"unix:{tmp_path / path}", LmtpSettings())


@pytest.mark.parametrize(
    ("section", "setting", "value"),
    [
        ("lmtp", "listen", ""),
        ("lmtp", "listen", "unix:relative"),
        ("lmtp", "listen", "127.0.0.1:2003, ::1:2003"),
        ("lmtp", "listen", ","),
        ("lmtp", "unix_mode", "rw-rw----"),
        ("socketmap", "listen", "2004"),
        ("socketmap", "listen", "127.0.0.1:2004 127.0.0.1:2005"),
    ],
)
def test_a_bad_setting_stops_the_start(section: str, setting: str, value: str) -> None:
    with pytest.raises(UsageError, match=rf"\[{section}\] {setting}: expected"):
        parse_settings({section: {setting: value}}, {}, source="kopano.toml")


def test_no_socketmap_unless_asked_for() -> None:
    assert parse_settings({}, {}, source="kopano.toml").socketmap.listen == ""
