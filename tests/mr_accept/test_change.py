"""What a request changes, as tables: which instances are news, and what stands beside them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from mr_accept.change import (
    Change,
    Row,
    change_of,
    covers,
    lineages_after,
    lineages_of,
    outdated,
    own_ids,
)
from mr_accept.fate import Fate, Known
from mr_accept.model import (
    CalendarUser,
    Duration,
    Form,
    Instance,
    LineageState,
    Moment,
)
from mr_accept.zones import UTC

ACCEPTED, DECLINED, CANCELLED = (
    LineageState.ACCEPTED,
    LineageState.DECLINED,
    LineageState.CANCELLED,
)
KEPT = LineageState.KEPT
MASTER, FIRST, SECOND, THIRD = "", "20300101T090000Z", "20300102T090000Z", "20300103T090000Z"
FROM_SECOND, FROM_THIRD = f"{SECOND}+", f"{THIRD}+"


def instance(recurrence_id: str, sequence: int, dtstamp: int = 100) -> Instance:
    return Instance(
        uid="u",
        recurrence_id=recurrence_id,
        sequence=sequence,
        dtstamp=dtstamp,
        start=Moment(datetime(2030, 1, 1, 9), UTC, Form.UTC),
        duration=Duration(0, 3600),
        organizer=CalendarUser("anna@example.net", "anna@example.net"),
    )


def row(
    recurrence_id: str, sequence: int, state: LineageState = ACCEPTED, *, booked: int | None = None
) -> Row:
    """A stored lineage of which `sequence` is the newest seen; `booked` is an older one that stands."""
    stands = instance(recurrence_id, sequence if booked is None else booked)
    return Row(
        recurrence_id,
        state,
        Known((sequence, 100), state is CANCELLED),
        stands if state is ACCEPTED else None,
    )


def fresh_ids(change: Change) -> list[str]:
    return [one.recurrence_id for one in change.fresh]


@pytest.mark.parametrize(
    ("asked", "stored", "fresh", "fate"),
    [
        # nothing stored
        ([(MASTER, 0)], [], [MASTER], None),
        ([(FIRST, 0)], [], [FIRST], None),
        # the master against itself
        ([(MASTER, 2)], [row(MASTER, 1)], [MASTER], None),
        ([(MASTER, 1)], [row(MASTER, 1)], [], Fate.REPEATED),
        ([(MASTER, 0)], [row(MASTER, 1)], [], Fate.STALE),
        ([(MASTER, 1)], [row(MASTER, 1, DECLINED)], [MASTER], None),
        ([(MASTER, 1)], [row(MASTER, 1, booked=0)], [MASTER], None),
        ([(MASTER, 0)], [row(MASTER, 1, booked=0)], [], Fate.STALE),
        ([(MASTER, 1)], [row(MASTER, 1, CANCELLED)], [], Fate.STALE),
        ([(MASTER, 2)], [row(MASTER, 1, CANCELLED)], [MASTER], None),
        # an instance beside its series
        ([(FIRST, 1)], [row(MASTER, 1)], [FIRST], None),
        ([(FIRST, 1)], [row(MASTER, 1), row(FIRST, 1)], [], Fate.REPEATED),
        ([(FIRST, 1)], [row(MASTER, 1), row(FIRST, 2)], [], Fate.STALE),
        ([(FIRST, 1)], [row(MASTER, 1, CANCELLED)], [], Fate.STALE),
        ([(FIRST, 2)], [row(MASTER, 1, CANCELLED)], [FIRST], None),
        ([(FIRST, 1)], [row(MASTER, 1, DECLINED)], [FIRST], None),
        # a booked instance stands by itself although the series leaves the resource out
        ([(MASTER, 1), (FIRST, 1)], [row(MASTER, 1, CANCELLED), row(FIRST, 1)], [], Fate.REPEATED),
        # the whole with its overrides: what is known already comes along
        ([(MASTER, 2), (FIRST, 1)], [row(MASTER, 1), row(FIRST, 1)], [MASTER, FIRST], None),
        ([(MASTER, 1), (FIRST, 2)], [row(MASTER, 1), row(FIRST, 1)], [FIRST], None),
        ([(MASTER, 0), (FIRST, 0)], [row(MASTER, 1), row(FIRST, 1)], [], Fate.STALE),
        # an instance and all after it
        ([(FROM_SECOND, 1)], [row(MASTER, 0)], [FROM_SECOND], None),
        ([(FROM_SECOND, 1)], [row(MASTER, 0), row(FROM_SECOND, 1)], [], Fate.REPEATED),
        ([(FROM_SECOND, 0)], [row(MASTER, 0), row(FROM_SECOND, 1)], [], Fate.STALE),
        ([(SECOND, 1)], [row(MASTER, 0), row(FROM_SECOND, 1)], [SECOND], None),
        ([(THIRD, 1)], [row(MASTER, 0), row(FROM_SECOND, 2, CANCELLED)], [], Fate.STALE),
        ([(THIRD, 3)], [row(MASTER, 0), row(FROM_SECOND, 2, CANCELLED)], [THIRD], None),
        ([(FIRST, 1)], [row(MASTER, 0), row(FROM_SECOND, 2, CANCELLED)], [FIRST], None),
        ([(FROM_THIRD, 1)], [row(MASTER, 0), row(FROM_SECOND, 2, CANCELLED)], [], Fate.STALE),
        ([(MASTER, 1)], [row(MASTER, 0), row(FROM_SECOND, 2, CANCELLED)], [MASTER], None),
        # of two cancellations the newer counts
        ([(THIRD, 2)], [row(MASTER, 1, CANCELLED), row(FROM_SECOND, 3, CANCELLED)], [], Fate.STALE),
        ([(THIRD, 2)], [row(MASTER, 3, CANCELLED), row(FROM_SECOND, 1, CANCELLED)], [], Fate.STALE),
        # a declined change of an instance that its series still holds
        ([(FIRST, 1)], [row(MASTER, 0), row(FIRST, 1, KEPT)], [FIRST], None),
        ([(FIRST, 0)], [row(MASTER, 0), row(FIRST, 1, KEPT)], [], Fate.STALE),
    ],
)
def test_news(
    asked: Sequence[tuple[str, int]], stored: Sequence[Row], fresh: list[str], fate: Fate | None
) -> None:
    change = change_of([instance(*one) for one in asked], stored, obeyed=True)
    assert (fresh_ids(change), change.fate) == (fresh, fate)


@pytest.mark.parametrize("asked", [[MASTER], [FIRST], [SECOND], [MASTER, SECOND]])
@pytest.mark.parametrize("stored", [[MASTER], [FIRST], [MASTER, FIRST]])
def test_who_is_not_obeyed_changes_nothing(asked: list[str], stored: list[str]) -> None:
    rows = [row(recurrence_id, 1) for recurrence_id in stored]
    change = change_of([instance(one, 9) for one in asked], rows, obeyed=False)
    assert (change.fresh, change.fate) == ((), Fate.NOT_OBEYED)
    assert change.remaining == tuple(rows)


def test_where_nothing_is_stored_everybody_may_ask() -> None:
    assert change_of([instance(MASTER, 0)], [], obeyed=False).fate is None


def test_a_whole_request_keeps_only_newer_overrides_it_does_not_name() -> None:
    rows = [row(MASTER, 0), row(FIRST, 1), row(SECOND, 3), row(THIRD, 2)]
    change = change_of([instance(MASTER, 2)], rows, obeyed=True)
    assert change.whole
    assert change.recurrence_ids == [MASTER, SECOND]


def test_a_request_for_an_instance_speaks_for_it_alone() -> None:
    rows = [row(MASTER, 0), row(FIRST, 1), row(SECOND, 3)]
    change = change_of([instance(FIRST, 2)], rows, obeyed=True)
    assert not change.whole
    assert [one.recurrence_id for one in change.remaining] == [MASTER, SECOND]


def test_a_cancelled_instance_stands_as_cancelled() -> None:
    gone = replace(instance(FIRST, 1), cancelled=True)
    change = change_of([instance(MASTER, 1), gone], [], obeyed=True)
    assert [lineage.state for lineage in lineages_after(change)] == [ACCEPTED, CANCELLED]


@pytest.mark.parametrize(
    ("sequence", "dtstamp", "late"),
    [(0, 99, True), (0, 101, False), (1, 99, False), (0, 100, False), (2, 50, False)],
)
def test_only_what_is_older_in_both_is_outdated(sequence: int, dtstamp: int, late: bool) -> None:
    assert outdated(instance(FIRST, sequence, dtstamp), Known((1, 100))) is late


@pytest.mark.parametrize(
    ("onwards", "other", "covered"),
    [
        (FROM_SECOND, FIRST, False),
        (FROM_SECOND, SECOND, True),
        (FROM_SECOND, THIRD, True),
        (FROM_SECOND, FROM_THIRD, True),
        (FROM_SECOND, FROM_SECOND, False),
        (FROM_SECOND, MASTER, False),
        (SECOND, THIRD, False),
        (MASTER, SECOND, False),
    ],
)
def test_what_an_instance_onwards_covers(onwards: str, other: str, covered: bool) -> None:
    assert covers(onwards, other) is covered


def test_a_request_for_the_rest_keeps_what_is_before_it_and_what_is_newer() -> None:
    rows = [row(MASTER, 0), row(FIRST, 1), row(SECOND, 1), row(THIRD, 3), row(FROM_THIRD, 2)]
    change = change_of([instance(FROM_SECOND, 2)], rows, obeyed=True)
    assert (change.whole, change.in_series) == (False, True)
    assert [one.recurrence_id for one in change.remaining] == [MASTER, FIRST, THIRD]
    assert [one.recurrence_id for one in change.instances] == [MASTER, FROM_SECOND]


def test_what_only_remembers_a_declined_change_stands_for_nothing() -> None:
    rows = [row(MASTER, 0), row(FIRST, 1, KEPT), row(SECOND, 1, DECLINED)]
    assert [one.recurrence_id for one in lineages_of(rows)] == [MASTER, SECOND]
    assert own_ids(rows) == {SECOND}
