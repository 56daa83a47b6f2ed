"""From a meeting to its busy time: every occurrence up to a horizon (RFC 5545 section 3.8.5).

The recurrence set is DTSTART, RRULE and RDATE without EXDATE; DTSTART belongs to it also where the rule does not make
it.  An instance with a RECURRENCE-ID takes the place of the one it names, and one with RANGE=THISANDFUTURE (section
3.2.13) moves or ends what the series makes from there on.  EXDATE and RECURRENCE-ID are compared as canonical
recurrence ids.  An override that names no instance of its series still holds its own time: a resource is rather held
too long than given away twice.  An event of zero length occupies no instant.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import NamedTuple

from mr_accept.limits import Budget, Limits
from mr_accept.model import (
    ONWARDS,
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
    Zone,
)
from mr_accept.ranges import Range, Ranges, ranges_of
from mr_accept.recurrence import expand_rule
from mr_accept.values import seconds_since_epoch, utc_text

_DAY = timedelta(days=1)
_FAR = seconds_since_epoch(datetime(9000, 1, 1))
_AGE = 100 * 366 * 86_400  # seconds; a series that is longer has no end for any practical purpose


class _Window(NamedTuple):
    """What is asked for, in epoch seconds: starts before `until`, ends after `since`."""

    until: int
    since: int | None = None


def recurrence_id_of(moment: Moment) -> str:
    """Return the canonical recurrence id of the instance that starts, or started, at `moment`.

    It is the start in UTC, or the date of an all-day event.  A floating start counts in the
    resource's zone, so it stays the same only as long as that zone does.
    """
    return _id_at(moment, 0 if moment.all_day else moment.epoch)


def _id_at(moment: Moment, epoch: int) -> str:
    if moment.all_day:
        return moment.wall.date().isoformat().replace("-", "")
    return utc_text(epoch)


def expand(
    instances: Iterable[Instance], until: int, limits: Limits, since: int | None = None
) -> tuple[Occurrence, ...]:
    """Return the sorted occurrences that the VEVENTs of one message make; see `occurrences_of`."""
    return occurrences_of(_lineages(instances), until, limits, since)


def _lineages(instances: Iterable[Instance]) -> list[Lineage]:
    return [
        Lineage(
            instance.recurrence_id,
            LineageState.CANCELLED if instance.cancelled else LineageState.ACCEPTED,
            instance,
        )
        for instance in instances
    ]


def occurrences_of(
    rows: Sequence[Lineage], until: int, limits: Limits, since: int | None = None
) -> tuple[Occurrence, ...]:
    """Return the occurrences of a booking, sorted by start.

    They are the accepted master's without those that another row stands for, where a range (`ONWARDS`) has put them,
    and the own time of each accepted override.  A range that was declined changes nothing, and without an accepted
    master a range makes nothing.  `until` and `since` are epoch seconds: occurrences of a series that start at or after
    `until`, and any that end at or before `since`, are left out, both by the time to which a range has moved them; a
    single event or an override counts however far ahead it is.  Raises UnreadableError when that is too costly.
    """
    found: list[Occurrence] = []
    counted = 0
    for occurrence in _occurrences(rows, _Window(until, since), Budget(limits)):
        found.append(occurrence)
        counted += occurrence.end > limits.counted_from
        if counted > limits.max_occurrences:
            raise UnreadableError("too costly: the meeting has too many occurrences")
    return tuple(sorted(found))


def goes_past(instances: Iterable[Instance], instant: int, limits: Limits) -> bool:
    """Whether the VEVENTs of one message have an occurrence at or after an instant; see `lineages_go_past`."""
    return lineages_go_past(_lineages(instances), instant, limits)


def lineages_go_past(rows: Sequence[Lineage], instant: int, limits: Limits) -> bool:
    """Whether a booking has an occurrence that starts at or after `instant` (epoch seconds).

    A rule without COUNT and UNTIL has one unless a cancelled range ends it; it is not expanded for that.  Raises
    UnreadableError when it is too costly to tell.
    """
    if _endless(rows):
        return True
    window = _Window(_FAR, instant - 1)
    return any(item.start >= instant for item in _occurrences(rows, window, Budget(limits)))


def series_end(instances: Sequence[Instance], limits: Limits) -> int | None:
    """Return when the last occurrence of the VEVENTs of one message ends, in epoch seconds.

    None where there is no end, or none within a hundred years of the first start.  VEVENTs that make no occurrence at
    all end when the first of them starts.  Raises UnreadableError when it is too costly to tell.
    """
    rows = _lineages(instances)
    if _endless(rows):
        return None
    latest = begin = instances[0].start.epoch
    for item in _occurrences(rows, _Window(_FAR), Budget(limits)):
        if item.start >= begin + _AGE:
            return None
        latest = max(latest, item.end)
    return latest


def _endless(rows: Sequence[Lineage]) -> bool:
    for _, instance in _standing(rows):
        rule = instance.rule
        if rule is not None and rule.count is None and rule.until is None:
            return ranges_of(rows, instance).end(instance.start.zone) is None
    return False


def _standing(rows: Iterable[Lineage]) -> Iterator[tuple[str, Instance]]:
    """The lineages that hold time of their own: a range only changes what the master makes."""
    for row in rows:
        own = row.state is LineageState.ACCEPTED and not row.recurrence_id.endswith(ONWARDS)
        if own and row.instance is not None:
            yield row.recurrence_id, row.instance


def _occurrences(rows: Sequence[Lineage], window: _Window, budget: Budget) -> Iterator[Occurrence]:
    """Yield the occurrences of a booking; those of its rule come in the order of their recurrence ids."""
    replaced = frozenset(row.recurrence_id for row in rows if row.recurrence_id)
    for recurrence_id, instance in _standing(rows):
        if instance.recurring:
            own = _series(instance, ranges_of(rows, instance), replaced, window, budget)
        else:
            budget.spend()
            start = instance.start
            own = iter(
                (_occurrence(instance, start, start.epoch, instance.duration, recurrence_id),)
            )
        for item in own:
            if window.since is None or item.end > window.since:
                yield item


def _series(
    instance: Instance,
    ranges: Ranges,
    replaced: Collection[str],
    window: _Window,
    budget: Budget,
) -> Iterator[Occurrence]:
    """Yield the occurrences that a master alone stands for."""
    seen = {*replaced, *instance.excluded}
    for start, duration in _recurrence_set(instance, ranges, window, budget):
        begin = start.epoch
        recurrence_id = _id_at(start, begin)
        if recurrence_id in seen:
            continue
        seen.add(recurrence_id)
        changed = ranges.at(recurrence_id)
        if changed is None:
            item = _occurrence(instance, start, begin, duration, recurrence_id)
        elif changed.instance is None:
            continue
        else:
            item = _moved(changed, changed.instance, start, instance.start.zone, recurrence_id)
        if item.start < window.until:
            yield item


def _moved(
    changed: Range, instance: Instance, start: Moment, zone: Zone, recurrence_id: str
) -> Occurrence:
    wall = start.wall if start.zone is zone else zone.from_utc(start.epoch)
    moved = Moment(wall + changed.shift, zone, start.form)
    return _occurrence(instance, moved, moved.epoch, instance.duration, recurrence_id)


def _occurrence(
    instance: Instance, start: Moment, begin: int, duration: Duration, recurrence_id: str
) -> Occurrence:
    end = begin
    if duration.days:
        end = start.zone.to_utc(start.wall + timedelta(days=duration.days))
    return Occurrence(
        begin, max(begin, end + duration.seconds), recurrence_id, busy=not instance.transparent
    )


def _recurrence_set(
    instance: Instance, ranges: Ranges, window: _Window, budget: Budget
) -> Iterator[tuple[Moment, Duration]]:
    """Yield DTSTART, the starts by the rule, and the RDATEs; each may come more than once."""
    # RDATEs come first: one that is also a start by the rule may have a duration of its own.
    for extra in instance.extra_dates:
        budget.spend()
        yield extra.start, extra.duration or instance.duration
    yield instance.start, instance.duration
    if instance.rule is None:
        return
    for start in _rule_starts(instance, instance.rule, ranges, window, budget):
        yield start, instance.duration


def _rule_starts(
    instance: Instance, rule: Rule, ranges: Ranges, window: _Window, budget: Budget
) -> Iterator[Moment]:
    zone, form = instance.start.zone, instance.start.form
    if instance.all_day:
        if rule.frequency > Frequency.DAILY:
            raise UnreadableError(f"an all-day event cannot recur {rule.frequency.name}")
        rule = replace(rule, by_hour=(), by_minute=(), by_second=())  # RFC 5545: to be ignored
    # A day more on either side, because wall clocks and instants differ in order near a change.
    last = zone.from_utc(window.until) + ranges.back + _DAY
    if (end := ranges.end(zone)) is not None:
        last = min(last, end + _DAY)
    last_instant = None
    if rule.until is not None:
        limit, last_instant = _until_limit(instance, rule.until)
        last = min(last, limit)
    earliest = None
    if window.since is not None:
        length = timedelta(days=instance.duration.days, seconds=instance.duration.seconds)
        before = max(length, ranges.longest) + ranges.ahead + _DAY
        earliest = zone.from_utc(window.since) - before
    for wall in expand_rule(rule, instance.start.wall, last=last, budget=budget, since=earliest):
        moment = Moment(wall, zone, form)
        if last_instant is None or moment.epoch <= last_instant:
            yield moment


def _until_limit(instance: Instance, until: Until) -> tuple[datetime, int | None]:
    """UNTIL as the last wall-clock start, and as an instant where it was written in UTC.

    UNTIL ought to be of DTSTART's type.  Where it is a date for a timed series the whole of that
    day is meant; where it is a time for an all-day series, its date, or the local one if it is
    midnight in the zone, as programs write it that keep an all-day event as local midnights in UTC.
    """
    wall, form = until
    if instance.all_day:
        local = instance.start.zone.from_utc(seconds_since_epoch(wall))
        day = local if form is Form.UTC and local.time() == time.min else wall
        return day.replace(hour=0, minute=0, second=0), None
    if form is Form.DATE:
        return wall + _DAY - timedelta(seconds=1), None
    if form is Form.UTC:
        instant = seconds_since_epoch(wall)
        return instance.start.zone.from_utc(instant) + _DAY, instant
    return wall, None
