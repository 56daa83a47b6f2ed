"""Failpoints: named places where a test makes the process die or fail on purpose.

`DAGENT_FAILPOINTS=name:action[,name:action]` with the actions `kill` (SIGKILL at once), `temporary` (raise
TemporaryError) and `bug` (raise a plain error, as a mistake of ours would).  `name:action@N` acts only from the
N-th hit on.  Without the variable a failpoint costs one look-up in an empty dictionary.
"""

import os
import signal
from collections import Counter

from mailcore.errors import TemporaryError

BEFORE_REPLY = "before-reply"
AFTER_HAND_OVER = "after-hand-over"
BEFORE_WAKE_UP = "before-wake-up"
BEFORE_DECISION = "before-decision"
BEFORE_BOOKING_COMMIT = "before-booking-commit"
AFTER_BOOKING_COMMIT = "after-booking-commit"
BEFORE_SENT_MARK = "before-sent-mark"

_hits: Counter[str] = Counter()


def _parse(text: str) -> dict[str, tuple[str, int]]:
    armed = {}
    for item in filter(None, text.split(",")):
        name, _, action = item.strip().partition(":")
        action, _, first = action.partition("@")
        armed[name] = (action, int(first or 1))
    return armed


_armed = _parse(os.environ.get("DAGENT_FAILPOINTS", ""))


def arm(text: str) -> None:
    """Arm the failpoints of this process, replacing what the environment said; '' disarms all."""
    _armed.clear()
    _hits.clear()
    _armed.update(_parse(text))


def hit(name: str) -> None:
    """Pass a failpoint: does nothing unless it is armed."""
    if name not in _armed:
        return
    action, first = _armed[name]
    _hits[name] += 1
    if _hits[name] < first:
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "temporary":
        raise TemporaryError(f"failpoint {name}")
    raise RuntimeError(f"failpoint {name}")
