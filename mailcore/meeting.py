"""Which mail carries a meeting message, told from its MIME structure alone (RFC 6047 section 2.4).

A calendar part is a text/calendar part with a method parameter.  One inside a forwarded message or
a delivery report belongs to another mail, and an attached .ics without a method is a file.
"""

from collections.abc import Iterator

from mailcore.mime import Part

_OTHER_MAIL = frozenset({"message/rfc822", "message/global", "multipart/report"})
BOOKING_METHODS = frozenset({"REQUEST", "ADD", "CANCEL"})
"""The iTIP methods that can change what a resource holds (RFC 5546 section 1.4)."""


def calendar_parts(root: Part) -> Iterator[Part]:
    """Yield the calendar parts of a message in their order."""
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.content_type == "text/calendar" and part_method(part):
            yield part
        if part.content_type not in _OTHER_MAIL:
            waiting.extend(reversed(part.children))


def part_method(part: Part) -> str:
    """Return the method parameter of a part in upper case; empty without one."""
    return part.params.get("method", "").strip().upper()


def meeting_method(root: Part) -> str:
    """Return the iTIP method that a message claims, in upper case; empty when it carries none.

    Where parts differ, those for booking go before the rest.  Whether the calendar inside agrees is
    seen only when it is read.
    """
    methods = [part_method(part) for part in calendar_parts(root)]
    wanted = (method for method in methods if method in BOOKING_METHODS)
    return next(wanted, methods[0] if methods else "")
