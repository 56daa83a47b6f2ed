"""Expanding a recurrence rule on the wall clock (RFC 5545 section 3.3.10).

A rule is walked period by period (year, month, week, day ...).  In each period the days that pass
the BY parts are combined with the times of day, and BYSETPOS picks from that set.  What the rule
does not say comes from DTSTART, which is always the first instance and counts.

Every day and time looked at is charged to the caller's budget, so a rule that never matches ends
in UnreadableError instead of running on.  Frequencies below DAILY are expanded only when they have
COUNT or UNTIL; the days, hours and minutes that their BY parts leave out are stepped over.
"""

import calendar
import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from mr_accept.limits import Budget
from mr_accept.model import Frequency, Rule, UnreadableError

_STEP_SECONDS = {Frequency.HOURLY: 3600, Frequency.MINUTELY: 60, Frequency.SECONDLY: 1}
_EPOCH = datetime(1970, 1, 1)
_MONTH_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def expand_rule(
    rule: Rule, start: datetime, *, last: datetime, budget: Budget, since: datetime | None = None
) -> Iterator[datetime]:
    """Yield the starts of a series in ascending order up to `last` inclusive; `start` comes first.

    All times are naive wall-clock times of DTSTART's zone.  UNTIL is not applied here, because it
    is often written in UTC: the caller folds it into `last`.  `since` allows to skip starts before
    it when that is cheap; some of them may come all the same.  Raises UnreadableError for a rule
    below DAILY without COUNT and UNTIL, and when the budget is used up.
    """
    if rule.frequency > Frequency.DAILY and rule.count is None and rule.until is None:
        raise UnreadableError(f"a {rule.frequency.name} recurrence without an end is refused")
    if start > last:
        return
    yield start
    left = None if rule.count is None else rule.count - 1
    skip_to = max(start, since) if since is not None and rule.count is None else start
    for moments in _periods(_completed(rule, start), start, skip_to, last, budget):
        for moment in moments:
            if moment <= start:
                continue
            if moment > last or left == 0:
                return
            yield moment
            if left is not None:
                left -= 1
        if left == 0:
            return


def _completed(rule: Rule, start: datetime) -> Rule:
    """Fill in from DTSTART what the rule leaves open."""
    if rule.frequency > Frequency.DAILY:
        minutely, hourly = rule.frequency == Frequency.MINUTELY, rule.frequency == Frequency.HOURLY
        return replace(
            rule,
            by_minute=rule.by_minute or ((start.minute,) if hourly else ()),
            by_second=rule.by_second or ((start.second,) if hourly or minutely else ()),
        )
    filled = replace(
        rule,
        by_hour=rule.by_hour or (start.hour,),
        by_minute=rule.by_minute or (start.minute,),
        by_second=rule.by_second or (start.second,),
    )
    if rule.by_day or rule.by_month_day or rule.by_year_day:
        return filled
    weekly = rule.frequency == Frequency.WEEKLY or bool(rule.by_week_number)
    if weekly:
        return replace(filled, by_day=((0, start.weekday()),))
    if rule.frequency == Frequency.MONTHLY:
        return replace(filled, by_month_day=(start.day,))
    if rule.frequency == Frequency.YEARLY:
        months = rule.by_month or (start.month,)
        return replace(filled, by_month=months, by_month_day=(start.day,))
    return filled


def _periods(
    rule: Rule, start: datetime, skip_to: datetime, last: datetime, budget: Budget
) -> Iterator[list[datetime]]:
    """Yield the sorted moments of each period from about `skip_to` until after `last`."""
    sieve = _DaySieve(rule)
    if rule.frequency > Frequency.DAILY:
        yield from _short_periods(rule, sieve, (start, skip_to, last), budget)
        return
    combined = len(rule.by_hour) * len(rule.by_minute) * len(rule.by_second)
    budget.spend(combined)
    times = [
        time(*clock) for clock in itertools.product(rule.by_hour, rule.by_minute, rule.by_second)
    ]
    for days in _day_periods(rule, sieve, start.date(), skip_to.date(), last.date()):
        budget.spend(len(days) or 1)
        fitting = [day for day in days if sieve.lets_through(day)]
        if len(fitting) * combined > 1:
            budget.spend(len(fitting) * combined)
        moments = [datetime.combine(day, clock) for day in fitting for clock in times]
        yield _at_positions(moments, rule.by_set_position)


def _at_positions(moments: list[datetime], positions: tuple[int, ...]) -> list[datetime]:
    if not positions:
        return moments
    indexes = {position - 1 if position > 0 else len(moments) + position for position in positions}
    return [moments[index] for index in sorted(indexes) if 0 <= index < len(moments)]


def _day_periods(
    rule: Rule, sieve: "_DaySieve", start: date, skip_to: date, last: date
) -> Iterator[list[date]]:
    """Yield the days to look at in each period, in order, up to the period that holds `last`."""
    if rule.frequency == Frequency.YEARLY:
        for year in range(_aligned(start.year, skip_to.year, rule), last.year + 1, rule.interval):
            months = rule.by_month or range(1, 13)
            yield [day for month in months for day in sieve.days_of_month(year, month)]
    elif rule.frequency == Frequency.MONTHLY:
        first, target, end = (day.year * 12 + day.month - 1 for day in (start, skip_to, last))
        for number in range(_aligned(first, target, rule), end + 1, rule.interval):
            month = number % 12 + 1
            wanted = not rule.by_month or month in rule.by_month
            yield sieve.days_of_month(number // 12, month) if wanted else []
    else:
        width = 7 if rule.frequency == Frequency.WEEKLY else 1
        into_week = (start.weekday() - rule.week_start) % 7 if width == 7 else 0
        first = start.toordinal() - into_week
        step = width * rule.interval
        behind = max(0, (skip_to.toordinal() - first) // step - 1)
        for ordinal in range(first + behind * step, last.toordinal() + 1, step):
            yield [date.fromordinal(max(1, ordinal + shift)) for shift in range(width)]


def _aligned(first: int, target: int, rule: Rule) -> int:
    """The latest period of the series that begins safely before the one called `target`."""
    return first + max(0, (target - first) // rule.interval - 1) * rule.interval


class _DaySieve:
    """The BY parts of a rule that speak of days, made ready to be asked for many days."""

    def __init__(self, rule: Rule) -> None:
        self._months = frozenset(rule.by_month)
        self._month_days = frozenset(rule.by_month_day)
        self._year_days = frozenset(rule.by_year_day)
        self._week_numbers = frozenset(rule.by_week_number)
        self._week_start = rule.week_start
        self._by_day = frozenset(rule.by_day)
        self._weekdays = frozenset(weekday for _, weekday in rule.by_day)
        # The ordinals of BYDAY count in the month when there is one, else in the year.
        self._in_month = rule.frequency == Frequency.MONTHLY or bool(rule.by_month)

    def days_of_month(self, year: int, month: int) -> list[date]:
        """The days of a month, only those of the right weekdays where BYDAY names some."""
        days = _month_days(year, month)
        if not self._weekdays:
            return days
        first = days[0].weekday()
        found = [day for weekday in self._weekdays for day in days[(weekday - first) % 7 :: 7]]
        return sorted(found) if len(self._weekdays) > 1 else found

    def lets_through(self, day: date) -> bool:
        """Whether a day passes all BY parts that speak of days."""
        if self._months and day.month not in self._months:
            return False
        if self._weekdays and not self._weekday_fits(day):
            return False
        if self._month_days and not _named(_place_in_month(day), self._month_days):
            return False
        if self._year_days and not _named(_place_in_year(day), self._year_days):
            return False
        return not self._week_numbers or _named(
            _place_in_weeks(day, self._week_start), self._week_numbers
        )

    def _weekday_fits(self, day: date) -> bool:
        weekday = day.weekday()
        if weekday not in self._weekdays:
            return False
        if (0, weekday) in self._by_day:
            return True
        number, length = _place_in_month(day) if self._in_month else _place_in_year(day)
        from_front = (number - 1) // 7 + 1
        from_back = -((length - number) // 7 + 1)
        return (from_front, weekday) in self._by_day or (from_back, weekday) in self._by_day


def _named(place: tuple[int, int], numbers: frozenset[int]) -> bool:
    """Whether a place, as its number and the number of all, is meant from the front or the back."""
    number, length = place
    return number in numbers or number - length - 1 in numbers


@lru_cache(maxsize=512)
def _month_days(year: int, month: int) -> list[date]:
    return [date(year, month, day) for day in range(1, _month_length(year, month) + 1)]


def _month_length(year: int, month: int) -> int:
    return 29 if month == 2 and calendar.isleap(year) else _MONTH_LENGTHS[month - 1]


def _place_in_month(day: date) -> tuple[int, int]:
    """The day's number in its month, from 1, and the length of that month."""
    return day.day, _month_length(day.year, day.month)


def _place_in_year(day: date) -> tuple[int, int]:
    """The day's number in its year, from 1, and the length of that year."""
    return day.timetuple().tm_yday, 366 if calendar.isleap(day.year) else 365


def _place_in_weeks(day: date, week_start: int) -> tuple[int, int]:
    """The day's week number, from 1, and how many weeks that week-year has."""
    ordinal = day.toordinal()
    year = day.year
    if ordinal < _first_week(year, week_start):
        year -= 1
    elif ordinal >= _first_week(year + 1, week_start):
        year += 1
    begin = _first_week(year, week_start)
    return (ordinal - begin) // 7 + 1, (_first_week(year + 1, week_start) - begin) // 7


@lru_cache(maxsize=512)
def _first_week(year: int, week_start: int) -> int:
    """The ordinal of the first day of week 1, the first with at least four days in the year."""
    new_year = date(year, 1, 1)
    into_week = (new_year.weekday() - week_start) % 7
    return new_year.toordinal() - into_week + (7 if into_week > 3 else 0)


def _short_periods(
    rule: Rule,
    sieve: _DaySieve,
    span: tuple[datetime, datetime, datetime],
    budget: Budget,
) -> Iterator[list[datetime]]:
    """Yield the moments of each hour, minute or second that passes; `span` is start, skip_to, last."""
    width = _STEP_SECONDS[rule.frequency]
    step = width * rule.interval
    start, target, end = ((moment - _EPOCH) // timedelta(seconds=1) for moment in span)
    first = start // width * width
    second = first + max(0, (target - first) // step - 1) * step
    while second <= end:
        budget.spend()
        begin = _EPOCH + timedelta(seconds=second)
        over = _stepped_over(rule, sieve, begin)
        if over:
            second += -(-over // step) * step
            continue
        minutes = rule.by_minute if rule.frequency == Frequency.HOURLY else (begin.minute,)
        seconds = rule.by_second if rule.frequency != Frequency.SECONDLY else (begin.second,)
        budget.spend(len(minutes) * len(seconds))
        moments = [begin.replace(minute=m, second=s) for m in minutes for s in seconds]
        yield _at_positions(moments, rule.by_set_position)
        second += step


def _stepped_over(rule: Rule, sieve: _DaySieve, begin: datetime) -> int:
    """How many seconds from `begin` on cannot be in the series of a rule below DAILY; 0: it may be."""
    into_hour = begin.minute * 60 + begin.second
    if not sieve.lets_through(begin.date()):
        return 86_400 - begin.hour * 3600 - into_hour
    if rule.by_hour and begin.hour not in rule.by_hour:
        return 3600 - into_hour
    if rule.frequency == Frequency.HOURLY:
        return 0
    if rule.by_minute and begin.minute not in rule.by_minute:
        return 60 - begin.second
    seconds = rule.by_second if rule.frequency == Frequency.SECONDLY else ()
    return 1 if seconds and begin.second not in seconds else 0
