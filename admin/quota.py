"""What a quota is after a command (manual, 8.2.2): its own levels, or back to the default.  Pure."""

from itertools import pairwise

from admin.options import Options
from admin.output import MEGABYTE, megabytes
from mailcore.errors import UsageError
from userstore.model import Quota


def asks_for_quota(options: Options) -> bool:
    """Whether the command changes the quota."""
    return any(one is not None for one in (options.qo, *_levels(options)))


def quota_after(options: Options, now: Quota) -> Quota | None:
    """The user's own quota after the command, or None for the default; `now` is the one that counts so far.

    A level that is not named stays what it is, and with the first one a user has a quota of its own.
    Raises UsageError.

    >>> quota_after(Options(update="anna", qh=2), Quota(warn=MEGABYTE))
    Quota(warn=1048576, soft=0, hard=2097152)
    """
    warn, soft, hard = _levels(options)
    if options.qo in {"n", "no"}:
        if (warn, soft, hard) != (None, None, None):
            raise UsageError("--qo n goes back to the default levels: no --qw, --qs and --qh")
        return None
    after = Quota(
        warn=now.warn if warn is None else warn * MEGABYTE,
        soft=now.soft if soft is None else soft * MEGABYTE,
        hard=now.hard if hard is None else hard * MEGABYTE,
    )
    _check_order(after)
    return after


def _levels(options: Options) -> tuple[int | None, int | None, int | None]:
    return options.qw, options.qs, options.qh


def _check_order(quota: Quota) -> None:
    """Refuse a level above the next one: it would never be reached."""
    levels = [("--qw", quota.warn), ("--qs", quota.soft), ("--qh", quota.hard)]
    limits = [(name, level) for name, level in levels if level]
    for (lower, small), (upper, large) in pairwise(limits):
        if small > large:
            raise UsageError(
                f"quota: {lower} {megabytes(small)} is above {upper} {megabytes(large)}; set both"
            )
