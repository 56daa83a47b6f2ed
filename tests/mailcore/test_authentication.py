"""What an MX says about the sender of a message, in the shapes that MXs write."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailcore.authentication import vouched
from mailcore.view import MessageView

MX = "mx.example.org"
DOMAIN = "example.net"


def view(*fields: str, name: str = "Authentication-Results") -> MessageView:
    head = "".join(f"{name}: {field}\r\n" for field in fields)
    return MessageView(f"Received: from a by b\r\n{head}From: anna@example.net\r\n\r\n".encode())


def judged(*fields: str, domain: str = DOMAIN) -> bool | None:
    return vouched(view(*fields), MX, domain)


OPENDKIM = (
    'mx.example.org;\r\n\tdkim=pass (2048-bit key; secure) header.d=example.net header.i=@example.net\r\n'
    '\theader.a=rsa-sha256 header.s=s2026 header.b="Qx7/aB+="'
)  # fmt: skip
OPENDMARC = "mx.example.org; dmarc=pass (p=quarantine dis=none) header.from=example.net"
SPF_POLICY = (
    "mx.example.org; spf=pass (mailfrom) smtp.mailfrom=example.net (client-ip=192.0.2.1; helo=out.example.net;\r\n"
    " envelope-from=anna@example.net; receiver=<UNKNOWN>)"
)
GMAIL_LIKE = (
    'mx.example.org;\r\n       dkim=pass header.i=@example.net header.s=20260101 header.b="abC+/d=";\r\n'
    "       arc=pass (i=1 spf=pass spfdomain=example.net dkim=pass dkdomain=example.net);\r\n"
    "       spf=pass (mx.example.org: domain of anna@example.net designates 192.0.2.1 as permitted sender)"
    " smtp.mailfrom=anna@example.net;\r\n"
    "       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.net"
)
EXCHANGE = (
    "mx.example.org; spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=example.net; dkim=pass (signature was"
    " verified)\r\n header.d=example.net;dmarc=pass action=none\r\n header.from=example.net;compauth=pass reason=100"
)
RSPAMD = (
    "mx.example.org;\r\n\tdkim=none;\r\n\tdmarc=none;\r\n\tspf=pass (mx.example.org: domain of anna@example.net"
    " designates 2001:db8::1 as permitted sender) smtp.mailfrom=anna@example.net"
)
AMAVIS = (
    'mx.example.org (amavisd-new); dkim=pass (2048-bit key) reason="pass (just generated, assumed good)"'
    " header.d=example.net"
)
SUBMISSION = "mx.example.org; auth=pass smtp.auth=anna@example.net smtp.mailfrom=anna@example.net"

VOUCHED = {
    "opendkim": OPENDKIM,
    "opendmarc": OPENDMARC,
    "policyd-spf": SPF_POLICY,
    "as gmail writes": GMAIL_LIKE,
    "as exchange writes, with an id": EXCHANGE,
    "rspamd": RSPAMD,
    "amavis": AMAVIS,
    "submission": SUBMISSION,
    "version of the field": "mx.example.org 1; dmarc=pass header.from=example.net",
    "version of a method": "mx.example.org; dkim/1=pass header.d=example.net",
    "blanks and comments everywhere": "(a) mx.example.org (b) 1 (c) ; (d) dkim (e) / (f) 1 (g) = (h) pass (i)"
    " header (j) . (k) d (l) = (m) example.net (n)",
    "case": "MX.Example.ORG; DKIM=Pass Header.D=EXAMPLE.net",
    "quoted id": '"mx.example.org"; dkim=pass header.d=example.net',
    "quoted value": 'mx.example.org; dkim=pass header.d="example.net"',
    "a comment in a comment": "mx.example.org; spf=pass (a (b; c) \\) d) smtp.mailfrom=anna@example.net",
    "a quoted local part": 'mx.example.org; spf=pass smtp.mailfrom="a; b@c"@example.net',
    "an address in quotes": 'mx.example.org; spf=pass smtp.mailfrom="anna@example.net"',
    "a rewritten return path": "mx.example.org; spf=pass smtp.mailfrom=srs0=ab=cd=x.example=anna@example.net",
    "the second signature": "mx.example.org; dkim=fail header.d=example.net; dkim=pass header.d=example.net",
    "a list's signature first": "mx.example.org; dkim=pass header.d=list.example; dkim=pass header.d=example.net",
    "a return path below": "mx.example.org; spf=pass smtp.mailfrom=bounce@mail.example.net",
    "dmarc without a domain": "mx.example.org; dmarc=pass (p=none)",
    "a dot at the end": "mx.example.org; dkim=pass header.d=example.net.",
    "logged in, though dmarc failed": "mx.example.org; dmarc=fail header.from=example.net; auth=pass smtp.auth=anna",
    "the MX could not ask for dmarc": "mx.example.org; dmarc=temperror; dkim=pass header.d=example.net",
}  # fmt: skip

NOT_VOUCHED = {
    "none": "mx.example.org; none",
    "nothing": "mx.example.org",
    "nothing behind the semicolon": "mx.example.org 1;",
    "unsigned": "mx.example.org; dkim=none; spf=softfail smtp.mailfrom=anna@example.net",
    "failed": "mx.example.org; dkim=fail (bad signature) header.d=example.net; spf=fail smtp.mailfrom=example.net",
    "as gmail writes": "mx.example.org; spf=pass (x) smtp.mailfrom=eve@example.com; dmarc=fail (p=NONE sp=NONE"
    " dis=NONE) header.from=example.net",
    "as exchange writes": "mx.example.org; spf=none (sender IP is 192.0.2.1) smtp.mailfrom=example.net; dkim=none"
    " (message not signed) header.d=none;dmarc=none action=none header.from=example.net;compauth=fail reason=001",
    "exchange guesses": "mx.example.org; dmarc=bestguesspass action=none header.from=example.net",
    "another's signature": "mx.example.org; dkim=pass header.d=example.com",
    "a name that only ends so": "mx.example.org; dkim=pass header.d=badexample.net",
    "a top-level domain": "mx.example.org; dkim=pass header.d=net",
    "another's return path": "mx.example.org; spf=pass smtp.mailfrom=anna@example.com",
    "the greeting's spf": "mx.example.org; spf=pass smtp.helo=example.net",
    "no return path": "mx.example.org; spf=pass smtp.mailfrom=<>",
    "another author's dmarc": "mx.example.org; dmarc=pass header.from=example.com",
    "dmarc failed, though signed": "mx.example.org; dmarc=fail header.from=example.net; dkim=pass header.d=example.net",
    "a result in a comment": "mx.example.org; spf=fail (x; dmarc=pass header.from=example.net) smtp.mailfrom=b.example",
    "a result in quotes": 'mx.example.org; spf=fail smtp.mailfrom="x; dmarc=pass header.from=example.net; y"@b.example',
    "a quote that is escaped": r'mx.example.org; spf=fail reason="x\"; dkim=pass header.d=example.net; "',
    "a property in quotes": 'mx.example.org; dkim=pass reason="a header.d=example.net" header.d=example.com',
    "a comment without end": "mx.example.org; spf=fail (x; dmarc=pass header.from=example.net",
    "quotes without end": 'mx.example.org; spf=fail reason="x; dmarc=pass header.from=example.net',
    "half of a value with blanks": "mx.example.org; spf=pass smtp.mailfrom=example.net x@example.com",
    "words between": "mx.example.org; dkim=pass indeed header.d=example.net",
    "the second value of a property": "mx.example.org; dkim=pass header.d=example.com header.d=example.net",
    "an unknown method": "mx.example.org; iprev=pass policy.iprev=192.0.2.1; x-own=pass header.d=example.net",
    "arc alone": "mx.example.org; arc=pass header.d=example.net",
    "no method": "mx.example.org; pass; =pass; dmarc=; dmarc pass",
    "only half a result": "mx.example.org; dmarc=passed header.from=example.net",
    "an endless field": "mx.example.org; dmarc=pass header.from=example.net; " + "x" * 60_000,
}  # fmt: skip

NOT_JUDGED = {
    "another MX": "mx.example.com; dmarc=pass header.from=example.net",
    "exchange without an id": "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.net; dmarc=pass action=none",
    "an id in a comment": "(mx.example.org); dmarc=pass",
    "an id below": "a.mx.example.org; dmarc=pass",
    "empty": "",
    "a semicolon": ";",
    "an open comment": "(mx.example.org; dmarc=pass",
    "open quotes": '"mx.example.org; dmarc=pass',
}


@pytest.mark.parametrize("field", VOUCHED.values(), ids=VOUCHED)
def test_vouched_for(field: str) -> None:
    assert judged(field) is True


@pytest.mark.parametrize("field", NOT_VOUCHED.values(), ids=NOT_VOUCHED)
def test_not_vouched_for(field: str) -> None:
    assert judged(field) is False


@pytest.mark.parametrize("field", NOT_JUDGED.values(), ids=NOT_JUDGED)
def test_not_judged(field: str) -> None:
    assert judged(field) is None


@pytest.mark.parametrize(
    ("signed", "author", "answer"),
    [
        ("example.net", "mail.example.net", True),
        ("mail.example.net", "example.net", True),
        ("a.example.net", "b.example.net", False),
        ("xn--bcher-kva.example", "b\xfccher.example", True),
        ("localhost", "localhost", True),
        ("localhost", "a.localhost", False),
        ("example.net", "", False),
    ],
)
def test_alignment(signed: str, author: str, answer: bool) -> None:
    assert judged(f"mx.example.org; dkim=pass header.d={signed}", domain=author) is answer
    by_path = f"mx.example.org; spf=pass smtp.mailfrom=anna@{signed}"
    assert judged(by_path, domain=author) is answer


def test_only_the_topmost_field_of_the_mx_counts() -> None:
    good, bad, other = OPENDMARC, "mx.example.org; dmarc=fail header.from=example.net", NOT_JUDGED
    assert judged(good, bad) is True
    assert judged(bad, good) is False
    assert judged(*other.values(), good, bad) is True
    assert judged(*other.values()) is None


def test_only_fields_of_that_name_count() -> None:
    assert vouched(view(OPENDMARC, name="authentication-RESULTS"), MX, DOMAIN) is True
    for name in ("ARC-Authentication-Results", "X-Authentication-Results", "Subject"):
        assert vouched(view(OPENDMARC, name=name), MX, DOMAIN) is None


def test_a_field_of_the_body_or_an_attached_mail_does_not_count() -> None:
    raw = f"From: a@example.net\r\n\r\nAuthentication-Results: {OPENDMARC}\r\n\r\n"
    assert vouched(MessageView(raw.encode()), MX, DOMAIN) is None


def test_an_encoded_word_is_no_result() -> None:
    encoded = "mx.example.org; =?us-ascii?q?dmarc=3Dpass?= header.from=example.net"
    assert judged(encoded) is False


def test_without_a_name_nobody_is_believed() -> None:
    assert vouched(view(OPENDMARC), "", DOMAIN) is None
    assert vouched(view(OPENDMARC), " MX.example.org ", DOMAIN) is True


PIECES = ["mx.example.org", ";", " ", "(", ")", '"', "\\", "=", "/", ".", "\r\n ", "1", "none"]  # fmt: skip
PIECES += [
    "pass",
    "fail",
    "dkim",
    "spf",
    "dmarc",
    "header.d",
    "smtp.mailfrom",
    "example.net",
    "\xe9",
    "@",
]


@given(st.lists(st.sampled_from(PIECES), max_size=60))
@example(["mx.example.org", ";"] + ["("] * 50)
def test_any_field_has_an_answer(pieces: list[str]) -> None:
    assert judged("".join(pieces)) in (True, False, None)


local = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)


@given(local)
@example('x"; dmarc=pass header.from=example.net; y="')
@example("x); dmarc=pass header.from=example.net; (")
@example("\\")
def test_what_a_stranger_writes_into_a_quoted_address_is_no_result(written: str) -> None:
    escaped = written.replace("\\", "\\\\").replace('"', '\\"')
    field = f'mx.example.org; spf=pass smtp.mailfrom="{escaped}"@example.com; dkim=none'
    assert judged(field) is False


@pytest.mark.parametrize(
    "piece",
    ["a=b ", "; dkim=pass", '"', "\\", "(", "x/1", " . ", " header.d = x", "a" * 50, '"\\'],
)
def test_long_fields_cost_no_more_than_their_length(piece: str) -> None:
    field = "mx.example.org; dkim=pass" + piece * (49_000 // len(piece))
    began = time.perf_counter()
    assert judged(field) is False
    assert time.perf_counter() - began < 2
