"""Time zones as one message means them (RFC 5545 sections 3.2.19, 3.3.5 and 3.6.5).

A TZID is looked up in the message's own VTIMEZONEs first, then as an IANA name, then as a Windows
name; one that is found nowhere makes the message unreadable.  Nothing is kept across messages: two
mails may give one TZID different rules, and each keeps its own.
"""

from collections.abc import Iterable
from datetime import UTC as _UTC
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from mr_accept.grammar import Component
from mr_accept.limits import Budget, Limits
from mr_accept.model import UnreadableError, Zone
from mr_accept.values import EPOCH, read_text, seconds_since_epoch
from mr_accept.vtimezone import VtimezoneZone, compile_vtimezone

# Names that the tz database directory has but that mean the server's own zone, or none at all.
_NOT_ZONES = frozenset({"localtime", "posixrules", "Factory"})
_WINDOWS_ZONES = {name.casefold(): key for name, key in WINDOWS_TO_OLSON.items()}
_EXTRA_NAMES = {"tzone://microsoft/utc": "UTC", "z": "UTC"}


class IanaZone:
    """A zone of the tz database, shown under the name the message used for it."""

    def __init__(self, key: str, name: str = "") -> None:
        self._zone = ZoneInfo(key)
        self.name = name or key

    def to_utc(self, wall: datetime) -> int:
        """Epoch seconds of a wall-clock time (fold 0 is the RFC's choice in gaps and overlaps)."""
        offset = wall.replace(tzinfo=self._zone, fold=0).utcoffset()
        return seconds_since_epoch(wall - (offset or timedelta(0)))

    def from_utc(self, instant: int) -> datetime:
        """The wall-clock time at an instant in epoch seconds."""
        moment = (EPOCH + timedelta(seconds=instant)).replace(tzinfo=_UTC)
        return moment.astimezone(self._zone).replace(tzinfo=None, fold=0)


UTC = IanaZone("UTC")


def named_zone(name: str) -> Zone | None:
    """Return the zone with an IANA or Windows name, or None.

    Prefixed names such as ``/example.com/2024/Europe/Berlin`` count by their ending.
    """
    tail = name.strip().strip('"')
    while tail:
        folded = tail.casefold()
        key = _EXTRA_NAMES.get(folded) or _WINDOWS_ZONES.get(folded) or tail
        if _is_iana(key):
            return IanaZone(key, tail)
        if not name.startswith("/"):
            return None
        tail = tail.partition("/")[2]
    return None


@lru_cache(maxsize=1024)
def _is_iana(key: str) -> bool:
    if key in _NOT_ZONES or len(key) > 64:
        return False
    try:
        ZoneInfo(key)
    except (OSError, ValueError, KeyError):  # KeyError: ZoneInfoNotFoundError
        return False
    return True


def offset_text(zone: Zone, instant: int) -> str:
    """Return the zone's offset from UTC at an instant (epoch seconds), for people.

    >>> offset_text(IanaZone("Europe/Berlin"), 0)
    '+01:00'
    """
    seconds = seconds_since_epoch(zone.from_utc(instant)) - instant
    hours, rest = divmod(abs(seconds), 3600)
    return f"{'-' if seconds < 0 else '+'}{hours:02}:{rest // 60:02}"


class ZoneTable:
    """The zones of one message; `floating` is the resource's, for times and dates without one."""

    def __init__(self, timezones: Iterable[Component], floating: Zone, limits: Limits) -> None:
        self.floating = floating
        self._budget = Budget(limits)
        self._own: dict[str, Component] = {}
        self._resolved: dict[str, Zone] = {}
        for component in timezones:
            self._add(component)

    def _add(self, component: Component) -> None:
        line = component.first("TZID")
        if line is None:
            raise UnreadableError("a VTIMEZONE has no TZID")
        tzid = read_text(line.value).strip().strip('"')
        if not component.named("STANDARD") and not component.named("DAYLIGHT"):
            return  # an empty shell says nothing: the name alone has to do
        known = self._own.setdefault(tzid, component)
        if list(known.whole()) != list(component.whole()):
            raise UnreadableError(f"two different VTIMEZONEs are both called {tzid[:80]!r}")

    def resolve(self, tzid: str) -> Zone:
        """Return the zone this message means by `tzid`; raises UnreadableError if it is unknown."""
        tzid = tzid.strip().strip('"')
        zone = self._resolved.get(tzid)
        if zone is None:
            own = self._own.get(tzid)
            zone = compile_vtimezone(own, tzid, self._budget) if own else named_zone(tzid)
            if zone is None:
                raise UnreadableError(f"the time zone {tzid[:80]!r} is not known")
            self._resolved[tzid] = zone
        return zone

    def used(self) -> dict[str, tuple[str, ...]]:
        """Return the lines of each VTIMEZONE of the message that has been resolved, by TZID."""
        return {
            tzid: tuple(self._own[tzid].whole())
            for tzid, zone in self._resolved.items()
            if isinstance(zone, VtimezoneZone)
        }
