"""BODY and BODYSTRUCTURE of an IMAP server (RFC 3501 section 7.4.2).

Types and parameters are shown as they were written; continuations are joined, percent-encoding is
kept (RFC 2231 section 6); a text without a charset is in US-ASCII (RFC 2045 section 5.2).  What has
no form of its own in IMAP gets the nearest one: a multipart without parts is text/plain, so that
its content stays readable as a section, and a message/rfc822 that was not taken apart is
application/octet-stream.
"""

import re

from mailcore.headers import first_value, unfold_octets
from mailcore.imap_envelope import NIL, envelope, header_string, header_text, string
from mailcore.mime import Part, transfer_encoding
from mailcore.parameters import WORD, shown_parameters

_US_ASCII = ("charset", "us-ascii")
_TOKEN = re.compile(WORD)
_COMMENT = re.compile(rb"\([^()]*\)")
_LANGUAGE = re.compile(rb"(?:\A|,)[ \t]*([A-Za-z0-9-]+)")  # RFC 3282 section 2


def body_structure(raw: bytes, part: Part, *, extended: bool) -> bytes:
    """Return the structure of a part: BODYSTRUCTURE when `extended`, else BODY."""
    media_type, parameters = _content_type(part)
    major, _, minor = media_type.partition("/")
    if major.lower() == "multipart":
        parts = b"".join(body_structure(raw, child, extended=extended) for child in part.children)
        extension = b" " + parameters + _extension(part) if extended else b""
        return b"(" + parts + b" " + string(minor.encode()) + extension + b")"
    items = [
        string(major.encode()),
        string(minor.encode()),
        parameters,
        header_string(part.fields, "content-id"),
        header_text(part.fields, "content-description"),
        string(transfer_encoding(part.fields).encode()),
        b"%d" % (part.body_end - part.body_start),
    ]
    lines = b"%d" % raw.count(b"\n", part.body_start, part.body_end)
    if major.lower() == "text":
        items.append(lines)
    elif part.children:  # message/rfc822
        inner = part.children[0]
        items += [envelope(inner.fields), body_structure(raw, inner, extended=extended), lines]
    md5 = b" " + header_string(part.fields, "content-md5") if extended else b""
    extension = md5 + _extension(part) if extended else b""
    return b"(" + b" ".join(items) + extension + b")"


def _content_type(part: Part) -> tuple[str, bytes]:
    """Return ``type/subtype`` and the parameter list."""
    value = first_value(part.fields, "content-type") or b""
    written, parameters = _parameters(value)
    shown = written if written.lower() == part.content_type else part.content_type
    if not part.children:
        if part.content_type.startswith("multipart/"):
            shown = "text/plain"
        elif part.content_type == "message/rfc822":
            shown = "application/octet-stream"
    has_charset = any(name.lower() == "charset" for name, _ in parameters)
    if shown.lower().startswith("text/") and not has_charset:
        parameters.append(_US_ASCII)
    return shown, _parameter_list(parameters)


def _parameters(value: bytes) -> tuple[str, list[tuple[str, str]]]:
    """Return the main value and the parameters; Latin-1 keeps every octet."""
    return shown_parameters(unfold_octets(value).decode("latin-1"))


def _parameter_list(parameters: list[tuple[str, str]]) -> bytes:
    shown = [string(text.encode("latin-1")) for pair in parameters for text in pair]
    return b"(" + b" ".join(shown) + b")" if shown else NIL


def _extension(part: Part) -> bytes:
    """Return disposition, language and location, each with a space before it."""
    items = (
        _disposition(part),
        _languages(part),
        header_string(part.fields, "content-location"),
    )
    return b"".join(b" " + item for item in items)


def _disposition(part: Part) -> bytes:
    """Return the disposition; parameters without a proper word are those of an attachment (RFC 2183
    section 2.8).
    """
    main, parameters = _parameters(first_value(part.fields, "content-disposition") or b"")
    if not _TOKEN.fullmatch(main):
        if not parameters:
            return NIL
        main = "attachment"
    return b"(" + string(main.encode("latin-1")) + b" " + _parameter_list(parameters) + b")"


def _languages(part: Part) -> bytes:
    value = first_value(part.fields, "content-language") or b""
    tags = _LANGUAGE.findall(_COMMENT.sub(b"", unfold_octets(value)))
    return b"(" + b" ".join(map(string, tags)) + b")" if tags else NIL
