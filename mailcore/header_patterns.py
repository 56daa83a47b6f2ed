"""Patterns of header fields, by which settings say that some mail is not answered or forwarded.

A pattern is the name of a field, `Name: value` for a value that begins so, or a name that ends with `*` for all names
that begin so.  Case counts nowhere.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mailcore.automatic import is_by_hand
from mailcore.errors import UsageError
from mailcore.headers import decode_value
from mailcore.view import MessageView

_PATTERN = re.compile(r"([!-)+-9;-~]+)(\*?)(?::[ \t]*(.*))?")


@dataclass(frozen=True, slots=True)
class HeaderPattern:
    """A field's name or, with `is_prefix`, its beginning, and the beginning of its value; both case-folded."""

    name: str
    is_prefix: bool = False
    value: str = ""

    def names(self, name: str) -> bool:
        """Whether it is about fields of this case-folded name."""
        return name.startswith(self.name) if self.is_prefix else name == self.name


def parse_header_patterns(patterns: Iterable[str]) -> tuple[HeaderPattern, ...]:
    """Read patterns; raises UsageError naming the one that is none.

    >>> parse_header_patterns(["X-Spam-Flag: YES", "X-LinkedIn*"])[1]
    HeaderPattern(name='x-linkedin', is_prefix=True, value='')
    """
    return tuple(map(_parse, patterns))


def _parse(pattern: str) -> HeaderPattern:
    found = _PATTERN.fullmatch(pattern.strip())
    if found is None:
        raise UsageError(
            f"{pattern!r} is no header pattern: expected Name, 'Name: value' or Prefix*"
        )
    return HeaderPattern(found[1].casefold(), bool(found[2]), (found[3] or "").casefold())


def find_header(view: MessageView, patterns: Sequence[HeaderPattern]) -> str:
    """Return the name, as it is written, of the first field that matches a pattern; empty without one.

    `Auto-Submitted: no` never matches: it says that a person has sent the mail (RFC 3834 section 5).
    """
    for field in view.fields:
        name = field.name.casefold()
        asked = [pattern for pattern in patterns if pattern.names(name)]
        if not asked:
            continue
        value = decode_value(field.value).casefold()
        if name == "auto-submitted" and is_by_hand(value):
            continue
        if any(value.startswith(pattern.value) for pattern in asked):
            return field.name
    return ""
