"""Strings and the ENVELOPE of an IMAP server (RFC 3501 sections 4.3 and 7.4.2).

Values are shown as they were sent, encoded words still encoded, but unfolded; in what people read
any white space is one space.  A string is quoted where it is 7-bit and on one line, else a literal;
NUL, which IMAP cannot carry, is shown as U+FFFD in UTF-8.
"""

import re

from mailcore.address_list import Entry, Kind, parse_entries
from mailcore.headers import Field, first_value, unfold_octets

NIL = b"NIL"
# A NIL host or mailbox marks a group, so what is missing in a mailbox needs a word.
_NO_LOCAL_PART = "MISSING_MAILBOX"
_NO_DOMAIN = "MISSING_DOMAIN"
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()
_WHITE_SPACE = re.compile(rb"[ \t\r\n]+")


def string(value: bytes) -> bytes:
    """Return an IMAP string: quoted, or a literal.

    >>> string(b'say "hello"'), string(b"caf\\xc3\\xa9")
    (b'"say \\\\"hello\\\\""', b'{5}\\r\\ncaf\\xc3\\xa9')
    """
    value = value.replace(b"\0", _REPLACEMENT)
    if value.isascii() and b"\r" not in value and b"\n" not in value:
        return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return b"{%d}\r\n%b" % (len(value), value)


def header_string(fields: tuple[Field, ...], name: str) -> bytes:
    """Return the first field of that name (lower case) as an IMAP string, NIL without one."""
    value = first_value(fields, name)
    return NIL if value is None else string(unfold_octets(value))


def header_text(fields: tuple[Field, ...], name: str) -> bytes:
    """Return the first field of that name (lower case) as people read it, NIL without one."""
    value = first_value(fields, name)
    return NIL if value is None else _text(value)


def _text(value: bytes) -> bytes:
    return string(_WHITE_SPACE.sub(b" ", value).strip(b" "))


def envelope(fields: tuple[Field, ...]) -> bytes:
    """Return the ENVELOPE of a message with these header fields.

    Sender and Reply-To are those of From where the message has none.
    """
    from_ = _addresses(fields, "from")
    sender = _addresses(fields, "sender")
    reply_to = _addresses(fields, "reply-to")
    items = (
        header_string(fields, "date"),
        header_text(fields, "subject"),
        from_,
        from_ if sender == NIL else sender,
        from_ if reply_to == NIL else reply_to,
        _addresses(fields, "to"),
        _addresses(fields, "cc"),
        _addresses(fields, "bcc"),
        header_string(fields, "in-reply-to"),
        header_string(fields, "message-id"),
    )
    return b"(" + b" ".join(items) + b")"


def _addresses(fields: tuple[Field, ...], name: str) -> bytes:
    """Return the address structures of all fields of that name, NIL without any."""
    # Latin-1 keeps every octet; only ASCII characters have a meaning in the grammar.
    entries = [
        entry
        for field in fields
        if field.name.lower() == name
        for entry in parse_entries(unfold_octets(field.value).decode("latin-1"))
    ]
    return b"(" + b"".join(_address(entry) for entry in entries) + b")" if entries else NIL


def _address(entry: Entry) -> bytes:
    if entry.kind is Kind.GROUP_START:
        return b"(NIL NIL " + _octets(entry.name) + b" NIL)"
    if entry.kind is Kind.GROUP_END:
        return b"(NIL NIL NIL NIL)"
    items = (
        _text(entry.name.encode("latin-1")) if entry.name else NIL,
        _octets(entry.route) if entry.route else NIL,
        _octets(entry.local or _NO_LOCAL_PART),
        _octets(entry.domain or _NO_DOMAIN),
    )
    return b"(" + b" ".join(items) + b")"


def _octets(text: str) -> bytes:
    return string(text.encode("latin-1"))
