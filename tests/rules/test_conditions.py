"""Conditions: what they find in a message, and what they say that they looked at."""

import json
from typing import Any

import pytest

from mailcore.envelope import Envelope
from mailcore.view import MessageView
from rules.message import Folded, Me, Situation
from rules.model import parse_rule
from tests.rules.documents import ME, NOW

MAIL = (
    "From: Ben Okoye <Ben@Example.net>\r\n"
    "Sender: office@example.com\r\n"
    "To: =?utf-8?q?J=C3=BCrgen?= <anna@example.org>\r\n"
    "Cc: team: team@example.org, dora@example.org;\r\n"
    "Received: from a\r\nReceived: from relay.example.org\r\n"
    "Subject: =?utf-8?q?Caf=C3=A9?=\r\n at =?utf-8?q?noon?=\r\n"
    "Date: Tue, 1 Jan 2030 01:00:00 +0100\r\n"
    "X-Spam-Status: No, score=4.5 required=5.0\r\n"
    "X-Empty:\r\n"
    'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nNa\u00efve R\u00e9sum\u00e9\r\n"
    '--b\r\nContent-Type: application/pdf; name="C:\\\\in\\\\Bill 7.PDF"\r\n\r\n%PDF\r\n'
    "--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--\r\n"
)


def situation(
    raw: str = MAIL, mail_from: str = "bounce@lists.example.net", me: Me = ME
) -> Situation:
    mail = Folded(MessageView(raw.encode()), Envelope(mail_from, ("anna@example.org",)))
    return Situation(mail, me, NOW)


def condition(document: Any) -> Any:
    return parse_rule(json.dumps({"name": "r", "when": document, "then": ["flag"]})).condition


def header(name: str, test: str, text: str, **more: str) -> dict[str, str]:
    return {"header": name, test: text, **more}


def prop(name: str, test: str, text: Any, **more: str) -> dict[str, Any]:
    return {"property": name, test: text, **more}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (header("subject", "contains", "caf\u00e9"), True),
        (header("SUBJECT", "is", "CAF\u00c9 at noon"), True),
        (header("Subject", "is", "caf\u00e9 at"), False),
        (header("Subject", "prefix", "caf\u00e9 at"), True),
        (header("Subject", "prefix", "at"), False),
        (header("Subject", "contains", "=?utf-8"), False),  # compared decoded
        (header("Subject", "contains", "cafe"), False),
        (header("Subject", "contains", "cafe", accents="ignore"), True),
        (header("Subject", "contains", "caf\u00e9", case="exact"), False),
        (header("Subject", "contains", "Cafe\u0301", case="exact"), True),
        (header("Subject", "contains", "Cafe", case="exact", accents="ignore"), True),
        (header("Received", "contains", "relay"), True),  # any of several
        (header("Received", "prefix", "from a"), True),
        (header("X-Empty", "is", ""), True),
        (header("X-Missing", "is", ""), False),
        (header("X-Missing", "contains", ""), False),
        (prop("subject", "contains", "noon"), True),
        (prop("sender", "contains", "ben okoye"), True),
        (prop("sender", "is", "ben okoye <ben@example.net>"), True),
        (prop("sender", "is", "office@example.com"), True),
        (prop("sender", "contains", "dora"), False),
        (prop("recipients", "prefix", "j\u00fcrgen"), True),
        (prop("recipients", "contains", "dora@"), True),
        (prop("recipients", "contains", "ben"), False),
        (prop("body", "contains", "na\u00efve r\u00c9sum\u00c9"), True),
        (prop("body", "contains", "naive resume", accents="ignore"), True),
        (prop("body", "contains", "%PDF"), False),
        (prop("attachment", "is", "bill 7.pdf"), True),
        (prop("attachment", "contains", ".pdf"), True),
        (prop("attachment", "contains", "in\\"), False),  # the sender's path is no name
        (prop("size", "eq", len(MAIL.encode())), True),
        (prop("size", "gt", len(MAIL.encode())), False),
        (prop("size", "ge", len(MAIL.encode())), True),
        (prop("size", "lt", 10), False),
        (prop("size", "ne", 10), True),
        (prop("importance", "le", "normal"), True),
        (prop("importance", "eq", "high"), False),
        (prop("sensitivity", "eq", "normal"), True),
        (prop("date", "eq", "2030-01-01T00:00:00Z"), True),
        (prop("date", "lt", "2030-01-01T00:00:00+00:01"), False),
        (prop("date", "le", "2030-01-01T00:00:00-00:01"), True),
        (prop("received", "eq", "2030-01-01T00:00Z"), True),
        (prop("spam_score", "ge", 4.5), True),
        (prop("spam_score", "gt", 5), False),
        ({"larger_than": len(MAIL.encode()) - 1}, True),
        ({"larger_than": len(MAIL.encode())}, False),
        ({"exists": "x-empty"}, True),
        ({"exists": "List-Id"}, False),
        ({"address": "BEN@example.net", "in": "sender"}, True),
        ({"address": "office@EXAMPLE.com", "in": "sender"}, True),
        ({"address": "@example.net", "in": ["to", "sender"]}, True),
        ({"address": "@example.net", "in": "to"}, False),
        ({"address": "@ample.net", "in": "sender"}, False),  # the domain, not an end of it
        ({"address": ["nobody@example.org", "dora@example.org"], "in": "cc"}, True),
        ({"address": "dora@example.org", "in": ["to", "bcc"]}, False),
        ({"address": "@lists.example.net", "in": "envelope-sender"}, True),
        ({"address": "@lists.example.net", "in": "sender"}, False),
        ({"attachment_type": "application/pdf"}, True),
        ({"attachment_type": "image/*"}, True),
        ({"attachment_type": "image/jpeg"}, False),
        ({"attachment_type": "text/plain"}, False),
        ({"meeting": "REQUEST"}, False),
        ("has-attachment", True),
        ("meeting", False),
        ("to-me", True),
        ("cc-me", False),
        ("bcc-me", False),
        ("only-to-me", False),
        ("to-my-group", True),
        ({"any_flag": ["list", "to-me"]}, True),
        ({"any_flag": ["list", "cc-me"]}, False),
        ({"no_flag": ["list", "to-me"]}, False),
        ({"no_flag": ["list", "cc-me"]}, True),
        ({"all": []}, True),
        ({"any": []}, False),
        ({"not": {"any": []}}, True),
        ({"all": ["to-me", "cc-me"]}, False),
        ({"any": ["cc-me", "to-me"]}, True),
        ({"not": {"all": ["to-me", {"not": "to-me"}]}}, True),
    ],
)
def test_conditions(document: Any, expected: bool) -> None:
    assert condition(document).holds(situation()) is expected


@pytest.mark.parametrize(
    ("fields", "document"),
    [
        ("Importance: High", prop("importance", "eq", "high")),
        ("X-Priority: 5 (Lowest)", prop("importance", "lt", "normal")),
        ("Priority: urgent", prop("importance", "eq", "high")),
        ("X-Priority: 9\r\nPriority: non-urgent", prop("importance", "eq", "low")),
        ("Importance: low\r\nX-Priority: 1", prop("importance", "eq", "low")),
        ("Sensitivity: Company-Confidential", prop("sensitivity", "eq", "confidential")),
        ("Sensitivity: Private", prop("sensitivity", "gt", "personal")),
        ("X-Spam-Status: Yes, hits=-0.5", prop("spam_score", "eq", -0.5)),
        ("X-Spam-Status: 5.3 (+++++)", prop("spam_score", "eq", 5.3)),
        ("X-Spam-Status: default: False [1.20 / 15.00]", prop("spam_score", "eq", 1.2)),
        ("X-Spam-Status: Yes,\r\n score=12", prop("spam_score", "eq", 12)),
        ("Content-Type: text/calendar; method=cancel", {"meeting": "CANCEL"}),
        ("Content-Type: text/calendar; method=REPLY", "meeting"),
        ("Content-Type: multipart/signed; boundary=x", "signed"),
        ("Content-Type: application/pkcs7-mime", "encrypted"),
        ("Content-Type: multipart/report; boundary=x", {"all": ["report", "automatic"]}),
        ("List-Post: <mailto:l@x>", {"all": ["list", "automatic"]}),
        ("Auto-Submitted: auto-generated", {"all": ["automatic", {"not": "list"}]}),
        ("To: Anna@Example.org", {"all": ["to-me", "only-to-me"]}),
        ("To: anna@example.org, a.berg@example.org", "only-to-me"),
        ("To: anna@example.org\r\nCc: x@example.org", {"not": "only-to-me"}),
        ("To: x@example.org\r\nCc: anna@example.org", {"all": ["cc-me", {"not": "to-me"}]}),
        ("To: x@example.org", {"all": ["bcc-me", {"not": "to-my-group"}]}),
        ("Bcc: anna@example.org", {"all": ["bcc-me", "only-to-me"]}),
        ("To: team@example.org", {"all": ["to-my-group", {"no_flag": ["bcc-me", "to-me"]}]}),
        ("Subject: x", {"all": ["bcc-me", {"not": "only-to-me"}]}),
    ],
)
def test_what_headers_say(fields: str, document: Any) -> None:
    assert condition(document).holds(situation(f"{fields}\r\n\r\nHello\r\n"))


@pytest.mark.parametrize("comparison", ["lt", "le", "gt", "ge", "eq", "ne"])
@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ("Subject: no date", "date", "2030-01-01T00:00:00Z"),
        ("Date: soon", "date", "2030-01-01T00:00:00Z"),
        ("X-Spam-Status: Yes", "spam_score", 5),
        ("X-Spam-Status: 1.2.3.4", "spam_score", 5),
        ("X-Spam: 7", "spam_score", 5),
    ],
)
def test_what_is_not_there_compares_with_nothing(
    fields: str, name: str, value: Any, comparison: str
) -> None:
    assert not condition(prop(name, comparison, value)).holds(situation(f"{fields}\r\n\r\n"))


def test_without_a_spam_header_there_is_no_score() -> None:
    at = situation(me=Me(ME.addresses))
    assert condition(prop("spam_score", "ge", 0)).seen(at) == "nothing"


@pytest.mark.parametrize(
    ("document", "words", "seen"),
    [
        (
            header("Received", "contains", "RELAY"),
            "received contains 'relay'",
            "'from a', 'from relay.example.org'",
        ),
        (
            header("List-Id", "is", "x", case="exact", accents="ignore"),
            "list-id is 'x', case counts, without accents",
            "nothing",
        ),
        (prop("size", "gt", 5), "size gt 5", str(len(MAIL.encode()))),
        (prop("importance", "ge", "high"), "importance ge high", "normal"),
        (
            prop("date", "lt", "2031-01-01T01:00:00+01:00"),
            "date lt 2031-01-01 00:00:00+00:00",
            "2030-01-01 00:00:00+00:00",
        ),
        ({"exists": "Received"}, "there is a header received", "2 of them"),
        (
            {"address": ["@b.example", "a@b.example"], "in": ["to", "cc"]},
            "to or cc names @b.example or a@b.example",
            "anna@example.org, dora@example.org, team@example.org",
        ),
        ({"address": "@b.example", "in": "bcc"}, "bcc names @b.example", "nothing"),
        ("to-me", "to-me", "to-me"),
        ({"no_flag": ["list", "to-me"]}, "none of list, to-me", "to-me"),
        ({"attachment_type": "image/*"}, "an attachment is image/*", "application/pdf, image/png"),
        ({"meeting": "REPLY"}, "a meeting's REPLY", "nothing"),
    ],
)
def test_what_was_looked_at(document: Any, words: str, seen: str) -> None:
    found = condition(document)
    assert (str(found), found.seen(situation())) == (words, seen)


def test_a_long_text_is_shown_around_the_match() -> None:
    found = condition(prop("body", "contains", "needle"))
    at = situation("\r\n" + "hay " * 1000 + "needle" + " hay" * 1000)
    seen = found.seen(at)
    assert seen.startswith("'...") and seen.endswith("...'")
    assert "hay needle hay" in seen
    assert len(seen) < 100


def test_many_texts_are_counted() -> None:
    at = situation("".join(f"X-N: {n}\r\n" for n in range(9)) + "\r\n")
    assert condition(header("x-n", "is", "4")).seen(at) == "'0', '1', '2', 6 more"
    assert condition(header("x-n", "is", "8")).holds(at)


def test_values_are_read_once() -> None:
    mail = situation().mail
    found = condition(header("Subject", "contains", "x"))
    assert mail.texts(found.place, found.folding) is mail.texts(found.place, found.folding)
    assert mail.addresses("cc") is mail.addresses("cc")
    assert mail.attachments is mail.attachments


def test_an_address_of_any_length_costs_no_time() -> None:
    marks = "\u0301\u0323" * 100_000  # to put them in order takes a minute
    mail = situation(f"To: a{marks}@example.org, anna@example.org\r\n\r\n").mail
    assert mail.addresses("to") == {"anna@example.org"}
