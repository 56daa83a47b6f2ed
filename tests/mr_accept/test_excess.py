"""Too many at one time: which stretches, who, and whether they can have come there by the rules."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mr_accept.excess import MOST_NAMED, Claim, Crowd, crowds

_HOURS = st.integers(0, 8)
CLAIMS = st.lists(
    st.builds(
        lambda start, length, places, who: Claim(start, start + length, places, who),
        _HOURS,
        st.integers(0, 4),
        st.integers(0, 3),
        st.integers(1, 4),
    ),
    max_size=6,
)


def claims(*spans: tuple[int, int, int]) -> list[Claim]:
    """Claims of (start, end, places), numbered from 1."""
    return [Claim(*span, number) for number, span in enumerate(spans, 1)]


@pytest.mark.parametrize(
    ("held", "capacity", "found"),
    [
        ([], 1, []),
        (claims((9, 10, 1), (10, 11, 1)), 1, []),
        (claims((9, 9, 1), (8, 10, 1)), 1, []),  # no length, no time
        (claims((9, 11, 1), (10, 12, 1)), 1, [Crowd(10, 11, 2, False, (1, 2))]),
        (claims((9, 11, 1), (10, 12, 0)), 1, [Crowd(10, 11, 2, True, (1, 2))]),
        (claims((9, 11, 3), (9, 11, 3), (9, 11, 3)), 1, [Crowd(9, 11, 3, True, (1, 2, 3))]),
        (claims(*[(9, 11, 3)] * 4), 3, [Crowd(9, 11, 4, False, (1, 2, 3, 4))]),
        # Another one comes as one goes: the same use, but not the same bookings.
        (
            claims((9, 12, 1), (9, 10, 2), (10, 12, 1)),
            1,
            [Crowd(9, 10, 2, True, (1, 2)), Crowd(10, 12, 2, False, (1, 3))],
        ),
        # After the capacity went from 3 to 1 nothing more should have come.
        (claims((9, 10, 3), (9, 10, 3), (9, 10, 1)), 1, [Crowd(9, 10, 3, True, (1, 2, 3))]),
        (claims((9, 10, 3), (9, 10, 1), (9, 10, 1)), 1, [Crowd(9, 10, 3, False, (1, 2, 3))]),
    ],
)
def test_crowds(held: list[Claim], capacity: int, found: list[Crowd]) -> None:
    assert list(crowds(held, capacity)) == found


def can_have_come(places: list[int]) -> bool:
    """By trying every order in which they may have come."""
    return any(
        all(limit == 0 or number <= limit for number, limit in enumerate(order, 1))
        for order in permutations(places)
    )


@given(CLAIMS, st.integers(1, 3))
def test_every_instant_is_judged_as_if_it_stood_alone(held: list[Claim], capacity: int) -> None:
    found = list(crowds(held, capacity))
    for instant in range(13):
        meeting = [one for one in held if one.start <= instant < one.end]
        said = [crowd for crowd in found if crowd.start <= instant < crowd.end]
        if len(meeting) <= capacity:
            assert said == []
            continue
        (crowd,) = said
        assert crowd.use == len(meeting)
        assert sorted(crowd.holders) == sorted(one.booking_id for one in meeting)
        assert crowd.allowed is can_have_come([one.places for one in meeting])


def test_thousands_at_one_time_are_counted_and_some_are_named() -> None:
    many = [Claim(number, 20_000 - number, 0, number) for number in range(5000)]
    found = list(crowds(many, 1))
    assert max(crowd.use for crowd in found) == 5000
    assert {len(crowd.holders) for crowd in found if crowd.use > MOST_NAMED} == {MOST_NAMED}
    assert all(crowd.allowed for crowd in found)
