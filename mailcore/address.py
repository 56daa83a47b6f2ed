"""Mail addresses: the key under which an address is compared and stored."""

import unicodedata
from contextlib import suppress


def address_key(address: str) -> str:
    """Return the form under which two spellings of an address are the same mailbox here.

    Both halves are compared without case and in Unicode NFC; an IDN domain is compared in its Unicode form, so
    that A-labels and U-labels meet.  An address without `@` (a user name) is folded the same way.

    >>> address_key("Anna.Berg@EXAMPLE.org")
    'anna.berg@example.org'
    >>> address_key("room@xn--bcher-kva.example")
    'room@bücher.example'
    """
    folded = address.lower()
    if folded.isascii() and "xn--" not in folded:
        return folded
    local, at, domain = address.rpartition("@")
    if "xn--" in domain.lower():
        with suppress(UnicodeError):  # not a valid A-label: compared as it is written
            domain = domain.lower().encode("ascii").decode("idna")
    return unicodedata.normalize("NFC", f"{local}{at}{domain}").casefold()
