"""Writing header fields: text, mailboxes and threading, safe whatever strangers have put into them.

Fields are written out by hand: the standard library's header objects decode encoded words in what they are given,
and so a subject that hides a line end in one becomes a field of its own.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from email.header import Header

from mailcore.charset import one_line

_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_LONGEST_NAME = 100  # characters
_MOST_REFERENCES = 20  # Message-IDs kept of a long thread


def header_text(text: str, field: str) -> str:
    """Text for the field called `field`, folded, as encoded words where needed (RFC 2047).

    Text that looks like an encoded word is encoded too: it would else be shown decoded.
    """
    charset = "us-ascii" if text.isascii() and "=?" not in text else "utf-8"
    return Header(one_line(text), charset, header_name=field).encode(linesep="\r\n")


def header_mailbox(name: str, address: str) -> str:
    """A display name and an address (RFC 5322 section 3.4)."""
    wire = f"<{header_address(address)}>"
    shown = " ".join(one_line(name).split())[:_LONGEST_NAME].strip()
    if not shown:
        return wire
    if not shown.isascii() or "=?" in shown:
        phrase = header_text(shown, "From")
    elif _ATOMS.fullmatch(shown):
        phrase = shown
    else:
        escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
        phrase = f'"{escaped}"'
    return f"{phrase}\r\n {wire}"


def header_address(address: str) -> str:
    """An address on the wire: an IDN domain goes as A-labels, which every relay takes."""
    local, at, domain = one_line(address).rpartition("@")
    if not domain.isascii():
        with suppress(UnicodeError):  # what is no valid domain name is left as it was written
            domain = domain.encode("idna").decode("ascii")
    return f"{local}{at}{domain}"


def threading_fields(message_id: str, references: str) -> Iterable[str]:
    """In-Reply-To and References to the message that is answered (RFC 5322 section 3.6.4).

    Only well-formed message ids are kept; of a long thread its first and its latest.
    """
    parent = _MESSAGE_ID.search(message_id)
    if parent is None:
        return []
    earlier = [found for found in _MESSAGE_ID.findall(references) if found != parent[0]]
    if len(earlier) > _MOST_REFERENCES:
        earlier = [earlier[0], *earlier[1 - _MOST_REFERENCES :]]
    named = "\r\n ".join([*earlier, parent[0]])
    return [f"In-Reply-To: {parent[0]}", f"References: {named}"]
