"""A window of time: both its ends belong to it."""

import pytest

from mailcore.window import within


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "inside"),
    [
        (None, None, True),
        (5.0, None, True),
        (5.1, None, False),
        (None, 5.0, True),
        (None, 4.9, False),
        (5.0, 5.0, True),
        (6.0, 4.0, False),
    ],
)
def test_the_window(starts_at: float | None, ends_at: float | None, inside: bool) -> None:
    assert within(5.0, starts_at, ends_at) is inside
