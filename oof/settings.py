"""What a user has set for out-of-office, as a value."""

from dataclasses import dataclass

DEFAULT_SUBJECT = "Out of office"
TIME_LIMIT = 86_400.0
"""Seconds within which a sender gets one answer only."""


@dataclass(frozen=True, slots=True)
class OofSettings:
    """On or off, the texts, and the window in epoch seconds (None: open on that side)."""

    enabled: bool
    subject: str
    message: str
    starts_at: float | None = None
    ends_at: float | None = None

    def active(self, now: float) -> bool:
        """Whether answers go out at `now`: switched on, and from <= now <= until."""
        if not self.enabled:
            return False
        started = self.starts_at is None or self.starts_at <= now
        return started and (self.ends_at is None or now <= self.ends_at)
