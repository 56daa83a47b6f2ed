"""From a meeting to its busy time: every occurrence up to a horizon (RFC 5545 section 3.8.5).

The recurrence set is DTSTART, RRULE and RDATE without EXDATE; an instance with a RECURRENCE-ID
takes the place of the one it names.  EXDATE and RECURRENCE-ID are compared as canonical recurrence
ids.  An override that names no instance of its series still holds its own time: a resource is
rather held too long than given away twice.  An event of zero length occupies no instant.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mr_accept.limits import Budget, Limits
from mr_accept.model import (
    Duration,
    Form,
    Frequency,
    Instance,
    Lineage,
    LineageState,
    Moment,
    Occurrence,
    Rule,
    UnreadableError,
    Until,
)
from mr_accept.recurrence import expand_rule
from mr_accept.values import seconds_since_epoch, utc_text

_DAY = timedelta(days=1)


def recurrence_id_of(moment: Moment) -> str:
    """Return the canonical recurrence id of the instance that starts, or started, at `moment`.

    It is the start in UTC, or the date of an all-day event.  A floating start counts in the
    resource's zone, so it stays the same only as long as that zone does.
    """
    if moment.all_day:
        return moment.wall.date().isoformat().replace("-", "")
    return utc_text(moment.epoch)


def expand(
    instances: Iterable[Instance], until: int, limits: Limits, since: int | None = None
) -> tuple[Occurrence, ...]:
    """Return the sorted occurrences that the VEVENTs of one message make; see `occurrences_of`."""
    rows = [
        Lineage(
            instance.recurrence_id,
            LineageState.CANCELLED if instance.cancelled else LineageState.ACCEPTED,
            instance,
        )
        for instance in instances
    ]
    return occurrences_of(rows, until, limits, since)


def occurrences_of(
    rows: Sequence[Lineage], until: int, limits: Limits, since: int | None = None
) -> tuple[Occurrence, ...]:
    """Return the occurrences of a booking, sorted by start.

    They are the accepted master's without those that another row stands for, and the own time of
    each accepted override.  `until` and `since` are epoch seconds: occurrences of a series that
    start at or after `until`, and any that end at or before `since`, are left out; a single event
    or an override counts however far ahead it is.  Raises UnreadableError when that is too costly.
    """
    budget = Budget(limits)
    replaced = frozenset(row.recurrence_id for row in rows if row.recurrence_id)
    found: list[Occurrence] = []
    for row in rows:
        if row.state is not LineageState.ACCEPTED or row.instance is None:
            continue
        for occurrence in _own(row.instance, replaced, until, since, budget):
            if since is not None and occurrence.end <= since:
                continue
            found.append(occurrence)
            if len(found) > limits.max_occurrences:
                raise UnreadableError("too costly: the meeting has too many occurrences")
    return tuple(sorted(found))


def _own(
    instance: Instance, replaced: Collection[str], until: int, since: int | None, budget: Budget
) -> Iterator[Occurrence]:
    """Yield the occurrences that one VEVENT alone stands for."""
    if not instance.recurring:
        yield _occurrence(instance, instance.start, instance.duration, instance.recurrence_id)
        return
    seen = {*replaced, *instance.excluded}
    for start, duration in _recurrence_set(instance, until, since, budget):
        recurrence_id = recurrence_id_of(start)
        if recurrence_id not in seen and start.epoch < until:
            seen.add(recurrence_id)
            yield _occurrence(instance, start, duration, recurrence_id)


def _occurrence(
    instance: Instance, start: Moment, duration: Duration, recurrence_id: str
) -> Occurrence:
    begin = start.epoch
    nominal = start.zone.to_utc(start.wall + timedelta(days=duration.days))
    end = (nominal if duration.days else begin) + duration.seconds
    return Occurrence(begin, max(begin, end), recurrence_id, busy=not instance.transparent)


def _recurrence_set(
    instance: Instance, until: int, since: int | None, budget: Budget
) -> Iterator[tuple[Moment, Duration]]:
    """Yield DTSTART, the starts by the rule, and the RDATEs; each may come more than once."""
    # RDATEs come first: one that is also a start by the rule may have a duration of its own.
    for extra in instance.extra_dates:
        budget.spend()
        yield extra.start, extra.duration or instance.duration
    if instance.rule is None:
        yield instance.start, instance.duration
        return
    for start in _rule_starts(instance, instance.rule, until, since, budget):
        yield start, instance.duration


def _rule_starts(
    instance: Instance, rule: Rule, until: int, since: int | None, budget: Budget
) -> Iterator[Moment]:
    zone, form = instance.start.zone, instance.start.form
    if instance.all_day:
        if rule.frequency > Frequency.DAILY:
            raise UnreadableError(f"an all-day event cannot recur {rule.frequency.name}")
        rule = replace(rule, by_hour=(), by_minute=(), by_second=())  # RFC 5545: to be ignored
    # A day more on either side, because wall clocks and instants differ in order near a change.
    last = zone.from_utc(until) + _DAY
    last_instant = None
    if rule.until is not None:
        limit, last_instant = _until_limit(instance, rule.until)
        last = min(last, limit)
    earliest = None
    if since is not None:
        length = timedelta(days=instance.duration.days, seconds=instance.duration.seconds)
        earliest = zone.from_utc(since) - length - _DAY
    for wall in expand_rule(rule, instance.start.wall, last=last, budget=budget, since=earliest):
        moment = Moment(wall, zone, form)
        if last_instant is None or moment.epoch <= last_instant:
            yield moment


def _until_limit(instance: Instance, until: Until) -> tuple[datetime, int | None]:
    """UNTIL as the last wall-clock start, and as an instant where it was written in UTC.

    UNTIL ought to be of DTSTART's type.  Where it is a date for a timed series the whole of that
    day is meant; where it is a time for an all-day series, its date.
    """
    wall, form = until
    if instance.all_day:
        return wall.replace(hour=0, minute=0, second=0), None
    if form is Form.DATE:
        return wall + _DAY - timedelta(seconds=1), None
    if form is Form.UTC:
        instant = seconds_since_epoch(wall)
        return instance.start.zone.from_utc(instant) + _DAY, instant
    return wall, None
