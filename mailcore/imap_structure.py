"""BODY and BODYSTRUCTURE of an IMAP server (RFC 3501 section 7.4.2).

Parameters are shown as RFC 2231 section 6 asks: continuations joined, percent-encoding kept.  What
has no form of its own in IMAP gets the nearest one: a multipart without parts is text/plain, so
that its content stays readable as a section, and a message/rfc822 that was not taken apart is
application/octet-stream.
"""

from mailcore.headers import first_value, unfold_octets
from mailcore.imap_envelope import NIL, envelope, header_string, string
from mailcore.mime import Part
from mailcore.parameters import split_parameters

_US_ASCII = b'("charset" "us-ascii")'


def body_structure(raw: bytes, part: Part, *, extended: bool) -> bytes:
    """Return the structure of a part: BODYSTRUCTURE when `extended`, else BODY."""
    if part.content_type.startswith("multipart/") and part.children:
        parts = b"".join(body_structure(raw, child, extended=extended) for child in part.children)
        subtype = string(part.content_type.partition("/")[2].encode())
        extension = b" " + _content_parameters(part) + _extension(part) if extended else b""
        return b"(" + parts + b" " + subtype + extension + b")"
    return _single_part(raw, part, extended=extended)


def _single_part(raw: bytes, part: Part, *, extended: bool) -> bytes:
    major, _, minor = _shown_type(part).partition("/")
    items = [
        string(major.encode()),
        string(minor.encode()),
        _content_parameters(part),
        header_string(part.fields, "content-id"),
        header_string(part.fields, "content-description"),
        string(part.encoding.encode()),
        b"%d" % (part.body_end - part.body_start),
    ]
    lines = b"%d" % raw.count(b"\n", part.body_start, part.body_end)
    if major == "text":
        items.append(lines)
    elif part.children:  # message/rfc822
        inner = part.children[0]
        items += [envelope(inner.fields), body_structure(raw, inner, extended=extended), lines]
    md5 = b" " + header_string(part.fields, "content-md5") if extended else b""
    extension = md5 + _extension(part) if extended else b""
    return b"(" + b" ".join(items) + extension + b")"


def _shown_type(part: Part) -> str:
    if part.content_type.startswith("multipart/"):
        return "text/plain"
    if part.content_type == "message/rfc822" and not part.children:
        return "application/octet-stream"
    return part.content_type


def _extension(part: Part) -> bytes:
    """Return disposition, language and location, each with a space before it."""
    items = (
        _disposition(part),
        _languages(part),
        header_string(part.fields, "content-location"),
    )
    return b"".join(b" " + item for item in items)


def _content_parameters(part: Part) -> bytes:
    value = first_value(part.fields, "content-type")
    if value is None:  # the default of RFC 2045 section 5.2, said aloud
        return _US_ASCII if part.content_type == "text/plain" else NIL
    return _parameters(value)[1]


def _parameters(value: bytes) -> tuple[bytes, bytes]:
    """Return the main value and the parameter list; Latin-1 keeps every octet."""
    main, pairs = split_parameters(unfold_octets(value).decode("latin-1"))
    shown = [string(text.encode("latin-1")) for pair in pairs for text in pair]
    return main.encode("latin-1"), b"(" + b" ".join(shown) + b")" if shown else NIL


def _disposition(part: Part) -> bytes:
    value = first_value(part.fields, "content-disposition")
    if value is None:
        return NIL
    main, parameters = _parameters(value)
    return b"(" + string(main) + b" " + parameters + b")" if main else NIL


def _languages(part: Part) -> bytes:
    value = first_value(part.fields, "content-language")
    if value is None:
        return NIL
    tags = [string(tag.strip()) for tag in unfold_octets(value).split(b",") if tag.strip()]
    if not tags:
        return NIL
    return tags[0] if len(tags) == 1 else b"(" + b" ".join(tags) + b")"
