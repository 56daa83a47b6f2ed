"""The decision about a request: the rule about recurring meetings first, then conflicts.

Every occurrence of the request counts, against the other bookings and against its own series.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from mr_accept.model import BookingPolicy, Decision, Occurrence, Reason
from mr_accept.sweep import Span, Use, instants_over


def decide(
    occurrences: Sequence[Occurrence], recurring: bool, busy: Iterable[Span], policy: BookingPolicy
) -> Decision:
    """Accept or decline a request with these occurrences.

    `busy` holds the resource's other bookings as far as they can meet the request; the caller
    leaves out the occurrences of the booking that this request replaces, so that an update never
    conflicts with itself.  TRANSP:TRANSPARENT makes no difference: a resource is held either way.
    """
    if recurring and policy.decline_recurring:
        return Decision(accepted=False, reason=Reason.RECURRING)
    if policy.decline_conflict:
        over = instants_over([*busy, *occurrences], policy.capacity)
        clashes = tuple(item for item in sorted(occurrences) if _meets(item, over))
        if clashes:
            return Decision(accepted=False, reason=Reason.BUSY, clashes=clashes)
    return Decision(accepted=True)


def _meets(occurrence: Occurrence, stretches: Sequence[Use]) -> bool:
    """Whether an occurrence is in use during any of the stretches, which are in order and apart."""
    if occurrence.start >= occurrence.end:
        return False
    index = bisect_right(stretches, occurrence.start, key=lambda stretch: stretch.end)
    return index < len(stretches) and stretches[index].start < occurrence.end
