"""The audit of what is booked, for people and for monitoring."""

from typing import Any

from admin.calendar_upkeep import asked_for
from admin.context import Installation
from admin.options import Options
from admin.output import iso_time, print_json, print_table, say
from mr_accept.audit import Finding, audit
from userstore.resolve import Recipient

_MOST_SHOWN = 5
"""So many of the bookings that meet are named in a line; JSON has more."""


def audit_bookings(installation: Installation, options: Options) -> int:
    """Print what is wrong with one resource's bookings, or with everybody's; 1 when something is not allowed."""
    found = [
        (recipient, finding)
        for recipient in asked_for(installation, options.audit_bookings)
        for finding in audit(installation.database, recipient, installation.settings)
    ]
    if options.json:
        print_json([_record(installation, *one) for one in found])
    elif not found:
        say("Nothing is wrong with what is booked.")
    else:
        print_table(
            ("Resource", "Kind", "Start", "End", "UID", "Allowed", "Problem", "What to do"),
            [_line(installation, *one) for one in found],
        )
    return 0 if all(finding.allowed for _, finding in found) else 1


def _line(
    installation: Installation, recipient: Recipient, finding: Finding
) -> tuple[str | None, ...]:
    zone = installation.zone_of(recipient)
    uid = " ".join(filter(None, (finding.uid, finding.recurrence_id)))
    problem = finding.problem
    if excess := finding.excess:
        uid = _shortened(excess.uids, excess.use)
        problem = f"{problem}: {_shortened(excess.summaries, excess.use)}"
    return (
        recipient.user.name,
        finding.kind.value,
        iso_time(finding.start, zone),
        iso_time(finding.end, zone),
        uid,
        "yes" if finding.allowed else "NO",
        problem,
        finding.remedy,
    )


def _shortened(names: tuple[str, ...], number: int) -> str:
    """The first of so many names, and how many more there are.

    >>> _shortened(("a", "b"), 2), _shortened(("a",) * 20, 30)
    ('a; b', 'a; a; a; a; a and 25 more')
    """
    shown = "; ".join(names[:_MOST_SHOWN])
    more = number - min(len(names), _MOST_SHOWN)
    return f"{shown} and {more} more" if more else shown


def _record(installation: Installation, recipient: Recipient, finding: Finding) -> dict[str, Any]:
    zone = installation.zone_of(recipient)
    record: dict[str, Any] = {
        "resource": recipient.user.name,
        "kind": finding.kind.value,
        "start": iso_time(finding.start, zone),
        "end": iso_time(finding.end, zone),
        "uid": finding.uid,
        "recurrence_id": finding.recurrence_id,
        "allowed": finding.allowed,
        "problem": finding.problem,
        "remedy": finding.remedy,
    }
    if excess := finding.excess:
        record |= {
            "use": excess.use,
            "capacity": excess.capacity,
            "uids": list(excess.uids),
            "summaries": list(excess.summaries),
        }
    return record
