from pathlib import Path

import pytest

from mailcore.errors import UsageError
from mailcore.listen import (
    TcpAddress,
    UnixAddress,
    parse_listen_address,
    parse_listen_addresses,
    parse_mode,
)


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("127.0.0.1:2003", TcpAddress("127.0.0.1", 2003)),
        ("[::1]:2003", TcpAddress("::1", 2003)),
        ("mail.example.org:0", TcpAddress("mail.example.org", 0)),
        (":2003", TcpAddress("", 2003)),
        ("unix:/run/kopano/lmtp.sock", UnixAddress(Path("/run/kopano/lmtp.sock"))),
    ],
)
def test_addresses(value: str, address: TcpAddress | UnixAddress) -> None:
    assert parse_listen_address(value, "listen") == address
    assert str(address) == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2003",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "127.0.0.1:smtp",
        "127.0.0.1:²",
        "::1:2003",
        "[::1:2003",
        "::1]:2003",
        "[]:2003",
        "[::1]2003",
        "127.0.0.1:2003 127.0.0.1:2004",
        "unix:",
        "unix:lmtp.sock",
        "unix:/a\0b",
        "unix:/" + "x" * 107,
        "unix:/" + "ü" * 54,
    ],
)
def test_what_is_no_address_is_refused_with_the_setting(value: str) -> None:
    with pytest.raises(UsageError, match=r"^\[lmtp\] listen: "):
        parse_listen_address(value, "[lmtp] listen")


@pytest.mark.parametrize("between", [" ", ",", ", ", "\n", " ,\t, "])
def test_several_addresses(between: str) -> None:
    value = between.join(["", "127.0.0.1:2003", "[::1]:2003", "unix:/run/lmtp.sock", ""])
    assert parse_listen_addresses(value, "listen") == (
        TcpAddress("127.0.0.1", 2003),
        TcpAddress("::1", 2003),
        UnixAddress(Path("/run/lmtp.sock")),
    )


@pytest.mark.parametrize("value", ["", " , ", "127.0.0.1:2003, smtp", "127.0.0.1:2003;[::1]:2003"])
def test_one_bad_address_among_several_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match=r"^\[lmtp\] listen: expected host:port"):
        parse_listen_addresses(value, "[lmtp] listen")


def test_the_longest_path_of_a_unix_socket() -> None:
    assert parse_listen_address("unix:/" + "x" * 106, "listen") == UnixAddress(
        Path("/" + "x" * 106)
    )


@pytest.mark.parametrize(("value", "mode"), [("0660", 0o660), ("600", 0o600), ("0777", 0o777)])
def test_modes(value: str, mode: int) -> None:
    assert parse_mode(value, "unix_mode") == mode


@pytest.mark.parametrize("value", ["", "rw", "0680", "66", "1660", "0o660", "660\n", "-660"])
def test_what_is_no_mode_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="unix_mode: expected octal"):
        parse_mode(value, "unix_mode")
