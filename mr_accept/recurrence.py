"""Expanding a recurrence rule on the wall clock (RFC 5545 section 3.3.10).

A rule is walked period by period (year, month, week, day ...).  In each period the days that pass
the BY parts are combined with the times of day, and BYSETPOS picks from that set.  What the rule
does not say comes from DTSTART, which is always the first instance and counts.

Every day and time looked at is charged to the caller's budget, so a rule that never matches ends
in UnreadableError instead of running on.  Frequencies below DAILY are expanded only when COUNT or
UNTIL keeps them small.
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


def expand_rule(
    rule: Rule, start: datetime, *, last: datetime, budget: Budget, since: datetime | None = None
) -> Iterator[datetime]:
    """Yield the starts of a series in ascending order up to `last` inclusive; `start` comes first.

    All times are naive wall-clock times of DTSTART's zone.  UNTIL is not applied here, because it
    is often written in UTC: the caller folds it into `last`.  `since` allows to skip starts before
    it when that is cheap; some of them may come all the same.  Raises UnreadableError when the
    rule is not provably small or the budget is used up.
    """
    _refuse_endless(rule, start, budget)
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


def _refuse_endless(rule: Rule, start: datetime, budget: Budget) -> None:
    """Raise UnreadableError for a sub-daily rule whose number of steps is not known to be small."""
    if rule.frequency <= Frequency.DAILY:
        return
    step = _STEP_SECONDS[rule.frequency] * rule.interval
    sifting = (rule.by_month, rule.by_year_day, rule.by_month_day, rule.by_day, rule.by_hour)
    finer = (rule.by_minute, rule.by_second, rule.by_set_position)
    if rule.until is not None:
        steps = (rule.until.wall - start) / timedelta(seconds=1) / step
    elif rule.count is not None and not any(sifting) and not any(finer):
        steps = rule.count
    else:
        raise UnreadableError(f"a {rule.frequency.name} recurrence without a near end is refused")
    if steps > budget.limits.max_occurrences:
        raise UnreadableError(f"too costly: the {rule.frequency.name} recurrence is too long")


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
    if rule.frequency > Frequency.DAILY:
        yield from _short_periods(rule, start, last, budget)
        return
    combined = len(rule.by_hour) * len(rule.by_minute) * len(rule.by_second)
    budget.spend(combined)
    times = [
        time(*clock) for clock in itertools.product(rule.by_hour, rule.by_minute, rule.by_second)
    ]
    for days in _day_periods(rule, start.date(), skip_to.date(), last.date()):
        budget.spend(len(days) or 1)
        fitting = [day for day in days if _day_fits(rule, day)]
        if len(fitting) * combined > 1:
            budget.spend(len(fitting) * combined)
        moments = [datetime.combine(day, clock) for day in fitting for clock in times]
        yield _at_positions(moments, rule.by_set_position)


def _at_positions(moments: list[datetime], positions: tuple[int, ...]) -> list[datetime]:
    if not positions:
        return moments
    indexes = {position - 1 if position > 0 else len(moments) + position for position in positions}
    return [moments[index] for index in sorted(indexes) if 0 <= index < len(moments)]


def _day_periods(rule: Rule, start: date, skip_to: date, last: date) -> Iterator[list[date]]:
    """Yield the days to look at in each period, in order, up to the period that holds `last`."""
    if rule.frequency == Frequency.YEARLY:
        for year in range(_aligned(start.year, skip_to.year, rule), last.year + 1, rule.interval):
            months = rule.by_month or range(1, 13)
            yield [day for month in months for day in _month_days(year, month)]
    elif rule.frequency == Frequency.MONTHLY:
        first, target, end = (day.year * 12 + day.month - 1 for day in (start, skip_to, last))
        for number in range(_aligned(first, target, rule), end + 1, rule.interval):
            month = number % 12 + 1
            wanted = not rule.by_month or month in rule.by_month
            yield _month_days(number // 12, month) if wanted else []
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


@lru_cache(maxsize=512)
def _month_days(year: int, month: int) -> list[date]:
    length = calendar.monthrange(year, month)[1]
    return [date(year, month, day) for day in range(1, length + 1)]


def _day_fits(rule: Rule, day: date) -> bool:
    """Whether a day passes all BY parts that speak of days."""
    if rule.by_month and day.month not in rule.by_month:
        return False
    if rule.by_month_day:
        length = calendar.monthrange(day.year, day.month)[1]
        if day.day not in rule.by_month_day and day.day - length - 1 not in rule.by_month_day:
            return False
    if rule.by_year_day:
        number, length = _place_in_year(day)
        if number not in rule.by_year_day and number - length - 1 not in rule.by_year_day:
            return False
    if rule.by_week_number:
        number, length = _place_in_weeks(day, rule.week_start)
        if number not in rule.by_week_number and number - length - 1 not in rule.by_week_number:
            return False
    return not rule.by_day or _weekday_fits(rule, day)


def _weekday_fits(rule: Rule, day: date) -> bool:
    """Whether BYDAY holds; its ordinals count in the month when there is one, else in the year."""
    weekday = day.weekday()
    if (0, weekday) in rule.by_day:
        return True
    if rule.frequency == Frequency.MONTHLY or rule.by_month:
        number, length = day.day, calendar.monthrange(day.year, day.month)[1]
    else:
        number, length = _place_in_year(day)
    from_front = (number - 1) // 7 + 1
    from_back = -((length - number) // 7 + 1)
    return (from_front, weekday) in rule.by_day or (from_back, weekday) in rule.by_day


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
    rule: Rule, start: datetime, last: datetime, budget: Budget
) -> Iterator[list[datetime]]:
    """Yield the moments of each hour, minute or second; the BY parts sift the coarser fields."""
    width = _STEP_SECONDS[rule.frequency]
    step = width * rule.interval
    first = (start - _EPOCH) // timedelta(seconds=1) // width * width
    end = (last - _EPOCH) // timedelta(seconds=1)
    for second in range(first, end + 1, step):
        budget.spend()
        begin = _EPOCH + timedelta(seconds=second)
        if not _short_fits(rule, begin):
            yield []
            continue
        minutes = rule.by_minute if rule.frequency == Frequency.HOURLY else (begin.minute,)
        fine = rule.frequency != Frequency.SECONDLY
        seconds = rule.by_second if fine else (begin.second,)
        budget.spend(len(minutes) * len(seconds))
        moments = [begin.replace(minute=m, second=s) for m in minutes for s in seconds]
        yield _at_positions(moments, rule.by_set_position)


def _short_fits(rule: Rule, begin: datetime) -> bool:
    if not _day_fits(rule, begin.date()):
        return False
    if rule.by_hour and begin.hour not in rule.by_hour:
        return False
    if rule.frequency == Frequency.HOURLY:
        return True
    if rule.by_minute and begin.minute not in rule.by_minute:
        return False
    return rule.frequency == Frequency.MINUTELY or (
        not rule.by_second or begin.second in rule.by_second
    )
