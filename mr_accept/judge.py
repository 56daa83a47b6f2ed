"""Which of a resource's rules a request breaks, each in a sentence for its organizer.  Pure.

Who may not book at all hears only that.  Then every rule that is broken is named.  Rules about time judge what asks
for more than the booking holds already and has not ended: a changed title is never refused for lack of notice.  Those
who may book out of policy are not held to the rules.  Absence and conflicts are judged elsewhere (mr_accept/decide.py).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from mr_accept.decision import Reason, Refusal, Standing, Wanted
from mr_accept.expand import goes_past, series_end
from mr_accept.limits import Budget, Limits
from mr_accept.model import Form, Instance, Occurrence, Zone
from mr_accept.open_hours import Closed, Closing, always_open, closed_for
from mr_accept.policy import BookingPolicy
from mr_accept.wording import day_text, length_text, moment_text, times_text, weekdays_text

_MINUTE, _DAY = 60, 86_400  # seconds
_PEOPLE = frozenset({"", "INDIVIDUAL", "GROUP"})


@dataclass(frozen=True, slots=True)
class _Case:
    """A request beside the rules; `live` is what asks for more and has not ended at `now` (epoch seconds)."""

    wanted: Wanted
    policy: BookingPolicy
    now: int
    limits: Limits
    live: tuple[Occurrence, ...]
    by_id: Mapping[str, Instance]

    @property
    def zone(self) -> Zone:
        """The zone in which the organizer reads times."""
        start = self.wanted.instances[0].start
        return start.zone if start.form is Form.ZONED else self.wanted.zone

    def instance_of(self, item: Occurrence) -> Instance:
        """The VEVENT that an occurrence is of."""
        return self.by_id.get(item.recurrence_id, self.wanted.instances[0])

    def wall(self, item: Occurrence, instant: int) -> datetime:
        """An instant of an occurrence on the organizer's wall clock; of an all-day one, on the resource's calendar."""
        zone = self.wanted.zone if self.instance_of(item).all_day else self.zone
        return zone.from_utc(instant)

    def named(self, item: Occurrence) -> str:
        """How a sentence calls an occurrence."""
        if len(self.wanted.occurrences) == 1 and not self.wanted.recurring:
            return "it"
        return f"its occurrence on {day_text(self.wall(item, item.start))}"

    def length(self, item: Occurrence) -> int:
        """Seconds; an all-day occurrence lasts whole days, also when a clock is changed."""
        if not self.instance_of(item).all_day:
            return item.end - item.start
        days = self.wall(item, item.end).date() - self.wall(item, item.start).date()
        return days.days * _DAY


def refusals_of(
    wanted: Wanted, policy: BookingPolicy, now: int, limits: Limits
) -> tuple[Refusal, ...]:
    """The rules that a request breaks at `now` (epoch seconds); none where it keeps all of them.

    Raises UnreadableError where finding out would cost more than `limits` allows.
    """
    free = wanted.standing is Standing.FREE
    listed = free or (bool(policy.book_in_policy) and wanted.standing is Standing.ALLOWED)
    if wanted.external and not policy.allow_external and not listed:
        return (Refusal(Reason.EXTERNAL, Reason.EXTERNAL.value),)
    if wanted.standing is Standing.NOBODY:
        who = wanted.instances[0].organizer.written
        return (Refusal(Reason.NOT_ALLOWED, f"{who} may not book it"),)
    if free:
        return ()
    live = tuple(item for item in wanted.more if item.end > now)
    by_id = {one.recurrence_id: one for one in wanted.instances}
    case = _Case(wanted, policy, now, limits, live, by_id)
    return tuple(refusal for rule in _RULES for refusal in rule(case))


def persons_of(instance: Instance, own: frozenset[str]) -> int:
    """How many people a VEVENT brings together: attendees who have not declined, and the organizer.

    A group counts as one; rooms, resources and the `own` addresses (folded) do not count.
    """
    people = {
        user.address
        for user in instance.attendees
        if user.kind in _PEOPLE and user.status != "DECLINED"
    }
    listed = {user.address for user in instance.attendees}
    if instance.organizer.address not in listed:
        people.add(instance.organizer.address)
    return len(people - own)


def _recurring(case: _Case) -> Iterator[Refusal]:
    asks = case.wanted.more or not case.wanted.occurrences
    if case.policy.decline_recurring and case.wanted.recurring and asks:
        yield Refusal(Reason.RECURRING, Reason.RECURRING.value)


def _past(case: _Case) -> Iterator[Refusal]:
    wanted = case.wanted
    if case.policy.past_requests != "decline" or not wanted.more or case.live:
        return
    if all(item.end <= case.now for item in wanted.occurrences) and not _goes_on(case):
        yield Refusal(Reason.PAST, Reason.PAST.value)


def _window(case: _Case) -> Iterator[Refusal]:
    days = case.policy.booking_window_days
    edge = case.now + days * _DAY
    if not days:
        return
    limit = (
        f"at most {_days(days)} ahead can be booked, up to {moment_text(case.zone.from_utc(edge))}"
    )
    if case.wanted.recurring and not case.policy.enforce_horizon:
        yield from _begins_beyond(case, edge, limit)
        return
    beyond = tuple(item for item in case.live if item.end > edge)
    if beyond:
        yield _beyond(case, beyond, limit)
    elif case.wanted.recurring and _asks_on(case) and _goes_past(case, edge):
        yield Refusal(Reason.BEYOND_WINDOW, f"{limit}, and the series goes on for longer")


def _asks_on(case: _Case) -> bool:
    """Whether a series asks for time to come, be it after all that can be held for now."""
    over = all(item.end <= case.now for item in case.wanted.occurrences)
    return bool(case.live) or (over and bool(case.wanted.more))


def _goes_past(case: _Case, edge: int) -> bool:
    return goes_past(case.wanted.instances, edge, case.limits)


def _begins_beyond(case: _Case, edge: int, limit: str) -> Iterator[Refusal]:
    """Refuse a series whose first occurrence to come is past the window."""
    first = next((item for item in case.wanted.occurrences if item.end > case.now), None)
    if first is not None:
        if first.end > edge and case.live:
            yield _beyond(case, (first,), limit)
    elif case.wanted.more and _goes_on(case):
        yield Refusal(Reason.BEYOND_WINDOW, f"{limit}, and its next occurrence is later")


def _beyond(case: _Case, items: tuple[Occurrence, ...], limit: str) -> Refusal:
    first = items[0]
    if case.instance_of(first).all_day:
        ends = day_text(case.wall(first, max(first.start, first.end - 1)))
    else:
        ends = moment_text(case.wall(first, first.end))
    return Refusal(Reason.BEYOND_WINDOW, f"{limit}, and {case.named(first)} ends on {ends}", items)


def _notice(case: _Case) -> Iterator[Refusal]:
    lead = case.policy.lead_time_minutes * _MINUTE
    soon = tuple(item for item in case.live if item.start < case.now + lead)
    if not lead or not soon:
        return
    first = soon[0]
    begins = moment_text(case.wall(first, first.start))
    left = first.start - case.now
    when = f"begins in {length_text(_rounded(left))}" if left > 0 else "has begun already"
    needed = f"it has to be asked for {length_text(lead)} ahead"
    text = f"{case.named(first)} {when} ({begins}), and {needed}"
    yield Refusal(Reason.TOO_SOON, text, soon)


def _too_short(case: _Case) -> Iterator[Refusal]:
    least = case.policy.min_duration_minutes * _MINUTE
    short = tuple(item for item in case.live if case.length(item) < least)
    if short:
        worst = min(short, key=case.length)
        limit = f"at least {length_text(least)} can be booked"
        yield Refusal(Reason.TOO_SHORT, f"{_lasts(case, worst)}, and {limit}", short)


def _too_long(case: _Case) -> Iterator[Refusal]:
    most = case.policy.max_duration_minutes * _MINUTE
    long = tuple(item for item in case.live if most and case.length(item) > most)
    if long:
        worst = max(long, key=case.length)
        limit = f"at most {length_text(most)} can be booked"
        yield Refusal(Reason.TOO_LONG, f"{_lasts(case, worst)}, and {limit}", long)


def _lasts(case: _Case, item: Occurrence) -> str:
    return f"{case.named(item)} lasts {length_text(case.length(item))}"


def _series(case: _Case) -> Iterator[Refusal]:
    most = case.policy.max_series_days
    master = next((item for item in case.wanted.instances if item.recurring), None)
    if not most or master is None or not case.live:
        return
    limit = f"at most {_days(most)} can be booked"
    end = series_end(case.wanted.instances, case.limits)
    if end is None:
        yield Refusal(Reason.SERIES_TOO_LONG, f"the series has no end, and {limit}")
        return
    lasts = master.start.zone.from_utc(end) - master.start.wall
    if lasts > timedelta(days=most):
        days = -(-lasts // timedelta(days=1))
        yield Refusal(Reason.SERIES_TOO_LONG, f"the series lasts {_days(days)}, and {limit}")


def _hours(case: _Case) -> Iterator[Refusal]:
    """Refuse what is outside the days and hours: one refusal for each way of being so."""
    if always_open(case.policy):
        return
    budget, zone = Budget(case.limits), case.wanted.zone
    found: dict[Closing, list[tuple[Occurrence, Closed]]] = {}
    for item in case.live:
        budget.spend(1 + (item.end - item.start) // _DAY)
        closed = closed_for(item, case.instance_of(item).all_day, case.policy, zone)
        if closed:
            found.setdefault(closed.why, []).append((item, closed))
    for together in found.values():
        items = tuple(item for item, _ in together)
        yield Refusal(Reason.OUTSIDE_HOURS, _closed_text(case, *together[0]), items)


def _closed_text(case: _Case, item: Occurrence, closed: Closed) -> str:
    day = day_text(datetime(closed.day.year, closed.day.month, closed.day.day))
    if closed.why is Closing.DAY_OFF:
        return f"{day} is a day off"
    if closed.why is Closing.WEEKDAY:
        return f"it cannot be booked on {day}, only on {weekdays_text(case.policy.work_days)}"
    opens, closes = case.policy.work_hours or (0, 0)
    hours = f"{_clock(opens)} to {_clock(closes)}"
    asked = times_text(item.start, item.end, case.wanted.zone)
    return f"{asked} is not within the hours that can be booked, {hours}"


def _people(case: _Case) -> Iterator[Refusal]:
    seats = case.policy.seats if case.policy.enforce_capacity else 0
    live = (item for item in case.wanted.instances if not item.cancelled)
    people = max((persons_of(item, case.wanted.own) for item in live), default=0)
    if seats and people > seats:
        text = f"{people} people are invited, and there is room for {seats}"
        yield Refusal(Reason.TOO_MANY_PEOPLE, text)


_RULES: tuple[Callable[[_Case], Iterator[Refusal]], ...] = (
    _recurring,
    _past,
    _window,
    _notice,
    _too_short,
    _too_long,
    _series,
    _hours,
    _people,
)


def _goes_on(case: _Case) -> bool:
    """Whether a series has occurrences that begin after now."""
    return case.wanted.recurring and goes_past(case.wanted.instances, case.now, case.limits)


def _rounded(seconds: int) -> int:
    """Whole minutes, where there is one at least."""
    return seconds - seconds % _MINUTE if seconds >= _MINUTE else seconds


def _days(count: int) -> str:
    return length_text(count * _DAY)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
