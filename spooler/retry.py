"""When a mail is tried again, and when no more (RFC 5321 section 4.5.4.1).

Pure.  The first pauses are short because most trouble is a restart of the MTA next door or
greylisting; the RFC's 30 minutes are meant for MTAs on the other side of the Internet, and between
them and us there is always ours.
"""

_FIRST_PAUSES = (5.0, 15.0, 60.0, 300.0)
_SHORTEST = 1.0
_MOST_DOUBLINGS = 16


def retry_pause(attempts: int, longest: float) -> float:
    """Seconds until the next attempt, after `attempts` that failed; between 1 and `longest`.

    >>> [retry_pause(attempts, 900.0) for attempts in range(1, 8)]
    [5.0, 15.0, 60.0, 300.0, 600.0, 900.0, 900.0]
    """
    if attempts <= len(_FIRST_PAUSES):
        pause = _FIRST_PAUSES[max(attempts, 1) - 1]
    else:
        doublings = min(attempts - len(_FIRST_PAUSES), _MOST_DOUBLINGS)
        pause = _FIRST_PAUSES[-1] * 2**doublings
    return max(_SHORTEST, min(pause, longest))


def probe_pause(failures: int, shortest: float, longest: float) -> float:
    """Seconds until the next try after `failures` in a row: doubling from `shortest`.

    >>> [probe_pause(failures, 2.0, 30.0) for failures in range(1, 7)]
    [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    """
    doubled: float = max(shortest, _SHORTEST) * 2 ** min(max(failures, 1) - 1, _MOST_DOUBLINGS)
    return min(doubled, max(longest, _SHORTEST))


def gave_up(created_at: float, now: float, give_up_after: float) -> bool:
    """True when a mail made at `created_at` gets no more attempts at `now` (epoch seconds)."""
    return now - created_at >= give_up_after
