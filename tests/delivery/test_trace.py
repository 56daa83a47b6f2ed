"""Trace headers: true, and telling nobody about a blind copy."""

from datetime import UTC, datetime

import pytest

from delivery.trace import trace_headers
from mailcore.envelope import Envelope
from mailcore.view import MessageView

DATE = datetime(2030, 1, 1, 9, 30, tzinfo=UTC)


def trace(envelope: Envelope) -> bytes:
    return trace_headers(
        envelope, "anna@example.org", hostname="mx.example.org", queue_id="a1", date=DATE
    )


def test_the_headers_in_full() -> None:
    envelope = Envelope(
        "ben@example.net", ("sales@example.org",), "[192.0.2.7]", "mta.example.net", "LMTP"
    )
    assert trace(envelope) == (
        b"Return-Path: <ben@example.net>\r\n"
        b"Delivered-To: anna@example.org\r\n"
        b"Received: from mta.example.net ([192.0.2.7])\r\n"
        b"\tby mx.example.org with LMTP id a1\r\n\tfor <sales@example.org>;\r\n"
        b"\tTue, 01 Jan 2030 09:30:00 +0000\r\n"
    )


def test_the_null_sender_and_no_greeting() -> None:
    fields = MessageView(trace(Envelope("", ("a@x",)))).fields
    assert fields[0] == ("Return-Path", b"<>")
    assert fields[2].value.startswith(b"from local\r\n\tby mx.example.org")


def test_other_recipients_are_not_named() -> None:
    written = trace(Envelope("ben@example.net", ("anna@example.org", "boss@example.org")))
    assert b"for <" not in written
    assert b"boss" not in written


@pytest.mark.parametrize("mail_from", ["bén@bücher.example", "b\udce9n@example.net"])
def test_what_is_not_ascii_goes_as_it_came(mail_from: str) -> None:
    octets = mail_from.encode("utf-8", "surrogateescape")
    assert b"Return-Path: <" + octets + b">\r\n" in trace(Envelope(mail_from, ("a@x",)))
