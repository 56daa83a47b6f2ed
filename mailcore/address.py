"""Mail addresses: the key under which an address is compared and stored."""

import unicodedata
from contextlib import suppress

from mailcore.path import canonical_quoted

_A_LABEL = "xn--"


_LONGEST = 1_000
"""Characters above which a text is no address (RFC 5321 section 4.5.3.1); normalizing takes quadratic time."""


def address_key(address: str) -> str:
    """Return the form under which two spellings of an address are the same mailbox here.

    Both halves are compared without case and in Unicode NFC; a local part that is quoted without need is the same as
    without quotes (RFC 5321 section 4.1.2), and an A-label the same as its U-label (RFC 5890 section 2.3.2.1).  What
    has no `@` (a user name) is folded the same way.

    >>> address_key('"Anna.Berg"@EXAMPLE.org')
    'anna.berg@example.org'
    >>> address_key("room@xn--bcher-kva.example")
    'room@bücher.example'
    """
    folded = address.lower()
    plain = folded.isascii() and _A_LABEL not in folded and '"' not in folded
    if plain or len(address) > _LONGEST:
        return folded
    local, at, domain = address.rpartition("@") if "@" in address else (address, "", "")
    if len(local) > 1 and local[0] == local[-1] == '"':
        local = canonical_quoted(local)
    if _A_LABEL in domain.lower():
        domain = ".".join(map(_unicode_label, domain.split(".")))
    return unicodedata.normalize("NFC", f"{local}{at}{domain}".casefold())


def _unicode_label(label: str) -> str:
    """An A-label as the U-label it stands for; whatever is none as it is.

    Not by the codec `idna`, which knows only the names of 2003 and so refuses a sharp s.
    """
    if label[:4].lower() == _A_LABEL:
        with suppress(UnicodeError):
            return label[4:].encode("ascii").decode("punycode")
    return label
