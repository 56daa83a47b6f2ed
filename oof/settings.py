"""What a user has set for out-of-office, and what holds for everybody's, as values."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mailcore.header_patterns import HeaderPattern, parse_header_patterns
from mailcore.window import within

DEFAULT_SUBJECT = "Out of office"
TIME_LIMIT = 86_400.0
"""Seconds within which a sender gets one answer only, where nothing else is set."""

NOBODY, KNOWN, ALL = "none", "known", "all"
EXTERNAL = (NOBODY, KNOWN, ALL)
"""Who outside gets an answer; `known` are those whom the user knows."""

MORE_HEADERS = "X-Is-Junk: YES, X-AMAZON*, X-LinkedIn*"
"""Header fields of programs that say in no standard way that they are none to answer."""


@dataclass(frozen=True, slots=True)
class OofSettings:
    """On or off, the texts, and the window in epoch seconds (None: open on that side).

    `internal_message` and `external_message` go before `message` for senders inside and outside.  `external` is one
    of EXTERNAL.  `timezone` is the IANA zone in which the window was written; empty: the mailbox's own.  With
    `decline_meetings` the auto-booker declines what it is asked for during the absence.
    """

    enabled: bool
    subject: str
    message: str
    starts_at: float | None = None
    ends_at: float | None = None
    timezone: str = ""
    external: str = ALL
    external_message: str = ""
    internal_message: str = ""
    decline_meetings: bool = False

    def active(self, now: float) -> bool:
        """Whether answers go out at `now`: switched on, and from <= now <= until."""
        return self.enabled and within(now, self.starts_at, self.ends_at)

    def over(self, now: float) -> bool:
        """Whether the window has ended before `now`, switched on or not."""
        return self.ends_at is not None and self.ends_at < now

    def text_for(self, *, internal: bool) -> str:
        """The text for senders inside or outside."""
        return (self.internal_message if internal else self.external_message) or self.message


@dataclass(frozen=True, slots=True)
class OofPolicy:
    """What the settings say of everybody's out-of-office; the names are those of the settings.

    `internal_domains` are mail domains whose senders are inside, as mailcore.inside reads them; without any
    it is those of the user's own addresses.  `delimiter` holds the characters that begin a detail in an address.
    """

    autorespond_cc: bool = True
    autorespond_bcc: bool = False
    autorespond_norecip: bool = False
    inhibit_auto_reply_headers: Sequence[HeaderPattern] = field(
        default=parse_header_patterns(MORE_HEADERS.split(","))
    )
    internal_domains: frozenset[str] = frozenset()
    delimiter: str = "+"
