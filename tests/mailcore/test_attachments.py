"""Which parts of a message are attached files."""

import pytest

from mailcore.attachments import attached_name, attached_parts
from mailcore.mime import scan

TEXT = "Content-Type: text/plain\r\n\r\nHello"
HTML = "Content-Type: text/html\r\n\r\n<p>Hello"
PICTURE = "Content-Type: image/png\r\nContent-ID: <1>\r\nContent-Disposition: inline; filename=logo.png\r\n\r\nx"
PDF = "Content-Type: application/pdf; name=bill.pdf\r\n\r\nx"
NOTES = "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=notes.txt\r\n\r\nx"
CALENDAR = "Content-Type: text/calendar; method=REQUEST; name=invite.ics\r\n\r\nx"
FORWARDED = f"Content-Type: message/rfc822\r\n\r\n{NOTES}"


def several(kind: str, *parts: str) -> str:
    boundary = f"b{len(kind)}{len(parts)}{len(''.join(parts))}"
    inside = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f"Content-Type: multipart/{kind}; boundary={boundary}\r\n\r\n{inside}--{boundary}--\r\n"


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (TEXT, []),
        (PDF, ["bill.pdf"]),
        (NOTES, ["notes.txt"]),
        ("Content-Type: image/gif\r\n\r\nx", [""]),
        (several("mixed", TEXT, PDF, NOTES), ["bill.pdf", "notes.txt"]),
        (
            several("mixed", TEXT, FORWARDED, PDF),
            ["", "bill.pdf"],
        ),  # not what that one has attached
        (several("mixed", TEXT, HTML), []),
        (several("mixed", TEXT, PICTURE), ["logo.png"]),
        (several("related", HTML, PICTURE), []),
        (several("related", HTML, PICTURE, NOTES), ["notes.txt"]),
        (several("mixed", several("related", HTML, PICTURE), PDF), ["bill.pdf"]),
        (several("alternative", TEXT, several("related", HTML, PICTURE)), []),
        (several("alternative", TEXT, CALENDAR), []),
        (several("alternative", TEXT, several("mixed", HTML, PDF)), ["bill.pdf"]),
        (several("mixed", TEXT, CALENDAR), ["invite.ics"]),
        (several("signed", several("mixed", TEXT, PDF), NOTES), ["bill.pdf"]),
        (several("report", TEXT, NOTES, FORWARDED), []),
        (several("encrypted", PDF, NOTES), []),
        ("Content-Type: application/pkcs7-mime; name=smime.p7m\r\n\r\nx", []),
        ("Content-Type: text/plain\r\nContent-Disposition: x-new\r\n\r\nx", [""]),
        ("Content-Type: multipart/mixed\r\n\r\nno boundary", [""]),
        ("", []),
    ],
)
def test_what_is_attached(raw: str, names: list[str]) -> None:
    assert [attached_name(part) for part in attached_parts(scan(raw.encode()))] == names


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('"C:\\\\My Files\\\\bill.pdf"', "bill.pdf"),
        ('"../../etc/passwd"', "passwd"),
        ("utf-8''Caf%C3%A9.pdf", "utf-8''Caf%C3%A9.pdf"),
        ('"folder/"', ""),
    ],
)
def test_a_name_has_no_path(written: str, name: str) -> None:
    raw = f"Content-Disposition: attachment; filename={written}\r\n\r\nx"
    assert attached_name(scan(raw.encode())) == name
