"""The decision about a request: absence first, then the rule about recurring meetings, then conflicts.

Every occurrence of the request counts, against the other bookings and against its own series.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from mr_accept.model import Decision, Occurrence, Reason, Refusal, Verdict
from mr_accept.policy import BookingPolicy
from mr_accept.sweep import Span, Use, instants_over


def decide(
    occurrences: Sequence[Occurrence],
    recurring: bool,
    busy: Iterable[Span],
    policy: BookingPolicy,
    held: Iterable[Span] = (),
) -> Decision:
    """Accept or decline a request with these occurrences.

    `busy` holds the resource's other bookings as far as they can meet the request; the caller
    leaves out the occurrences of the booking that this request replaces, so that an update never
    conflicts with itself.  `held` is what that booking held and gives back: an occurrence within it
    asks for no more than before, and fits also where the resource is overbooked (by an import, or
    since its capacity was lowered).  TRANSP:TRANSPARENT makes no difference: a resource is held either way.
    """
    if policy.absence is not None:
        return Decision(Verdict.DECLINED, (_refusal(Reason.ABSENT),), note=policy.absence)
    if recurring and policy.decline_recurring:
        return Decision(Verdict.DECLINED, (_refusal(Reason.RECURRING),))
    if policy.decline_conflict:
        over = instants_over([*busy, *occurrences], policy.capacity)
        clashes = tuple(item for item in _asking_for_more(occurrences, held) if _meets(item, over))
        if clashes:
            alone = over == instants_over(occurrences, policy.capacity)
            reason = Reason.ITSELF if alone else Reason.BUSY
            return Decision(Verdict.DECLINED, (_refusal(reason),), clashes)
    return Decision(Verdict.ACCEPTED)


def _refusal(reason: Reason) -> Refusal:
    return Refusal(reason, reason.value)


def _asking_for_more(
    occurrences: Iterable[Occurrence], held: Iterable[Span]
) -> Iterator[Occurrence]:
    """Yield those not within a span of `held`, in order; a span is good for one occurrence."""
    spans = sorted((span.start, span.end) for span in held)
    for item in sorted(occurrences):
        index = bisect_right(spans, item.start, key=lambda span: span[0]) - 1
        if index >= 0 and spans[index][1] >= item.end:
            del spans[index]
        else:
            yield item


def _meets(occurrence: Occurrence, stretches: Sequence[Use]) -> bool:
    """Whether an occurrence is in use during any of the stretches, which are in order and apart."""
    if occurrence.start >= occurrence.end:
        return False
    index = bisect_right(stretches, occurrence.start, key=lambda stretch: stretch.end)
    return index < len(stretches) and stretches[index].start < occurrence.end
