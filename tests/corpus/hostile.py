"""Mails that nobody should send: proper ones after an accident, and large ones made to take long.

They are the same in every run.
"""

import random
from collections.abc import Callable, Iterator

from tests.corpus.shapes import shapes

_LONGEST = 20_000  # octets of a mail that has been damaged
_PIECES = [
    *(b"\0", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" \r\n ", b"\t", b"\xff", b"\xc3", b"\x80\x81"),
    *(
        b"--",
        b"--b\r\n",
        b"--b--\r\n",
        b'"',
        b"\\",
        b"(",
        b")",
        b"<",
        b">",
        b":",
        b";",
        b",",
        b"=",
        b"@",
    ),
    *(
        b"=?utf-8?q?=C3?=",
        b"=?x?b?%?=",
        b"=?utf-8?b?",
        b"?=",
        b"=0D=0A",
        b"'",
        b"*0*=",
        b"%0",
        b"{10}",
    ),
    *(
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n",
        b"Content-Type: message/rfc822\r\n\r\n",
    ),
    *(b"Content-Transfer-Encoding: base64\r\n", b"charset=utf-7", b"charset=\0", b"boundary="),
    *(b"Date: 99 Foo 99999 99:99:99 +9999\r\n", b"To: " + b"(" * 200, b"\xef\xbb\xbf", b"\x1b[2J"),
]


def damaged_mails(count: int) -> Iterator[bytes]:
    """Mails of all shapes, each cut, mixed up or filled with rubbish in a few places."""
    mails = [raw[:_LONGEST] for raw in shapes().values()]
    for seed in range(count):
        chance = random.Random(seed)
        raw = chance.choice(mails)
        for _ in range(chance.randint(1, 6)):
            raw = chance.choice(_DAMAGES)(raw, chance)
        yield raw[:_LONGEST]


def _cut(raw: bytes, chance: random.Random) -> bytes:
    return raw[: _place(raw, chance)]


def _delete(raw: bytes, chance: random.Random) -> bytes:
    start, end = _span(raw, chance)
    return raw[:start] + raw[end:]


def _repeat(raw: bytes, chance: random.Random) -> bytes:
    start, end = _span(raw, chance)
    return raw[:end] + raw[start:end] * chance.randint(1, 5) + raw[end:]


def _insert(raw: bytes, chance: random.Random) -> bytes:
    at = _place(raw, chance)
    return raw[:at] + chance.choice(_PIECES) * chance.randint(1, 3) + raw[at:]


def _overwrite(raw: bytes, chance: random.Random) -> bytes:
    at = _place(raw, chance)
    rubbish = chance.randbytes(chance.randint(1, 20))
    return raw[:at] + rubbish + raw[at + len(rubbish) :]


def _put_into_itself(raw: bytes, chance: random.Random) -> bytes:
    at = _place(raw, chance)
    return raw[:at] + raw + raw[at:]


def _change_line_ends(raw: bytes, chance: random.Random) -> bytes:
    old = chance.choice([b"\r\n", b"\n", b"\r"])
    return raw.replace(old, chance.choice([b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\0"]))


def _shuffle_lines(raw: bytes, chance: random.Random) -> bytes:
    lines = raw.splitlines(keepends=True)
    chance.shuffle(lines)
    return b"".join(lines)


_DAMAGES: list[Callable[[bytes, random.Random], bytes]] = [
    *(_cut, _delete, _repeat, _insert, _insert, _insert, _overwrite),
    *(_put_into_itself, _change_line_ends, _shuffle_lines),
]


def _place(raw: bytes, chance: random.Random) -> int:
    return chance.randint(0, len(raw))


def _span(raw: bytes, chance: random.Random) -> tuple[int, int]:
    start = _place(raw, chance)
    return start, min(len(raw), start + chance.randint(1, 200))


_MULTIPART = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


def _nested(count: int) -> bytes:
    return b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(count)
    )


def _to(value: bytes) -> bytes:
    return b"From: a@x\r\nTo: " + value + b"\r\n\r\nHello.\r\n"


# Each makes a mail of about so many octets.
LARGE: dict[str, Callable[[int], bytes]] = {
    "nested multiparts": lambda n: _nested(n // 56),
    "nested multiparts of one boundary": lambda n: (_MULTIPART + b"--b\r\n") * (n // 50),
    "forwarded again and again": lambda n: b"Content-Type: message/rfc822\r\n\r\n" * (n // 32),
    "boundary lines": lambda n: _MULTIPART + b"--b\r\n" * (n // 5),
    "boundary lines that are none": lambda n: _MULTIPART + b"--bX\r\n" * (n // 6),
    "boundary lines of a long boundary": lambda n: (
        b"Content-Type: multipart/mixed; boundary="
        + b"a" * 900
        + b"\r\n\r\n"
        + b"--aaaa\r\n" * (n // 8)
    ),
    "one header line": lambda n: b"Subject: " + b"x" * n + b"\r\n\r\n",
    "one word of a header, no line end": lambda n: b"x" * n,
    "header lines": lambda n: b"X-Y: z\r\n" * (n // 8) + b"\r\n",
    "header lines of one letter": lambda n: b"a:\n" * (n // 3),
    "header lines without a colon": lambda n: b"abc\r\n" * (n // 5),
    "colons": lambda n: b":" * n,
    "folded lines": lambda n: b"Subject: x" + b"\r\n y" * (n // 4) + b"\r\n\r\n",
    "white space lines": lambda n: b"Subject: x" + b"\r\n " * (n // 3) + b"y\r\n\r\n",
    "white space": lambda n: b"Subject:" + b" " * n + b"y\r\n\r\n",
    "white space before a colon": lambda n: b"Subject" + b" " * n + b"\r\n\r\n",
    "CR": lambda n: b"Subject: x\r\n\r\n" + b"\r" * n,
    "LF": lambda n: b"\n" * n,
    "NUL": lambda n: b"\0" * n,
    "8-bit header": lambda n: b"Subject: " + b"\xe9" * n + b"\r\n\r\n",
    "cut UTF-8": lambda n: b"Subject: " + b"\xc3" * n + b"\r\n\r\n",
    "open parentheses": lambda n: _to(b"(" * n),
    "nested comments": lambda n: _to(b"(" * (n // 2) + b")" * (n // 2)),
    "comments": lambda n: _to(b"(a)" * (n // 3)),
    "escapes in a comment": lambda n: _to(b"(" + b"\\" * n),
    "escaped parentheses": lambda n: _to(b"(" + b"\\(" * (n // 2)),
    "open quotes": lambda n: _to(b'"a\\' * (n // 3)),
    "quotes": lambda n: _to(b'"' * n),
    "open angles": lambda n: _to(b"<" * n),
    "open brackets": lambda n: _to(b"[" * n),
    "brackets": lambda n: _to(b"[a b " * (n // 5)),
    "commas": lambda n: _to(b"," * n),
    "semicolons": lambda n: _to(b";" * n),
    "groups": lambda n: _to(b"a:;" * (n // 3)),
    "colons in an address": lambda n: _to(b"a:" * (n // 2)),
    "ats": lambda n: _to(b"a@" * (n // 2)),
    "dots": lambda n: _to(b"." * n),
    "addresses": lambda n: _to(b"a@x," * (n // 4)),
    "names": lambda n: _to(b"Anna Berg <a@x>, " * (n // 17)),
    "To fields": lambda n: b"To: a@x\r\n" * (n // 9) + b"\r\n",
    "encoded words": lambda n: b"Subject:" + b" =?utf-8?q?a?=" * (n // 14) + b"\r\n\r\n",
    "encoded words in names": lambda n: _to(b"=?utf-8?q?a?= " * (n // 14) + b"<a@x>"),
    "encoded words that never end": lambda n: (
        b"Subject: " + b"=?utf-8?q?" * (n // 10) + b"\r\n\r\n"
    ),
    "beginnings of encoded words": lambda n: b"Subject: " + b"=?" * (n // 2) + b"\r\n\r\n",
    "one long encoded word": lambda n: b"Subject: =?utf-8?q?" + b"=C3" * (n // 3) + b"?=\r\n\r\n",
    "one long encoded word in base64": lambda n: b"Subject: =?utf-8?b?" + b"w" * n + b"?=\r\n\r\n",
    "parameters": lambda n: b"Content-Type: text/plain" + b"; a=b" * (n // 5) + b"\r\n\r\n",
    "numbered parameters": lambda n: (
        b"Content-Type: text/plain" + b"".join(b"; a*%d=b" % k for k in range(n // 9)) + b"\r\n\r\n"
    ),
    "equal parameters": lambda n: (
        b"Content-Type: text/plain" + b"; a*1*=b" * (n // 8) + b"\r\n\r\n"
    ),
    "open parameters": lambda n: b"Content-Type: text/plain" + b'; a="' * (n // 5) + b"\r\n\r\n",
    "semicolons of a type": lambda n: b"Content-Type: text/plain" + b";" * n + b"\r\n\r\n",
    "comments of a type": lambda n: b"Content-Type: text/plain" + b" (" * (n // 2) + b"\r\n\r\n",
    "comments of an encoding": lambda n: (
        b"Content-Transfer-Encoding: " + b"(a" * (n // 2) + b"\r\n\r\nx"
    ),
    "languages": lambda n: b"Content-Language: " + b"de," * (n // 3) + b"\r\n\r\n",
    "comments of languages": lambda n: b"Content-Language: " + b"(" * n + b"\r\n\r\n",
    "percent": lambda n: b"Content-Type: a/b; c*=utf-8''" + b"%C3" * (n // 3) + b"\r\n\r\n",
    "message ids": lambda n: b"Message-ID: " + b"<" * n + b"\r\n\r\n",
    "a long date": lambda n: b"Date: " + b"1 " * (n // 2) + b"\r\n\r\n",
    "tags": lambda n: b"Content-Type: text/html\r\n\r\n" + b"<p " * (n // 3),
    "open tags": lambda n: b"Content-Type: text/html\r\n\r\n" + b"<" * n,
    "nested tags": lambda n: b"Content-Type: text/html\r\n\r\n" + b"<div>" * (n // 5),
    "entities": lambda n: b"Content-Type: text/html\r\n\r\n" + b"&#" * (n // 2),
    "comments of HTML": lambda n: b"Content-Type: text/html\r\n\r\n" + b"<!--" * (n // 4),
    "base64": lambda n: b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUJD" * (n // 4),
    "base64 of short lines": lambda n: (
        b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUJD\r\n" * (n // 6)
    ),
    "base64 of padding": lambda n: b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=" * n,
    "quoted-printable": lambda n: (
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=\r\n" * (n // 3)
    ),
    "UTF-7": lambda n: b"Content-Type: text/plain; charset=utf-7\r\n\r\n" + b"+AGE-" * (n // 5),
    "random octets": lambda n: random.Random(n).randbytes(n),
}
