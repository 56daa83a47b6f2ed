"""Telling meeting messages from their MIME structure."""

import pytest

from mailcore.meeting import meeting_method
from mailcore.mime import scan


def calendar(method):
    return f"Content-Type: text/calendar; method={method}\r\n\r\nBEGIN:VCALENDAR\r\n"


def multipart(kind, *parts):
    body = "".join(f"--b\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="b"\r\n\r\n{body}--b--\r\n'


PLAIN = "Content-Type: text/plain\r\n\r\nhello\r\n"

CASES = [
    (calendar("REQUEST"), "REQUEST"),
    (calendar('"request"'), "REQUEST"),
    (calendar("CANCEL"), "CANCEL"),
    (calendar("add"), "ADD"),
    (calendar("REPLY"), "REPLY"),
    (PLAIN, ""),
    ("Content-Type: text/calendar; name=a.ics\r\n\r\n", ""),
    ("Content-Type: application/ics; method=REQUEST\r\n\r\n", ""),
    (multipart("alternative", PLAIN, calendar("REQUEST")), "REQUEST"),
    (multipart("mixed", multipart("alternative", PLAIN, calendar("CANCEL")), PLAIN), "CANCEL"),
    (multipart("mixed", calendar("REPLY"), calendar("REQUEST")), "REQUEST"),
    (multipart("mixed", calendar("PUBLISH"), calendar("ADD")), "ADD"),
    (multipart("mixed", PLAIN, "Content-Type: message/rfc822\r\n\r\n" + calendar("REQUEST")), ""),
    (multipart("report", PLAIN, calendar("REQUEST")), ""),
    (multipart("digest", calendar("REQUEST")), "REQUEST"),
    ("", ""),
]


@pytest.mark.parametrize(("raw", "method"), CASES)
def test_the_method_a_message_claims(raw, method):
    assert meeting_method(scan(raw.encode())) == method
