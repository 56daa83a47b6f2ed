"""Address lists, proper and sloppy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.address_list import (
    _PLAIN_MAILBOX,
    Entry,
    Kind,
    parse_addresses,
    parse_entries,
)


@pytest.mark.parametrize(
    ("value", "mailboxes"),
    [
        ("", []),
        ("anna@example.org", [("", "anna@example.org")]),
        ("<anna@example.org>", [("", "anna@example.org")]),
        ("Anna Q. Berg <anna@example.org>", [("Anna Q. Berg", "anna@example.org")]),
        ('"Berg, Anna" <a@x>, Ben <b@x>', [("Berg, Anna", "a@x"), ("Ben", "b@x")]),
        ('"say \\"a\\"" <a@x>', [('say "a"', "a@x")]),
        ("a@x (Anna (the) Berg)", [("Anna (the) Berg", "a@x")]),
        ("Anna (home) <a@x>", [("Anna", "a@x")]),
        ("a@x (Anna \\) \\\\ Berg)", [("Anna ) \\ Berg", "a@x")]),
        ("a@x (Anna \\\\) Berg", [("Anna \\", "a@x")]),
        ("Anna\\(home) <a@x>", [("Anna\\", "a@x")]),
        ("(only a comment)", []),
        # Groups are flattened.
        ("team: a@x, Ben <b@x>;, c@x", [("", "a@x"), ("Ben", "b@x"), ("", "c@x")]),
        ("undisclosed-recipients:;", []),
        # Obsolete: routes.  Clients that separate by semicolons.
        ("<@one,@two:a@x>", [("", "a@x")]),
        ("a@x; b@x", [("", "a@x"), ("", "b@x")]),
        # Words are decoded in names only, after the list is split.
        ("=?utf-8?q?Caf=C3=A9?= <a@x>", [("Café", "a@x")]),
        ("=?utf-8?q?Berg,_Anna?= <a@x>", [("Berg, Anna", "a@x")]),
        ('"=?utf-8?b?QQ==?=" <a@x>', [("A", "a@x")]),
        ("=?utf-8?q?evil=40x,?= <a@x>", [("evil@x,", "a@x")]),
        ("=?utf-8?q?evil=40x?=", []),
        # Local parts and domains that need care.
        ('"a b"@x', [("", '"a b"@x')]),
        ('"anna"@x', [("", "anna@x")]),
        ("a@b@x", [("", '"a@b"@x')]),
        ("a@[IPv6:::1]", [("", "a@[IPv6:::1]")]),
        ("a@[ 192.0.2.1 ]", [("", "a@[ 192.0.2.1 ]")]),
        ("büro@bücher.example", [("", "büro@bücher.example")]),
        ("root", [("", "root")]),
        ("Anna Berg", []),
        ("Anna a@x", [("Anna", "a@x")]),
        # Broken, and still readable.
        ("Anna <a@x, Ben <b@x>", [("Anna", "a@x"), ("Ben", "b@x")]),
        ("Anna <a@x> Ben <b@x>, c@x", [("Anna", "a@x"), ("", "c@x")]),
        ("Anna <<a@x>>", [("Anna", "a@x")]),
        ('Anna" <a@x>', [('Anna"', "a@x")]),
        ("Anna ( <a@x>", [("Anna (", "a@x")]),
        ("a@x> junk: more, b@x", [("", "a@x"), ("", "b@x")]),
        ("a\0b@x", [("a", "b@x")]),
        ("\0", []),
        ("<>", []),
        ("@,<@>,:;", []),
    ],
)
def test_parsing(value: str, mailboxes: list[tuple[str, str]]) -> None:
    assert list(parse_addresses(value)) == mailboxes


def test_groups_are_marked_by_their_start_and_end() -> None:
    assert parse_entries("team: a@x;, b@y") == [
        Entry(Kind.GROUP_START, "team"),
        Entry(Kind.MAILBOX, local="a", domain="x"),
        Entry(Kind.GROUP_END),
        Entry(Kind.MAILBOX, local="b", domain="y"),
    ]


def test_the_end_of_the_field_ends_a_group() -> None:
    assert [entry.kind for entry in parse_entries("team: a@x")][-1] is Kind.GROUP_END


def test_a_route_is_kept_apart() -> None:
    assert parse_entries("Anna <@one,@two:a@x>") == [
        Entry(Kind.MAILBOX, "Anna", "@one,@two", "a", "x")
    ]


@given(st.text('aé"\\()<>@,:;.[]=?q \n\0'))
def test_nothing_raises_and_no_line_breaks_come_out(value: str) -> None:
    for mailbox in parse_addresses(value):
        assert mailbox.address
        assert len(f"{mailbox.name}{mailbox.address}".splitlines()) == 1


_ATOMS = st.text("abcxyz019-_+", min_size=1, max_size=12)


@given(st.lists(st.tuples(st.text('ab \\",<>é', max_size=8), _ATOMS, _ATOMS), max_size=5))
def test_what_is_properly_quoted_comes_back(people: list[tuple[str, str, str]]) -> None:
    quoted = [(n.replace("\\", "\\\\").replace('"', '\\"'), a, d) for n, a, d in people]
    value = ", ".join(f'"{name}" <{local}@{domain}>' for name, local, domain in quoted)
    assert [box.address for box in parse_addresses(value)] == [f"{a}@{d}" for _, a, d in people]
    assert [box.name for box in parse_addresses(value)] == [n.strip() for n, _, _ in people]


@given(st.from_regex(_PLAIN_MAILBOX, fullmatch=True))
def test_the_short_way_for_a_plain_mailbox_gives_what_the_long_one_gives(value: str) -> None:
    assert parse_addresses(value) == parse_addresses(f"{value},")
