"""Our rewritten senders beside those of postsrsd with the same secret: the same addresses, read by each other."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.srs import Srs, SrsRefusedError
from tests.support.postsrsd import Postsrsd, running_postsrsd

DAY = 86_400.0
DOMAIN = "srs.example.org"
OUTSIDE = "carl@example.com"
OURS = Srs(DOMAIN, ("tops3cret",), frozenset({"example.org"}))


@pytest.fixture(scope="module")
def postsrsd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postsrsd]:
    directory = tmp_path_factory.mktemp("postsrsd")
    with running_postsrsd(directory, DOMAIN, OURS.secrets[0], "example.org") as server:
        yield server


def ours(mail_from: str, days_ago: float = 0.0) -> str:
    return OURS.envelope_sender(mail_from, OUTSIDE, time.time() - days_ago * DAY)


def read_by_us(address: str) -> str | None:
    try:
        return OURS.original_recipient(address, time.time())
    except SrsRefusedError:
        return None


SENDERS = [
    *("ben@example.net", "Ben.Smith@Example.NET", "a=b+c=d@example.net", "jos\xe9@example.net"),
    *(
        "x@a-very.long.domain-name.example",
        "ben@sub.example.org",
        "SRS0joe@fwd.example",
        "!#$%&'@x.net",
    ),
    *("SRS0=abcd=T2=orig.example=joe@fwd.example", "srs0+abcd=T2=orig.example=joe@fwd.example"),
    *("SRS0-abcd=T2=orig.example=joe@fwd.example", "SRS0=x@fwd.example"),
    *(
        "SRS1=abcd=orig.example==HHH=TT=dom=joe@fwd.example",
        "SRS1-ab=o.example=+H=T=d=j@fwd.example",
    ),
]


@pytest.mark.parametrize("sender", SENDERS)
def test_both_write_the_same_and_read_each_other(postsrsd: Postsrsd, sender: str) -> None:
    before = ours(sender)
    theirs = postsrsd.forward(sender)
    mine = ours(sender)
    assert theirs in {before, mine}  # midnight may pass between them
    assert theirs is not None
    for address in (mine, mine.lower(), mine.upper()) if mine.isascii() else (mine,):
        original = postsrsd.reverse(address)
        assert original is not None
        assert read_by_us(address) == original


@pytest.mark.parametrize("sender", ["anna@example.org", "anna@EXAMPLE.org", "anna"])
def test_neither_rewrites_a_sender_of_ours(postsrsd: Postsrsd, sender: str) -> None:
    assert postsrsd.forward(sender) is None
    assert ours(sender) == sender


def test_neither_rewrites_twice_at_home(postsrsd: Postsrsd) -> None:
    address = ours("ben@example.net")
    assert postsrsd.forward(address) in {None, address}
    assert ours(address) == address


@pytest.mark.parametrize(
    "damage",
    [
        lambda address: address.replace("ben", "bern"),
        lambda address: address.replace("example.net", "example.com"),
        lambda address: address[:5] + "AAAA" + address[9:],
        lambda address: address[:10] + "T2" + address[12:],
        lambda address: address[:5] + address[6:],
        lambda address: address.replace("SRS0=", "SRS1="),
        lambda address: address.replace("SRS0=", "SRS0"),
        lambda address: "SRS0=@" + DOMAIN,
        lambda address: "SRS0====@" + DOMAIN,
        lambda address: "SRS1=AAAA=fwd.example=ben@" + DOMAIN,
        lambda address: "ben@" + DOMAIN,
    ],
)
def test_neither_takes_what_is_damaged(postsrsd: Postsrsd, damage: object) -> None:
    assert callable(damage)
    address = damage(ours("ben@example.net"))
    assert (postsrsd.reverse(address), read_by_us(address)) == (None, None)


@pytest.mark.parametrize(("days", "good"), [(20, True), (23, False), (1000, False), (-2, False)])
def test_both_take_an_address_for_three_weeks(postsrsd: Postsrsd, days: int, good: bool) -> None:
    address = ours("ben@example.net", days)
    expected = "ben@example.net" if good else None
    assert (postsrsd.reverse(address), read_by_us(address)) == (expected, expected)


_WORDS = st.text(st.sampled_from("abXY019._+=-"), min_size=1, max_size=20)
_DOMAINS = st.from_regex(r"[a-zA-Z0-9]{1,9}(\.[a-z-]{1,9}){1,3}", fullmatch=True)


@settings(max_examples=150, deadline=None)
@given(local=_WORDS, domain=_DOMAINS)
def test_whatever_the_sender(postsrsd: Postsrsd, local: str, domain: str) -> None:
    sender = f"{local}@{domain}"
    assert postsrsd.reverse(ours(sender)) == sender
    rewritten = postsrsd.forward(sender)
    assert rewritten is not None
    assert read_by_us(rewritten) == sender
