"""The expander against slow oracles that share nothing with it: every day, hour or minute judged by the RFC's words."""

import calendar
import itertools
from datetime import date, datetime, timedelta
from functools import lru_cache

from hypothesis import given, settings
from hypothesis import strategies as st

from mr_accept.limits import Budget, Limits
from mr_accept.model import Frequency
from mr_accept.recurrence import expand_rule
from mr_accept.rrule import parse_rule

WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
NINE = datetime(2000, 1, 1, 9).time()


def some(values, most=3):
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True)


@st.composite
def rules(draw):
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = {"INTERVAL": [draw(st.integers(1, 4))], "WKST": [draw(st.sampled_from(WEEKDAYS))]}
    if draw(st.booleans()):
        parts["BYMONTH"] = draw(some(range(1, 13)))
    if frequency != "WEEKLY" and draw(st.booleans()):
        parts["BYMONTHDAY"] = draw(some([1, 2, 13, 28, 29, 30, 31, -1, -2, -29, -31]))
    ordinals = [""] if frequency in ("DAILY", "WEEKLY") else ["", "1", "2", "5", "-1", "-5", "53"]
    if draw(st.booleans()):
        parts["BYDAY"] = draw(some([o + d for o in ordinals for d in WEEKDAYS]))
    if frequency == "YEARLY" and draw(st.booleans()):
        parts["BYYEARDAY"] = draw(some([1, 59, 60, 61, 365, 366, -1, -306, -307, -366]))
    if any(name.startswith("BY") for name in parts) and draw(st.booleans()):
        parts["BYSETPOS"] = draw(some([1, 2, 3, 5, -1, -2, -5]))
    if draw(st.booleans()):
        parts["COUNT"] = [draw(st.integers(1, 30))]
    listed = (f"{name}={','.join(map(str, values))}" for name, values in parts.items())
    return ";".join([f"FREQ={frequency}", *listed])


def period_of(rule, day):
    """The number of the period that a day is in."""
    if rule.frequency is Frequency.YEARLY:
        return day.year
    if rule.frequency is Frequency.MONTHLY:
        return day.year * 12 + day.month
    if rule.frequency is Frequency.WEEKLY:
        return (day.toordinal() - 1 - rule.week_start) // 7  # day 1 of all was a Monday
    return day.toordinal()


@lru_cache
def days_of_year(year):
    return [date(year, 1, 1) + timedelta(days=n) for n in range(365 + calendar.isleap(year))]


def counted(day, among, numbers):
    place = among.index(day)
    return place + 1 in numbers or place - len(among) in numbers


def passes(rule, start, day):
    """Whether a day is in its period's set before BYSETPOS."""
    limits = [rule.by_month_day, rule.by_year_day, rule.by_day]
    if not any(limits):
        if rule.frequency is Frequency.WEEKLY and day.weekday() != start.weekday():
            return False
        if rule.frequency in (Frequency.MONTHLY, Frequency.YEARLY) and day.day != start.day:
            return False
        yearly = rule.frequency is Frequency.YEARLY and not rule.by_month
        if yearly and day.month != start.month:
            return False
    if rule.by_month and day.month not in rule.by_month:
        return False
    if not any(limits):
        return True
    year = days_of_year(day.year)
    month = [other for other in year if other.month == day.month]
    if rule.by_month_day and not counted(day, month, rule.by_month_day):
        return False
    if rule.by_year_day and not counted(day, year, rule.by_year_day):
        return False
    if not rule.by_day:
        return True
    narrow = rule.frequency is Frequency.MONTHLY or bool(rule.by_month)
    alike = [d for d in (month if narrow else year) if d.weekday() == day.weekday()]
    wanted = [ordinal for ordinal, weekday in rule.by_day if weekday == day.weekday()]
    return 0 in wanted or counted(day, alike, wanted)


def slow(text, start, last):
    rule = parse_rule(text)
    first = start.date() - timedelta(days=366)
    days = [first + timedelta(days=n) for n in range((last.date() - first).days + 400)]
    sets = {}
    for day in days:
        ahead = period_of(rule, day) - period_of(rule, start.date())
        if ahead >= 0 and ahead % rule.interval == 0 and passes(rule, start.date(), day):
            sets.setdefault(ahead, []).append(day)
    picked = set()
    for members in sets.values():
        if not rule.by_set_position:
            picked.update(members)
            continue
        picked.update(day for day in members if counted(day, members, rule.by_set_position))
    found = [datetime.combine(day, NINE) for day in sorted(picked)]
    series = [start, *(moment for moment in found if moment > start)]
    return [moment for moment in series[: rule.count] if moment <= last]


@settings(max_examples=250, deadline=None)
@given(rules(), st.dates(date(1999, 1, 1), date(2030, 1, 1)))
def test_random_rules_agree_with_a_count_of_days(text, day):
    start = datetime.combine(day, NINE)
    last = start + timedelta(days=800)
    found = list(expand_rule(parse_rule(text), start, last=last, budget=Budget(Limits())))
    assert found == slow(text, start, last)


@settings(max_examples=150, deadline=None)
@given(rules(), st.dates(date(1999, 1, 1), date(2030, 1, 1)), st.integers(0, 900))
def test_skipping_ahead_loses_nothing(text, day, skipped):
    start = datetime.combine(day, NINE)
    since, last = start + timedelta(days=skipped), start + timedelta(days=900)
    rule = parse_rule(text)
    whole = expand_rule(rule, start, last=last, budget=Budget(Limits()))
    tail = expand_rule(rule, start, last=last, budget=Budget(Limits()), since=since)
    assert [m for m in tail if m >= since] == [m for m in whole if m >= since]


@st.composite
def short_rules(draw):
    frequency = draw(st.sampled_from(["HOURLY", "MINUTELY", "SECONDLY"]))
    parts = {"FREQ": [frequency]}
    parts["INTERVAL"] = [draw(st.sampled_from([1, 2, 5, 7, 60, 90, 1440]))]
    for name, values in [
        ("BYMONTHDAY", [1, 2, 3, -1]), ("BYDAY", WEEKDAYS), ("BYHOUR", range(24)), ("BYMINUTE", [0, 7, 30, 59]),
        ("BYSECOND", [0, 5, 58]),
    ]:  # fmt: skip
        if draw(st.booleans()):
            parts[name] = draw(some(values))
    if len(parts) > 2 and draw(st.booleans()):
        parts["BYSETPOS"] = draw(some([1, 2, -1]))
    return ";".join(f"{name}={','.join(map(str, values))}" for name, values in parts.items())


def slow_by_the_second(text, start, last):
    """Every second judged; a period is the hour, minute or second that it is in."""
    rule = parse_rule(text)
    width = {Frequency.HOURLY: 3600, Frequency.MINUTELY: 60, Frequency.SECONDLY: 1}[rule.frequency]
    begin = start.replace(minute=0, second=0)
    seconds = int((last - begin).total_seconds()) + 3600
    of_start = int((start - begin).total_seconds()) // width
    minute = rule.by_minute or ((start.minute,) if width == 3600 else range(60))
    second = rule.by_second or ((start.second,) if width > 1 else range(60))
    sets = {}
    for n in range(seconds):
        moment = begin + timedelta(seconds=n)
        fits = moment.second in second and moment.minute in minute
        fits = fits and (not rule.by_hour or moment.hour in rule.by_hour)
        if fits and (n // width - of_start) % rule.interval == 0 and n // width >= of_start:
            sets.setdefault(n // width, []).append(moment)
    picked = set()
    for members in sets.values():
        chosen = [m for m in members if passes(rule, start.date(), m.date())]
        if rule.by_set_position:
            chosen = [m for m in chosen if counted(m, chosen, rule.by_set_position)]
        picked.update(chosen)
    return [start, *sorted(m for m in picked if start < m <= last)]


@settings(max_examples=60, deadline=None)
@given(short_rules(), st.datetimes(datetime(2026, 1, 1), datetime(2026, 3, 2)), st.integers(1, 400))
def test_random_short_rules_agree_with_a_count_of_seconds(text, start, most):
    start, last = start.replace(microsecond=0), start.replace(microsecond=0) + timedelta(hours=8)
    expected = slow_by_the_second(text, start, last)
    until = parse_rule(f"{text};UNTIL={last:%Y%m%dT%H%M%S}")
    found = expand_rule(until, start, last=last, budget=Budget(Limits()))
    assert list(itertools.islice(found, most)) == expected[:most]
    counted_rule = parse_rule(f"{text};COUNT={most}")
    found = expand_rule(counted_rule, start, last=last, budget=Budget(Limits()))
    assert list(found) == expected[:most]
