"""Changing an out-of-office by hand: what the command line asks for, and what comes of it.  Pure.

Times are read and written as ``YYYY-MM-DD HH:MM`` on the wall clock of one time zone, and kept in epoch seconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from mailcore.charset import one_line
from mailcore.errors import UsageError
from oof.settings import DEFAULT_SUBJECT, EXTERNAL, KNOWN, NOBODY, OofSettings

ON, OFF, TEXTS_ONLY = "1", "0", "-"
INFINITE = "infinite"
_FORMAT = "%Y-%m-%d %H:%M"
_PLAIN = ("message", "external", "external_message", "internal_message", "decline_meetings")
_OUTSIDERS = {
    NOBODY: "nobody outside gets an answer",
    KNOWN: "of those outside, only who answers mail of ours gets one",
}


@dataclass(frozen=True, slots=True)
class Change:
    """What one call asks for; None leaves a thing as it is.

    `mode` is ON, OFF or TEXTS_ONLY; `starts`, `until` and the zone they are in are as they were typed.  The other names
    are those of oof.settings.OofSettings.
    """

    mode: str = TEXTS_ONLY
    subject: str | None = None
    message: str | None = None
    starts: str | None = None
    until: str | None = None
    timezone: str | None = None
    external: str | None = None
    external_message: str | None = None
    internal_message: str | None = None
    decline_meetings: bool | None = None

    @property
    def empty(self) -> bool:
        """True when nothing is to be changed; a zone alone is one to show the window in."""
        return self == Change(timezone=self.timezone)


def read_zone(name: str) -> ZoneInfo:
    """Return the IANA zone of that name; raises UsageError."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # OSError: the name of a directory of zones
        raise UsageError(
            f"time zone {name!r}: expected an IANA name such as Europe/Berlin"
        ) from error


def shown_in(oof: OofSettings, home: ZoneInfo, asked: str | None = None) -> ZoneInfo:
    """The zone in which times are shown: the one that is asked for, else the window's own, else the mailbox's `home`.

    Raises UsageError where the one that is asked for is none.
    """
    if asked is not None:
        return read_zone(asked)
    try:
        return read_zone(oof.timezone) if oof.timezone else home
    except UsageError:  # the window was written where more zones are known
        return home


def apply_change(stored: OofSettings, change: Change, home: ZoneInfo, now: float) -> OofSettings:
    """Return the out-of-office after a change; raises UsageError, with what to type instead.

    Switching on begins a new absence with the window that is given; where one lasts already, what is not named
    stays.  Times without a zone are in that of the absence that lasts, else in the mailbox's `home`.  `now` is in
    epoch seconds.
    """
    if change.mode != ON and (change.starts, change.until) != (None, None):
        raise UsageError("--from and --until go with -m 1")
    if change.external is not None and change.external not in EXTERNAL:
        raise UsageError(f"--external {change.external!r}: expected one of {', '.join(EXTERNAL)}")
    if change.mode == TEXTS_ONLY and stored.enabled:
        raise UsageError(
            "out-of-office is on; give -m 1 to change its texts while it lasts, or -m 0 to switch it off first"
        )
    named = {name: getattr(change, name) for name in _PLAIN if getattr(change, name) is not None}
    changed = replace(stored, **named)
    if change.subject is not None:
        changed = replace(changed, subject=one_line(change.subject))
    if change.mode == OFF:
        return replace(changed, enabled=False)
    if change.mode == ON:
        return _switched_on(changed, change, home, now)
    return changed


def _switched_on(stored: OofSettings, change: Change, home: ZoneInfo, now: float) -> OofSettings:
    if not stored.enabled or stored.over(now):
        stored = replace(stored, starts_at=None, ends_at=None, timezone="")
    starts_at, ends_at = stored.starts_at, stored.ends_at
    zone = shown_in(stored, home, change.timezone)
    if change.starts is not None:
        starts_at = read_time(change.starts, zone, "--from")
    if change.until is not None:
        ends_at = None if change.until == INFINITE else read_time(change.until, zone, "--until")
    if ends_at is not None and starts_at is not None and ends_at < starts_at:
        until, starts = write_time(ends_at, zone), write_time(starts_at, zone)
        raise UsageError(f"--until {until} is before --from {starts}; give both in their order")
    if ends_at is not None and ends_at < now:
        raise UsageError(
            f"--until {write_time(ends_at, zone)} is past; give a later time, or {INFINITE}"
        )
    written_in = stored.timezone if change.timezone is None else zone.key
    return replace(stored, enabled=True, starts_at=starts_at, ends_at=ends_at, timezone=written_in)


def read_time(text: str, zone: ZoneInfo, option: str) -> float:
    """Return a time on the wall clock of `zone` in epoch seconds; of two equal ones, the first.

    Raises UsageError naming `option`, also for a time that the clock leaves out.

    >>> read_time("2030-01-01 01:00", ZoneInfo("Europe/Berlin"), "--from")
    1893456000.0
    """
    try:
        local = datetime.strptime(text, _FORMAT).replace(tzinfo=zone)
    except ValueError as error:
        raise UsageError(f"{option} {text!r}: expected YYYY-MM-DD HH:MM") from error
    moment = local.timestamp()
    try:
        exists = datetime.fromtimestamp(moment, zone).replace(fold=0) == local
    except (ValueError, OverflowError):  # at the ends of the calendar
        exists = False
    if not exists:
        raise UsageError(f"{option} {text!r}: there is no such time in {zone.key}")
    return moment


def write_time(moment: float, zone: ZoneInfo) -> str:
    """Write an instant on the wall clock of `zone`."""
    return datetime.fromtimestamp(moment, zone).strftime(_FORMAT)


def document_of(oof: OofSettings, zone: ZoneInfo, now: float) -> dict[str, object]:
    """The state for programs; a window's open end is None."""
    return {
        "set": oof.enabled,
        "active": oof.active(now),
        "subject": oof.subject,
        "message": oof.message,
        "from": None if oof.starts_at is None else write_time(oof.starts_at, zone),
        "until": None if oof.ends_at is None else write_time(oof.ends_at, zone),
        "timezone": zone.key,
        "external": oof.external,
        "external_message": oof.external_message,
        "internal_message": oof.internal_message,
        "decline_meetings": oof.decline_meetings,
    }


def describe(name: str, oof: OofSettings, zone: ZoneInfo, now: float) -> Iterator[str]:
    """The state in words, line by line."""
    yield f"Out-of-office of {name} is {_state(oof, zone, now)}."
    yield f"Subject: {one_line(oof.subject) or DEFAULT_SUBJECT}"
    if oof.message.strip():
        yield from _text("Text", oof.message)
    else:
        yield "Text: none; -n FILE gives one"
    if oof.internal_message.strip():
        yield from _text("Text for senders inside", oof.internal_message)
    if oof.external in _OUTSIDERS:
        yield f"Senders outside: {_OUTSIDERS[oof.external]}"
    if oof.external_message.strip() and oof.external != NOBODY:
        yield from _text("Text for senders outside", oof.external_message)
    if oof.decline_meetings:
        yield "Meetings: the auto-booker declines them during the absence"


def _text(title: str, text: str) -> Iterator[str]:
    yield f"{title}:"
    yield from (f"  {one_line(line)}".rstrip() for line in text.splitlines())


def _state(oof: OofSettings, zone: ZoneInfo, now: float) -> str:
    if not oof.enabled:
        return "off"
    ends = "" if oof.ends_at is None else f" until {write_time(oof.ends_at, zone)}"
    where = f" ({zone.key})"
    if oof.ends_at is not None and oof.ends_at < now:
        return f"on, but nobody is answered: it lasted{ends}{where}"
    if oof.starts_at is not None and now < oof.starts_at:
        return f"on, and will answer from {write_time(oof.starts_at, zone)}{ends}{where}"
    return f"on, and answers{ends}{where if ends else ''}"
