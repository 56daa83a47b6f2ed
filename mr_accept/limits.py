"""What one message may cost the booker: counts, and a deadline that the caller passes in."""

from collections.abc import Callable
from dataclasses import dataclass

from mr_accept.model import UnreadableError


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Limits:
    """What one message may cost.

    `out_of_time` is asked now and then and tells whether the caller's deadline has passed.
    Candidates are the days and times looked at while expanding, not the results found.  Occurrences that ended before
    `counted_from` (epoch seconds) do not count, so that a series does not outgrow its limit by growing old.
    """

    max_occurrences: int = 5000
    counted_from: int = 0
    max_candidates: int = 200_000
    max_components: int = 1000
    max_source: int = 4_000_000  # characters
    max_lines: int = 20_000
    out_of_time: Callable[[], bool] = _never


class Budget:
    """What is left of the `Limits` while one expansion runs."""

    _ASK_EVERY = 256

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._candidates = 0

    def spend(self, candidates: int = 1) -> None:
        """Count candidates; raise UnreadableError when there were too many or the time is up."""
        before = self._candidates
        self._candidates = before + candidates
        if self._candidates > self.limits.max_candidates:
            raise UnreadableError("too costly: the recurrence rule needs too many candidates")
        if before // self._ASK_EVERY != self._candidates // self._ASK_EVERY:
            self.check_time()

    def check_time(self) -> None:
        """Raise UnreadableError when the caller's deadline has passed."""
        if self.limits.out_of_time():
            raise UnreadableError("too costly: the time for one message is used up")
