import pytest

from mailcore.errors import UsageError
from mailcore.next_hop import parse_next_hop
from mailcore.settings import parse_settings


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("store", "None"),
        ("lmtp:unix:/run/dovecot/lmtp", "unix:/run/dovecot/lmtp"),
        ("lmtp:mail.example.org:24", "mail.example.org:24"),
        ("lmtp:[::1]:24", "[::1]:24"),
    ],
)
def test_a_hop_is_our_store_or_an_lmtp_server(value: str, expected: str) -> None:
    assert str(parse_next_hop(value, "here")) == expected


@pytest.mark.parametrize(
    "value",
    ["", "Store", "lmtp:", "127.0.0.1:24", "smtp:a:25", "lmtp:unix:run", "lmtp::24", "lmtp:a:0"],
)
def test_what_is_no_hop_stops_the_start(value: str) -> None:
    with pytest.raises(UsageError, match=r"^DAGENT_DELIVERY_DELIVER_VIA: "):
        parse_settings({}, {"DAGENT_DELIVERY_DELIVER_VIA": value}, source="test")
