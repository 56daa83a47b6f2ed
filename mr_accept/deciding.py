"""A request under the calendar's lock: what the store holds, as values for the decision, and what is said besides.

Everything that takes time comes before the lock, in `open_case`; `decide_case` only reads ranges and sweeps.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from mailcore.settings import Settings
from mr_accept.asking import Asked, limits_of
from mr_accept.booking_rows import Held, instance_of, zone_of
from mr_accept.change import Change, lineages_after, lineages_of
from mr_accept.decide import asking_for_more, decide
from mr_accept.decision import Decision, FreeTime, OldTime, Reason, Standing, Wanted
from mr_accept.expand import expand, lineages_go_past, occurrences_of
from mr_accept.free_times import SEARCHED_DAYS, free_times
from mr_accept.horizon import extend_series, held_until, horizon_of
from mr_accept.judge import refusals_of
from mr_accept.model import (
    ONWARDS,
    Interval,
    LineageState,
    NotForBookingError,
    Occurrence,
    UnreadableError,
    Zone,
)
from mr_accept.policy import BookingPolicy
from mr_accept.sweep import Span
from mr_accept.work import Work
from store.bookings import load_bookings
from store.calendars import LockedCalendar
from store.occurrences import HeldTime, declined_by, held_between, held_by, held_during
from userstore.resolve import Recipient

_DAY = 86_400  # seconds
_OFFERED = 3  # free times
_SEARCHED = (2, SEARCHED_DAYS)  # days: most calendars are not read further than they have to be
_MOST_NAMED = 10  # clashes whose holders are named


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, as far as it bears on the decision."""

    standing: Standing = Standing.ALLOWED
    external: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """A request that has to be decided, expanded as far as it will be held (`until`, epoch seconds)."""

    asked: Asked
    held: Held
    change: Change
    policy: BookingPolicy
    asker: Asker
    zone: Zone
    now: int
    wanted: tuple[Occurrence, ...]  # the occurrences in question
    beside: tuple[Occurrence, ...]  # those of the same meeting that stand whatever is decided
    until: int
    goes_on: bool  # the series has occurrences beyond `until`


def open_case(
    connection: Connection,
    work: Work,
    held: Held,
    change: Change,
    policy: BookingPolicy,
    asker: Asker,
    settings: Settings,
) -> Case:
    """Expand what a request asks for; raises NotForBookingError where it changes a series that is not known here."""
    asked, recipient, now = work.asked, work.recipient, work.now
    lineages = lineages_after(change)
    known = [one.instance for one in lineages if one.state is LineageState.ACCEPTED]
    instances = [one for one in known if one is not None]
    if change.onwards and not any(not one.recurrence_id for one in instances):
        raise NotForBookingError("it changes the rest of a series that is not booked here")
    horizon = horizon_of(connection, recipient.mailbox.id, policy, now)
    until = held_until(instances, horizon, policy)
    beside: tuple[Occurrence, ...] = ()
    if change.in_series:
        wanted = occurrences_of(lineages, until, asked.limits)
    else:
        replaced = {item.recurrence_id for item in change.fresh}
        standing = occurrences_of(lineages_of(change.remaining), until, asked.limits)
        beside = tuple(item for item in standing if item.recurrence_id not in replaced)
        wanted = expand(change.fresh, until, asked.limits)
    goes_on = change.in_series and lineages_go_past(lineages, until, asked.limits)
    if not goes_on and not change.whole:
        _check_reach(change, wanted)
    return Case(
        asked=asked,
        held=held,
        change=change,
        policy=policy,
        asker=asker,
        zone=zone_of(recipient, settings),
        now=now,
        wanted=wanted,
        beside=beside,
        until=until,
        goes_on=goes_on,
    )


def _check_reach(change: Change, wanted: Sequence[Occurrence]) -> None:
    """Raise NotForBookingError for a change of the rest of a series that has ended before."""
    last = max((item.recurrence_id for item in wanted), default="")
    for item in change.fresh:
        if item.recurrence_id.endswith(ONWARDS) and not item.cancelled:
            first = item.recurrence_id.removesuffix(ONWARDS)
            if last < first:
                raise NotForBookingError("it changes the rest of a series that has ended by then")


def decide_case(
    connection: Connection,
    locked: LockedCalendar,
    case: Case,
    recipient: Recipient,
    settings: Settings,
) -> Decision | None:
    """Decide under the lock, against everything else that holds the resource; None where it is over and ignored.

    Only what keeps the rules is compared with the calendar, whose series are first held up to the end of it.
    """
    change, policy = case.change, case.policy
    single = None if change.in_series else [item.recurrence_id for item in change.fresh]
    own = held_by(connection, case.held.ids, single) if case.held.ids else []
    if _is_over(case, own):
        return None
    more = asking_for_more(case.wanted, own)
    wanted = Wanted(
        instances=change.instances,
        occurrences=case.wanted,
        more=more,
        zone=case.zone,
        own=case.asked.own,
        standing=case.asker.standing,
        external=case.asker.external,
        lacking=_lacking(connection, case, more),
    )
    refusals = refusals_of(wanted, policy, case.now, limits_of(settings.booking, case.now))
    busy: list[HeldTime] = []
    if not refusals and policy.absence is None and policy.decline_conflict:
        last = max((item.end for item in case.wanted), default=0)
        uid = case.asked.meeting.uid
        extend_series(connection, locked, recipient, settings, until=last, without=uid)
        busy = held_during(connection, locked, case.wanted, case.held.ids)
    spans = [*map(_interval, busy), *map(_interval, case.beside)]
    decision = decide(wanted, spans, policy, case.now, refusals)
    decision = replace(decision, holders=_holders(connection, case, decision, busy))
    if decision.accepted:
        return replace(decision, held_until=case.until if case.goes_on else None)
    return replace(
        decision,
        old_time=_old_time(own, policy),
        free_times=_free_times(connection, locked, case, decision),
    )


def _lacking(
    connection: Connection, case: Case, more: Sequence[Occurrence]
) -> frozenset[Occurrence]:
    """The occurrences that the series does without already, or would if it were only held further."""
    if not case.change.in_series:
        return frozenset()
    declined = declined_by(connection, case.held.ids)
    lacking = {Occurrence(one.start, one.end, one.recurrence_id) for one in declined}
    series = case.held.find("")
    until = series.materialised_until if series else None
    others = [item for item in more if item._replace(busy=True) not in lacking]
    if until is not None and all(item.start >= until for item in others):
        lacking.update(item._replace(busy=True) for item in others)
    return frozenset(lacking)


def _interval(span: Span) -> Interval:
    return Interval(span.start, span.end)


def _is_over(case: Case, own: Iterable[HeldTime]) -> bool:
    """Whether a request is ignored because it has ended; never one that gives back time that is still to come."""
    if case.policy.past_requests != "ignore" or not case.wanted or case.goes_on:
        return False
    over = all(item.end <= case.now for item in case.wanted)
    return over and not any(span.end > case.now for span in own)


def _old_time(own: Sequence[HeldTime], policy: BookingPolicy) -> OldTime:
    if not own:
        return OldTime.NONE
    return OldTime.RELEASED if policy.on_failed_update == "release" else OldTime.KEPT


def _holders(
    connection: Connection, case: Case, decision: Decision, busy: Iterable[HeldTime]
) -> dict[Occurrence, str]:
    """Who holds the time of each clash, where the resource shows that: names, or addresses without one."""
    if not case.policy.show_holder or not decision.clashes:
        return {}
    spans = list(busy)
    meeting = {
        clash: {
            span.booking_id for span in spans if span.start < clash.end and span.end > clash.start
        }
        for clash in decision.clashes[:_MOST_NAMED]
    }
    rows = load_bookings(connection, {one for ids in meeting.values() for one in ids})
    names: dict[int, str] = {}
    for row in rows:
        try:
            organizer = instance_of(row, case.zone, case.asked.limits).organizer
            names[row.id] = organizer.name or organizer.written
        except UnreadableError:
            names[row.id] = row.organizer
    return {
        clash: ", ".join(sorted({names[one] for one in ids if one in names}))
        for clash, ids in meeting.items()
    }


def _free_times(
    connection: Connection, locked: LockedCalendar, case: Case, decision: Decision
) -> tuple[FreeTime, ...]:
    """The next free times of the length of the first clash; none where something else stands in the way."""
    if Reason.BUSY not in {refusal.reason for refusal in decision.refusals}:
        return ()
    first = decision.clashes[0]
    all_day = case.change.fresh[0].all_day
    found: tuple[FreeTime, ...] = ()
    for days in _SEARCHED:
        end = max(first.start, case.now) + days * _DAY + (first.end - first.start)
        others = held_between(connection, locked, first.start, end, case.held.ids)
        spans = [*map(_interval, others), *map(_interval, case.beside)]
        found = free_times(
            first, all_day, spans, case.policy, case.zone, case.now, most=_OFFERED, days=days
        )
        if len(found) == _OFFERED:
            break
    return found
