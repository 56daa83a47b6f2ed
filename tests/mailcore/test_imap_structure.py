"""BODY and BODYSTRUCTURE, whole answers for whole messages."""

import pytest

from mailcore.imap_structure import body_structure
from mailcore.mime import scan

_ASCII = '("charset" "us-ascii")'
_NO_ADDRESSES = "NIL NIL NIL NIL NIL NIL"


def lines(*written: str) -> bytes:
    return "\r\n".join(written).encode("latin-1")


STRUCTURES = {
    "plain": (
        lines("Content-Type: text/plain; charset=UTF-8; format=flowed", "", "one", "two", ""),
        '("text" "plain" ("charset" "UTF-8" "format" "flowed") NIL NIL "7bit" 10 2 NIL NIL NIL NIL)',
    ),
    "no header": (
        b"\r\nhello",
        f'("text" "plain" {_ASCII} NIL NIL "7bit" 5 0 NIL NIL NIL NIL)',
    ),
    "nothing": (b"", f'("text" "plain" {_ASCII} NIL NIL "7bit" 0 0 NIL NIL NIL NIL)'),
    "no parameters": (
        lines("Content-Type: TEXT/Html", "Content-Transfer-Encoding: 8BIT", "", "<p>"),
        f'("TEXT" "Html" {_ASCII} NIL NIL "8BIT" 3 0 NIL NIL NIL NIL)',
    ),
    "alternative": (
        lines(
            "Content-Type: multipart/alternative; boundary=b",
            "",
            "--b",
            "",
            "one",
            "",
            "--b",
            "Content-Type: text/html; charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable",
            "",
            "<p>one",
            "--b--",
            "",
        ),
        f'(("text" "plain" {_ASCII} NIL NIL "7bit" 5 1 NIL NIL NIL NIL)'
        '("text" "html" ("charset" "utf-8") NIL NIL "quoted-printable" 6 0 NIL NIL NIL NIL)'
        ' "alternative" ("boundary" "b") NIL NIL NIL)',
    ),
    "every field of a part": (
        lines(
            "Content-Type: image/png; name=a.png",
            "Content-Transfer-Encoding: base64",
            "Content-ID: <1@example.org>",
            "Content-Description: =?utf-8?q?caf=C3=A9?=",
            "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==",
            "Content-Disposition: INLINE; filename=a.png",
            "Content-Language: de, en",
            "Content-Location: http://example.org/a.png",
            "",
            "iVBO",
        ),
        '("image" "png" ("name" "a.png") "<1@example.org>" "=?utf-8?q?caf=C3=A9?=" "base64" 4'
        ' "Q2hlY2sgSW50ZWdyaXR5IQ==" ("INLINE" ("filename" "a.png")) ("de" "en")'
        ' "http://example.org/a.png")',
    ),
    "attachment with a long name": (
        lines(
            "Content-Type: application/pdf",
            "Content-Disposition: attachment;",
            " filename*0*=utf-8''caf%C3%A9;",
            " filename*1*=%20noir.pdf",
            "",
            "x",
        ),
        '("application" "pdf" NIL NIL NIL "7bit" 1 NIL'
        ' ("attachment" ("filename*" "utf-8\'\'caf%C3%A9%20noir.pdf")) NIL NIL)',
    ),
    "disposition without parameters, one language": (
        lines("Content-Disposition: inline", "Content-Language: de", "", "x"),
        f'("text" "plain" {_ASCII} NIL NIL "7bit" 1 0 NIL ("inline" NIL) ("de") NIL)',
    ),
    "empty fields": (
        lines("Content-Disposition:", "Content-Language: ,", "Content-ID:", "", "x"),
        f'("text" "plain" {_ASCII} "" NIL "7bit" 1 0 NIL NIL NIL NIL)',
    ),
    "languages with words around them": (
        lines("Content-Language: de (German), en-GB too, ,*", "", "x"),
        f'("text" "plain" {_ASCII} NIL NIL "7bit" 1 0 NIL NIL ("de" "en-GB") NIL)',
    ),
    "disposition without a word": (
        lines('Content-Disposition: "inline"; filename=a', "", "x"),
        f'("text" "plain" {_ASCII} NIL NIL "7bit" 1 0 NIL ("attachment" ("filename" "a")) NIL NIL)',
    ),
    "no media type": (
        lines("Content-Type: text/plain, charset=utf-8", "", "x"),
        f'("text" "plain" {_ASCII} NIL NIL "7bit" 1 0 NIL NIL NIL NIL)',
    ),
    "quoted specials": (
        lines('Content-Type: text/plain; name="a \\"b\\" \\\\c"', "", ""),
        '("text" "plain" ("name" "a \\"b\\" \\\\c" "charset" "us-ascii") NIL NIL "7bit" 0 0'
        " NIL NIL NIL NIL)",
    ),
    "8-bit name": (
        lines('Content-Type: image/png; name="\xe9.png"', "", ""),
        '("image" "png" ("name" {5}\r\n\xe9.png) NIL NIL "7bit" 0 NIL NIL NIL NIL)',
    ),
    "8-bit name that ends like white space in Latin-1": (
        lines("Content-Type: image/png; name=\xc3\xa0", "", ""),
        '("image" "png" ("name" {2}\r\n\xc3\xa0) NIL NIL "7bit" 0 NIL NIL NIL NIL)',
    ),
    "forwarded": (
        lines("Content-Type: message/rfc822", "", "Subject: inner", "", "one", "two", ""),
        f'("message" "rfc822" NIL NIL NIL "7bit" 28 (NIL "inner" {_NO_ADDRESSES} NIL NIL)'
        f' ("text" "plain" {_ASCII} NIL NIL "7bit" 10 2 NIL NIL NIL NIL) 4 NIL NIL NIL NIL)',
    ),
    "forwarded, empty": (
        lines("Content-Type: message/rfc822", "", ""),
        f'("message" "rfc822" NIL NIL NIL "7bit" 0 (NIL NIL {_NO_ADDRESSES} NIL NIL)'
        f' ("text" "plain" {_ASCII} NIL NIL "7bit" 0 0 NIL NIL NIL NIL) 0 NIL NIL NIL NIL)',
    ),
    "forwarded in base64": (
        lines("Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", "QQ=="),
        '("application" "octet-stream" NIL NIL NIL "base64" 4 NIL NIL NIL NIL)',
    ),
    "digest": (
        lines(
            "Content-Type: multipart/digest; boundary=b",
            "",
            "--b",
            "",
            "Subject: a",
            "",
            "x",
            "--b--",
        ),
        f'(("message" "rfc822" NIL NIL NIL "7bit" 15 (NIL "a" {_NO_ADDRESSES} NIL NIL)'
        f' ("text" "plain" {_ASCII} NIL NIL "7bit" 1 0 NIL NIL NIL NIL) 2 NIL NIL NIL NIL)'
        ' "digest" ("boundary" "b") NIL NIL NIL)',
    ),
    "empty parts": (
        lines("Content-Type: multipart/mixed; boundary=b", "", "--b", "--b", "", "--b--"),
        f'(("text" "plain" {_ASCII} NIL NIL "7bit" 0 0 NIL NIL NIL NIL)'
        f'("text" "plain" {_ASCII} NIL NIL "7bit" 0 0 NIL NIL NIL NIL)'
        ' "mixed" ("boundary" "b") NIL NIL NIL)',
    ),
    "multipart without parts": (
        lines("Content-Type: multipart/mixed; boundary=b", "", "words", ""),
        '("text" "plain" ("boundary" "b" "charset" "us-ascii") NIL NIL "7bit" 7 1 NIL NIL NIL NIL)',
    ),
    "multipart without a boundary": (
        lines("Content-Type: multipart/mixed", "", "--b", "", "x"),
        f'("text" "plain" {_ASCII} NIL NIL "7bit" 8 2 NIL NIL NIL NIL)',
    ),
    "multipart with a disposition": (
        lines(
            "Content-Type: multipart/mixed; boundary=b",
            "Content-Disposition: inline",
            "",
            "--b",
            "",
            "x",
        ),
        f'(("text" "plain" {_ASCII} NIL NIL "7bit" 1 0 NIL NIL NIL NIL)'
        ' "mixed" ("boundary" "b") ("inline" NIL) NIL NIL)',
    ),
    "delivery report": (
        lines("Content-Type: message/delivery-status", "", "Action: failed"),
        '("message" "delivery-status" NIL NIL NIL "7bit" 14 NIL NIL NIL NIL)',
    ),
}


@pytest.mark.parametrize(("raw", "shown"), STRUCTURES.values(), ids=STRUCTURES)
def test_bodystructure(raw: bytes, shown: str) -> None:
    assert body_structure(raw, scan(raw), extended=True) == shown.encode("latin-1")


@pytest.mark.parametrize(
    ("shape", "shown"),
    [
        ("plain", '("text" "plain" ("charset" "UTF-8" "format" "flowed") NIL NIL "7bit" 10 2)'),
        (
            "alternative",
            f'(("text" "plain" {_ASCII} NIL NIL "7bit" 5 1)'
            '("text" "html" ("charset" "utf-8") NIL NIL "quoted-printable" 6 0) "alternative")',
        ),
        (
            "every field of a part",
            '("image" "png" ("name" "a.png") "<1@example.org>" "=?utf-8?q?caf=C3=A9?=" "base64" 4)',
        ),
        (
            "forwarded",
            f'("message" "rfc822" NIL NIL NIL "7bit" 28 (NIL "inner" {_NO_ADDRESSES} NIL NIL)'
            f' ("text" "plain" {_ASCII} NIL NIL "7bit" 10 2) 4)',
        ),
    ],
)
def test_body_has_no_extension_data(shape: str, shown: str) -> None:
    raw, _ = STRUCTURES[shape]
    assert body_structure(raw, scan(raw), extended=False) == shown.encode()
