import pytest
from hypothesis import given
from hypothesis import strategies as st

from spooler.retry import gave_up, probe_pause, retry_pause


@pytest.mark.parametrize(
    ("attempts", "longest", "pause"),
    [
        (1, 900.0, 5.0),
        (2, 900.0, 15.0),
        (3, 900.0, 60.0),
        (4, 900.0, 300.0),
        (5, 900.0, 600.0),
        (6, 900.0, 900.0),
        (6, 4000.0, 1200.0),
        (3, 20.0, 20.0),
        (1, 0.0, 1.0),  # the MTA is never asked without a pause
        (0, 900.0, 5.0),
    ],
)
def test_pause_grows_up_to_the_longest(attempts: int, longest: float, pause: float) -> None:
    assert retry_pause(attempts, longest) == pause


@given(st.integers(0, 10**9), st.floats(0, 1e9))
def test_pause_never_shrinks_and_is_bounded(attempts: int, longest: float) -> None:
    pause = retry_pause(attempts, longest)
    assert 1.0 <= pause <= max(1.0, longest)
    assert retry_pause(attempts + 1, longest) >= pause


@pytest.mark.parametrize(
    ("failures", "shortest", "pause"),
    [(1, 2.0, 2.0), (2, 2.0, 4.0), (10, 2.0, 30.0), (10**6, 2.0, 30.0), (1, 0.0, 1.0)],
)
def test_probes_become_rarer(failures: int, shortest: float, pause: float) -> None:
    assert probe_pause(failures, shortest, 30.0) == pause


@pytest.mark.parametrize(("age", "given_up"), [(0, False), (99.9, False), (100, True), (1e6, True)])
def test_gives_up_after_the_time_set(age: float, given_up: bool) -> None:
    assert gave_up(1_000_000.0, 1_000_000.0 + age, 100.0) is given_up
