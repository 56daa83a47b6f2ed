"""Rewritten senders: they come back to whom they stand for, and nobody can make one but us."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.address import address_key
from mailcore.errors import UsageError
from mailcore.path import parse_path_argument
from mailcore.reply import NO_SUCH_USER
from rules.srs import MAX_AGE_DAYS, Srs, SrsRefusedError

DAY = 86_400.0
NOW = 19_700 * DAY + 3_600.0
OUTSIDE = "carl@example.com"
SRS = Srs("srs.example.org", ("tops3cret",), frozenset({"example.org", "Bücher.example"}))


def rewritten(mail_from: str, srs: Srs = SRS, now: float = NOW) -> str:
    return srs.envelope_sender(mail_from, OUTSIDE, now)


def test_a_sender_of_the_outside_is_rewritten_and_found_again() -> None:
    address = rewritten("Ben.Smith@Example.NET")
    assert address.startswith("SRS0=")
    assert address.endswith("=Example.NET=Ben.Smith@srs.example.org")
    assert SRS.original_recipient(address, NOW) == "Ben.Smith@Example.NET"


def test_an_address_of_another_forwarder_leads_back_over_that_one() -> None:
    address = rewritten("SRS0=abcd=T2=example.net=ben@fwd.example")
    assert address.startswith("SRS1=")
    assert address.endswith("=fwd.example==abcd=T2=example.net=ben@srs.example.org")
    back = SRS.original_recipient(address, NOW)
    assert back == "SRS0=abcd=T2=example.net=ben@fwd.example"


def test_a_third_forwarder_leaves_the_second_out() -> None:
    second = rewritten("SRS0+abcd=T2=example.net=ben@first.example")
    third = Srs("srs.example.com", ("other",)).envelope_sender(second, OUTSIDE, NOW)
    assert third.endswith("=first.example=+abcd=T2=example.net=ben@srs.example.com")
    back = Srs("srs.example.com", ("other",)).original_recipient(third, NOW)
    assert back == "SRS0+abcd=T2=example.net=ben@first.example"


@pytest.mark.parametrize(
    ("mail_from", "rcpt_to"),
    [
        ("", OUTSIDE),
        ("anna@example.org", OUTSIDE),
        ("anna@EXAMPLE.org", OUTSIDE),
        ("anna@xn--bcher-kva.example", OUTSIDE),
        ("SRS0=abcd=T2=example.net=ben@srs.example.org", OUTSIDE),
        ("anna", OUTSIDE),
        ("ben@example.net", "carl@example.org"),
        ("ben@example.net", "carl"),
    ],
)
def test_what_is_ours_or_stays_with_us_is_not_rewritten(mail_from: str, rcpt_to: str) -> None:
    assert SRS.envelope_sender(mail_from, rcpt_to, NOW) == mail_from


def test_what_would_be_too_long_for_an_address_leaves_with_the_null_sender() -> None:
    assert rewritten("b" * 200 + "@" + "c" * 40 + ".example") == ""
    assert len(rewritten("b" * 200 + "@example.net").rpartition("@")[0]) <= 255


@pytest.mark.parametrize("turned", [str.lower, str.upper, str.swapcase])
@pytest.mark.parametrize("sender", ["ben@example.net", "SRS0=aBcd=T2=example.net=ben@fwd.example"])
def test_the_case_of_letters_counts_nowhere(sender: str, turned: object) -> None:
    assert callable(turned)
    back = SRS.original_recipient(turned(rewritten(sender)), NOW)
    assert address_key(back or "") == address_key(sender)


@pytest.mark.parametrize(
    ("days", "good"), [(0, True), (MAX_AGE_DAYS, True), (MAX_AGE_DAYS + 1, False), (-1, False)]
)
@pytest.mark.parametrize("start", [NOW, 1023 * DAY, 1024 * 20 * DAY - 1])
def test_a_report_may_come_within_three_weeks(start: float, days: int, good: bool) -> None:
    address = rewritten("ben@example.net", now=start)
    if good:
        assert SRS.original_recipient(address, start + days * DAY) == "ben@example.net"
        return
    with pytest.raises(SrsRefusedError, match="rewritten more than 21 days ago"):
        SRS.original_recipient(address, start + days * DAY)


def test_the_first_secret_signs_and_every_one_verifies() -> None:
    old, new = replace(SRS, secrets=("old",)), replace(SRS, secrets=("new", "old"))
    assert new.original_recipient(rewritten("b@x.net", old), NOW) == "b@x.net"
    with pytest.raises(SrsRefusedError, match="not ours"):
        old.original_recipient(rewritten("b@x.net", new), NOW)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "ben@example.net",
            "ben@srs.example.org",
            "SRS0@srs.example.org",
            "srs0joe@srs.example.org",
        ),
        *(
            "SRS0=AAAA=T2=example.net=ben@example.com",
            "SRS2=AAAA=T2=x=y@srs.example.org",
            "",
            "SRS0=a",
        ),
        *("SRS0=AAAA=T2=example.net=ben@sub.srs.example.org", "xSRS0=A=T2=x=y@srs.example.org"),
        "\u017fRS0=AAAA=T2=example.net=ben@srs.example.org",  # a letter that folds to s
    ],
)
def test_what_is_no_rewritten_address_of_ours(address: str) -> None:
    assert SRS.original_recipient(address, NOW) is None


GOOD = rewritten("ben@example.net").rpartition("@")[0]
OVER = rewritten("SRS0=abcd=T2=example.net=ben@fwd.example").rpartition("@")[0]


@pytest.mark.parametrize(
    "local",
    [
        *("SRS0=", "SRS0==", "SRS0====", "SRS0=AAAA=T2=example.net=", "SRS0=AAAA=T2==ben"),
        *(
            "SRS0=AAAA=T2=example.net",
            "SRS0=AAA=T2=example.net=ben",
            "SRS0=AAAA=T1=example.net=ben",
        ),
        *("SRS0==T2=example.net=ben", "SRS0=AAAA=T=example.net=ben", "SRS1=AAAA=fwd.example=ben"),
        *("SRS1=", "SRS1=AAAA=fwd.example", "SRS1=AAAA==AAAA=T2=x=y", "SRS1=AAAA=fwd.example=="),
        GOOD.replace("ben", "bern"),
        GOOD.replace("example.net", "example.com"),
        GOOD[:5] + GOOD[6:],  # a character of the signature less
        GOOD[:9] + "A" + GOOD[9:],  # and one more
        OVER.replace("fwd", "fwd2"),
        OVER.replace("abcd", "abce"),
        rewritten("ben@exa mple.net").rpartition("@")[
            0
        ],  # signed by a peer that looks less closely
        f'"{GOOD} "',
        f'"{GOOD}\\""',
    ],
)
def test_a_forged_or_damaged_address_is_nobodys(local: str) -> None:
    with pytest.raises(SrsRefusedError) as refused:
        SRS.original_recipient(f"{local}@srs.example.org", NOW)
    assert refused.value.reply == NO_SUCH_USER
    assert refused.value.permanent


def test_quotes_around_the_whole_change_nothing() -> None:
    assert SRS.original_recipient(f'"{GOOD}"@srs.example.org', NOW) == "ben@example.net"


@pytest.mark.parametrize(
    ("mail_from", "local"),
    [
        ('"ben smith"@example.net', "=ben smith"),
        ('"a@b"@example.net', "=a@b"),
        ('"\\"\\\\"@example.net', '=\\"\\\\"@'),
        ("ben@[192.0.2.1]", "=[192.0.2.1]=ben"),
        ("ben@[IPv6:2001:db8::1]", "=[IPv6:2001:db8::1]=ben"),
        ("a=b+c=d@example.net", "=a=b+c=d"),
        ("jos\xe9@example.net", "=jos\xe9"),
        ("ben@m\xfcnchen.example", "=xn--mnchen-3ya.example=ben"),
        ("SRS1=abcd=nowhere@example.net", "=example.net=SRS1=abcd=nowhere"),
        ("SRS0x@example.net", "=example.net=SRS0x"),
    ],
)
def test_senders_of_every_kind(mail_from: str, local: str) -> None:
    address = rewritten(mail_from)
    path = parse_path_argument("FROM", f"FROM:<{address}>")
    assert path.address == address
    assert local in address
    back = SRS.original_recipient(address, NOW)
    assert address_key(back or "") == address_key(mail_from)


_ATOMS = st.text(st.sampled_from("aZ09=+-_.\xe9!"), min_size=1, max_size=12)
_QUOTED = st.text(st.sampled_from('a "\\@=<>'), min_size=1, max_size=8).map(
    lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
_DOMAINS = st.sampled_from(["example.net", "A.b-c.example", "[192.0.2.1]", "m\xfcnchen.example"])
_SENDERS = st.builds(
    lambda prefix, local, domain: f"{prefix}{local}@{domain}",
    st.sampled_from(["", "SRS0=", "srs0+", "SRS0"]),
    _ATOMS,
    _DOMAINS,
) | st.builds(lambda local, domain: f"{local}@{domain}", _QUOTED, _DOMAINS)


@given(sender=_SENDERS, now=st.floats(0, 4e9), days=st.integers(0, MAX_AGE_DAYS))
def test_every_sender_comes_back(sender: str, now: float, days: int) -> None:
    sender = parse_path_argument("FROM", f"FROM:<{sender}>").address
    arrived = parse_path_argument("TO", f"TO:<{rewritten(sender, now=now)}>").address
    back = SRS.original_recipient(arrived, now + days * DAY)
    assert address_key(back or "") == address_key(sender)


_LOCALS = st.builds(
    "".join, st.tuples(st.sampled_from(["", '"', "SRS0=", "SRS1=", "srs0=aaaa=t2="]), st.text())
)


@given(st.text(), _LOCALS)
def test_what_is_forged_is_refused_and_nothing_else_is_raised(mail_from: str, local: str) -> None:
    rewritten(mail_from)
    try:
        assert SRS.original_recipient(f"{local}@srs.example.org", NOW) is None
    except SrsRefusedError as refused:
        assert refused.reply == NO_SUCH_USER


@pytest.mark.parametrize(
    ("domain", "secrets", "setting"),
    [
        ("", ("s",), "srs_domain"),
        ("a b", ("s",), "srs_domain"),
        ("srs.example.org>", ("s",), "srs_domain"),
        ("srs.example.org", (), "srs_secret"),
        ("srs.example.org", ("s", ""), "srs_secret"),
    ],
)
def test_bad_settings_are_named(domain: str, secrets: tuple[str, ...], setting: str) -> None:
    with pytest.raises(UsageError, match=setting):
        Srs(domain, secrets)


def test_the_secrets_get_into_no_log() -> None:
    assert "tops3cret" not in repr(SRS)
