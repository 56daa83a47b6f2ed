"""Time zones as administrators name them: IANA names, with a hint for those who know Windows'."""

from difflib import get_close_matches
from zoneinfo import available_timezones

from mailcore.errors import UsageError


def checked_zone(name: str) -> str:
    """Return an IANA zone's name unchanged; raises UsageError, with the name that was meant.

    >>> checked_zone("Europe/Berlin")
    'Europe/Berlin'
    """
    known = available_timezones()
    if name in known:
        return name
    if meant := _windows_zone(name):
        raise UsageError(f"time zone {name!r} is a Windows name; the IANA name is {meant}")
    by_folded = {zone.casefold(): zone for zone in known}
    close = get_close_matches(name.casefold(), by_folded, n=1)
    hint = f"; did you mean {by_folded[close[0]]}?" if close else ""
    raise UsageError(f"time zone {name!r}: expected an IANA name such as Europe/Berlin{hint}")


def _windows_zone(name: str) -> str:
    # Only for a wrong name: the table comes with a package that is slow to load.
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON  # noqa: PLC0415

    names = {windows.casefold(): zone for windows, zone in WINDOWS_TO_OLSON.items()}
    return names.get(name.casefold(), "")
