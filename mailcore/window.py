"""A window of time whose sides may be open."""


def within(now: float, starts_at: float | None, ends_at: float | None) -> bool:
    """Whether from <= now <= until, all in epoch seconds; None is an open side.

    >>> within(5.0, 5.0, None), within(5.0, None, 4.9)
    (True, False)
    """
    return (starts_at is None or starts_at <= now) and (ends_at is None or now <= ends_at)
