"""What is asked of a resource, and what it answers: values, as those of mr_accept/model.py.

The words of a refusal are for the organizer; the values of `Reason` are for logs and administrators.
"""

import enum
from dataclasses import dataclass, field
from typing import NamedTuple

from mr_accept.model import Instance, Occurrence, Zone


class Standing(enum.Enum):
    """What the one who asks may do with a resource."""

    ALLOWED = "allowed"  # book within its rules
    FREE = "free"  # book outside its rules too, though never twice
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks of a resource.

    `instances` are the VEVENTs in question, master first; `occurrences` theirs in order, as far ahead as they would be
    held, and `more` those of them that do not lie within what the meeting holds already.  `zone` is the resource's,
    `own` its addresses (folded).  `external` tells that the organizer is not of the resource's organisation.
    `lacking` are occurrences that the series does without already.
    """

    instances: tuple[Instance, ...]
    occurrences: tuple[Occurrence, ...]
    more: tuple[Occurrence, ...]
    zone: Zone
    own: frozenset[str] = frozenset()
    standing: Standing = Standing.ALLOWED
    external: bool = False
    lacking: frozenset[Occurrence] = frozenset()

    @property
    def recurring(self) -> bool:
        """True when any of the VEVENTs repeats."""
        return any(instance.recurring for instance in self.instances)


class Reason(enum.Enum):
    """Why a request was declined; the value is for logs and the records of administrators."""

    ABSENT = "out of office at present"
    EXTERNAL = "only people inside the organisation may book"
    NOT_ALLOWED = "the organizer may not book"
    RECURRING = "recurring meetings are not allowed"
    PAST = "it has ended already"
    BEYOND_WINDOW = "beyond the booking window"
    TOO_SOON = "not enough notice"
    TOO_SHORT = "too short"
    TOO_LONG = "too long"
    OUTSIDE_HOURS = "outside the days and hours that can be booked"
    SERIES_TOO_LONG = "the series is too long"
    TOO_MANY_PEOPLE = "more people than there is room for"
    BUSY = "the resource is already booked at that time"
    ITSELF = "its own occurrences overlap"


class Refusal(NamedTuple):
    """One reason why a request is declined, and the sentence that says so to the organizer.

    `text` goes on after "has declined the meeting: " or stands in a list, without a full stop.  `occurrences` are
    those that it is about, where it is not about the meeting as a whole.
    """

    reason: Reason
    text: str
    occurrences: tuple[Occurrence, ...] = ()


class Verdict(enum.Enum):
    """The answer to a request.  An owner's approval (pending) and pools (delegated) have their place here."""

    ACCEPTED = "accepted"
    DECLINED = "declined"


class OldTime(enum.Enum):
    """What a declined change does to the time that the meeting held before."""

    NONE = "none"  # it held none
    KEPT = "kept"
    RELEASED = "released"


class FreeTime(NamedTuple):
    """Time that could have been asked for instead, in epoch seconds UTC, half-open."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a request.

    `clashes` are occurrences that do not fit beside other bookings, in order: of a declined request all of them, of an
    accepted series those that it has to do without.  `ended` are those of a series that are over and do not fit, which
    nobody needs to be told.  `held_until`, in epoch seconds, is set where a series goes on
    longer than it is booked for now.  `asked_for` counts the occurrences in question, where a part is accepted.
    `holders` names who holds the time of a clash, where that may be told.
    `overbooked` tells that what is accepted meets time in which the resource is over its capacity.  `note` is a text of
    the resource's own.
    """

    verdict: Verdict
    refusals: tuple[Refusal, ...] = ()
    clashes: tuple[Occurrence, ...] = ()
    ended: tuple[Occurrence, ...] = ()
    asked_for: int = 0
    holders: dict[Occurrence, str] = field(default_factory=dict)
    free_times: tuple[FreeTime, ...] = ()
    old_time: OldTime = OldTime.NONE
    held_until: int | None = None
    overbooked: bool = False
    note: str = ""

    @property
    def accepted(self) -> bool:
        """True where the resource is booked, for a part of the series at least."""
        return self.verdict is Verdict.ACCEPTED

    @property
    def reasons(self) -> str:
        """The reasons of a decline in one line, for logs and administrators."""
        return "; ".join(dict.fromkeys(refusal.reason.value for refusal in self.refusals))
