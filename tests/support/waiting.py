"""Waiting for what another thread or process does: poll with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.01


def wait_for(predicate: Callable[[], T], *, timeout: float = 5.0, what: str = "condition") -> T:
    """Call `predicate` until it returns something true, and return that.

    `timeout` is in seconds of the monotonic clock.  Raises AssertionError, naming `what`, when it
    passes first; the predicate is always asked at least once, and once more after the deadline.
    """
    deadline = time.monotonic() + timeout
    while True:
        late = time.monotonic() >= deadline
        if found := predicate():
            return found
        assert not late, f"{what}: not within {timeout:g} s"
        time.sleep(POLL_SECONDS)
