"""One message as rules, out-of-office and the auto-booker see it: parsed once, shared by all of
them.

Every property is computed when it is first asked for, and none raises, whatever the bytes are.
"""

import hashlib
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property

from mailcore.headers import Field, Mailbox, decode_value, parse_addresses, unfold
from mailcore.html_text import text_of_html
from mailcore.mime import Part, decode_text, scan

_MESSAGE_ID = re.compile(r"<[^<>\s]++>")
_LONGEST_DATE = 200  # characters


class MessageView:
    """A message's header fields, MIME tree and text; `raw` are its bytes."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    @cached_property
    def sha256(self) -> bytes:
        """The SHA-256 of the bytes."""
        return hashlib.sha256(self.raw).digest()

    @cached_property
    def root(self) -> Part:
        """The MIME tree."""
        return scan(self.raw)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The header fields in their order, raw."""
        return self.root.fields

    @cached_property
    def _by_name(self) -> dict[str, list[bytes]]:
        by_name: dict[str, list[bytes]] = {}
        for field in self.fields:
            by_name.setdefault(field.name.lower(), []).append(field.value)
        return by_name

    def has(self, name: str) -> bool:
        """True when the message has a field of that name, in whatever case."""
        return name.lower() in self._by_name

    def count(self, name: str) -> int:
        """How many fields of that name the message has."""
        return len(self._by_name.get(name.lower(), ()))

    def header(self, name: str) -> str | None:
        """Return the first field of that name, unfolded and decoded; None without one."""
        values = self._by_name.get(name.lower())
        return decode_value(values[0]) if values else None

    def headers(self, name: str) -> tuple[str, ...]:
        """Return every field of that name, unfolded and decoded, in their order."""
        return tuple(decode_value(value) for value in self._by_name.get(name.lower(), ()))

    @cached_property
    def subject(self) -> str:
        """The subject in one line; empty without one."""
        return self.header("subject") or ""

    @cached_property
    def from_(self) -> Mailbox | None:
        """The first author that has an address."""
        return next(iter(self.addresses("from")), None)

    @cached_property
    def sender(self) -> Mailbox | None:
        """The mailbox of the Sender field; None without the field, even when there is a From."""
        return next(iter(self.addresses("sender")), None)

    @cached_property
    def to(self) -> tuple[Mailbox, ...]:
        """The recipients named in To, groups flattened."""
        return self.addresses("to")

    @cached_property
    def cc(self) -> tuple[Mailbox, ...]:
        """The recipients named in Cc, groups flattened."""
        return self.addresses("cc")

    def addresses(self, name: str) -> tuple[Mailbox, ...]:
        """Return every mailbox that the fields of that name hold, groups flattened."""
        values = self._by_name.get(name.lower(), ())
        # One list, so that its limit holds for all the fields of that name together.
        return parse_addresses(", ".join(unfold(value) for value in values))

    @cached_property
    def message_id(self) -> str:
        """The Message-ID in angle brackets (added where they are missing); empty without one."""
        value = self.header("message-id") or ""
        if found := _MESSAGE_ID.search(value):
            return found[0]
        words = value.strip("<> ").split()
        return f"<{words[0]}>" if words else ""

    @cached_property
    def date(self) -> datetime | None:
        """The Date field in UTC; None when it is missing or no date (RFC 5322 section 3.3)."""
        return self.moment("date")

    def moment(self, name: str) -> datetime | None:
        """The first field of that name, read as a date, in UTC; None when it is missing or no date.

        The zone ``-0000`` says that the local zone is not known; the time itself is UTC.
        """
        value = self.header(name)
        if not value or len(value) > _LONGEST_DATE:
            return None
        try:
            written = parsedate_to_datetime(value)
            zoned = written if written.tzinfo else written.replace(tzinfo=UTC)
            return zoned.astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None

    @cached_property
    def text(self) -> str:
        """What the author wrote: the first text/plain, else the first text/html without its tags.

        Lines end with LF.  Attachments and forwarded messages are not looked at.
        """
        if plain := self._first("text/plain"):
            return decode_text(self.raw, plain).replace("\r\n", "\n")
        marked_up = self._first("text/html")
        return text_of_html(decode_text(self.raw, marked_up)) if marked_up else ""

    def _first(self, content_type: str) -> Part | None:
        waiting = [self.root]
        while waiting:
            part = waiting.pop()
            if part.content_type == content_type and part.disposition != "attachment":
                return part
            if part.content_type != "message/rfc822":
                waiting.extend(reversed(part.children))
        return None
