"""ENVELOPE and the strings of IMAP."""

import pytest

from mailcore.headers import split_fields
from mailcore.imap_envelope import envelope, string

_NAMES = ("date", "subject", "from", "sender", "reply-to", "to", "cc", "bcc", "in-reply-to", "id")


def envelope_of(header: bytes) -> bytes:
    return envelope(split_fields(header))


def expected(**items: bytes) -> bytes:
    """An ENVELOPE whose other items are NIL."""
    values = [items.get(name.replace("-", "_").replace("from", "from_"), b"NIL") for name in _NAMES]
    return b"(" + b" ".join(values) + b")"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"", b'""'),
        (b"words", b'"words"'),
        (b'a "b" \\c', b'"a \\"b\\" \\\\c"'),
        (b"caf\xc3\xa9", b"{5}\r\ncaf\xc3\xa9"),
        (b"a\rb", b"{3}\r\na\rb"),
        (b"a\0b", b"{5}\r\na\xef\xbf\xbdb"),
    ],
)
def test_strings(value: bytes, shown: bytes) -> None:
    assert string(value) == shown


def test_every_item() -> None:
    header = (
        b"Date: Mon, 2 Feb 2026 10:00:00 +0100\r\n"
        b"Subject: =?utf-8?q?caf=C3=A9?=\r\n =?utf-8?q?_noir?=\r\n"
        b'From: "Anna Berg" <anna@example.org>\r\n'
        b"Sender: office@example.org\r\n"
        b"Reply-To: <replies@example.org>\r\n"
        b"To: ben@example.org, Carla <carla@example.org>\r\n"
        b"Cc: d@example.org\r\n"
        b"Bcc: e@example.org\r\n"
        b"In-Reply-To: <1@example.org>\r\n"
        b"Message-ID: <2@example.org>\r\n"
    )
    assert envelope_of(header) == (
        b'("Mon, 2 Feb 2026 10:00:00 +0100" "=?utf-8?q?caf=C3=A9?= =?utf-8?q?_noir?="'
        b' (("Anna Berg" NIL "anna" "example.org")) ((NIL NIL "office" "example.org"))'
        b' ((NIL NIL "replies" "example.org"))'
        b' ((NIL NIL "ben" "example.org")("Carla" NIL "carla" "example.org"))'
        b' ((NIL NIL "d" "example.org")) ((NIL NIL "e" "example.org"))'
        b' "<1@example.org>" "<2@example.org>")'
    )


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        (b"", expected()),
        (b"Subject:\r\n", expected(subject=b'""')),
        (b"Subject: caf\xc3\xa9\r\n", expected(subject=b"{5}\r\ncaf\xc3\xa9")),
        (b'Subject: a "b" \\\r\n', expected(subject=b'"a \\"b\\" \\\\"')),
        (b"To:\r\n", expected(to=b"NIL")),
        (b"Subject: a\r\n\tb  c\rd \r\n", expected(subject=b'"a b c d"')),
        (b"To: (nobody)\r\n", expected(to=b"NIL")),
        (b"To: <>\r\n", expected(to=b'((NIL NIL "MISSING_MAILBOX" "MISSING_DOMAIN"))')),
        (b"To: Anna  Berg\r\n\t<a@x>\r\n", expected(to=b'(("Anna Berg" NIL "a" "x"))')),
        (
            b"To: t: a@x\r\nTo: b@x\r\n",
            expected(to=b'((NIL NIL "t" NIL)(NIL NIL "a" "x")(NIL NIL NIL NIL)(NIL NIL "b" "x"))'),
        ),
        (b"To: root\r\n", expected(to=b'((NIL NIL "root" "MISSING_DOMAIN"))')),
        (
            b"To: Team: a@x, B <b@x>;, c@x\r\n",
            expected(
                to=b'((NIL NIL "Team" NIL)(NIL NIL "a" "x")("B" NIL "b" "x")(NIL NIL NIL NIL)'
                b'(NIL NIL "c" "x"))'
            ),
        ),
        (
            b"To: undisclosed-recipients:;\r\n",
            expected(to=b'((NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL))'),
        ),
        (b'To: "a \\"b\\"" <c@x>\r\n', expected(to=b'(("a \\"b\\"" NIL "c" "x"))')),
        (b'To: "a b"@x\r\n', expected(to=b'((NIL NIL "a b" "x"))')),
        (b"To: <@r,@s:a@x>\r\n", expected(to=b'((NIL "@r,@s" "a" "x"))')),
        (b"To: a@x (A B)\r\n", expected(to=b'(("A B" NIL "a" "x"))')),
        (b"To: B\xfcro <a@x>\r\n", expected(to=b'(({4}\r\nB\xfcro NIL "a" "x"))')),
        (
            b"To: \xc3\xa0 \xc2\x85 <a@x>\r\n",
            expected(to=b'(({5}\r\n\xc3\xa0 \xc2\x85 NIL "a" "x"))'),
        ),
        (
            b"To: =?utf-8?q?a=2C?= <a@x>\r\nTo: b@x\r\n",
            expected(to=b'(("=?utf-8?q?a=2C?=" NIL "a" "x")(NIL NIL "b" "x"))'),
        ),
    ],
)
def test_one_item(header: bytes, shown: bytes) -> None:
    assert envelope_of(header) == shown


def test_sender_and_reply_to_are_those_of_from_unless_they_are_given() -> None:
    anna, ben = b'((NIL NIL "anna" "x"))', b'((NIL NIL "ben" "x"))'
    header = b"From: anna@x\r\nSender: \r\nReply-To: ben@x\r\n"
    assert envelope_of(header) == expected(from_=anna, sender=anna, reply_to=ben)
