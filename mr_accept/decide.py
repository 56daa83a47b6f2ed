"""The decision about a request: absence first, then the resource's rules, then conflicts.

Every occurrence of the request counts, against the other bookings and against its own series.  Of a series those that
are over are not in question: they are held where they fit.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from mr_accept.decision import Decision, Reason, Refusal, Verdict, Wanted
from mr_accept.model import Interval, Occurrence
from mr_accept.policy import BookingPolicy
from mr_accept.sweep import Span, Use, instants_over, peak_use


def decide(
    wanted: Wanted,
    busy: Iterable[Span],
    policy: BookingPolicy,
    now: int,
    refusals: Sequence[Refusal] = (),
) -> Decision:
    """Accept or decline what is wanted, at `now` (epoch seconds).

    `busy` holds the resource's other bookings as far as they can meet the request; the caller leaves out the
    occurrences of the booking that this request replaces, so that an update never conflicts with itself.  `refusals`
    are the rules of the resource that it breaks.  What asks for no more than the booking holds already fits also where
    the resource is overbooked (by an import, or since its capacity was lowered).  TRANSP:TRANSPARENT makes no
    difference: a resource is held either way.
    """
    if policy.absence is not None:
        away = Refusal(Reason.ABSENT, Reason.ABSENT.value)
        return Decision(Verdict.DECLINED, (away,), note=policy.absence)
    if refusals:
        return Decision(Verdict.DECLINED, tuple(refusals))
    if not policy.decline_conflict:
        return Decision(Verdict.ACCEPTED)
    return _beside(wanted, list(busy), policy, now)


def asking_for_more(
    occurrences: Iterable[Occurrence], held: Iterable[Span]
) -> tuple[Occurrence, ...]:
    """Those not within a span of `held`, in order; a span is good for one occurrence."""
    return tuple(_asking_for_more(occurrences, held))


def _asking_for_more(
    occurrences: Iterable[Occurrence], held: Iterable[Span]
) -> Iterator[Occurrence]:
    spans = sorted((span.start, span.end) for span in held)
    for item in sorted(occurrences):
        index = bisect_right(spans, item.start, key=lambda span: span[0]) - 1
        if index >= 0 and spans[index][1] >= item.end:
            del spans[index]
        else:
            yield item


def _beside(wanted: Wanted, busy: list[Span], policy: BookingPolicy, now: int) -> Decision:
    """The decision about conflicts alone."""
    more = set(wanted.more)
    held = [item for item in wanted.occurrences if item not in more]
    settled: list[Span] = [*busy, *held]
    lacking = _not_fitting(wanted.more, settled, policy.capacity)
    over = instants_over(settled, policy.capacity)
    overbooked = any(_meets(item, over) for item in held)
    live = [item for item in wanted.occurrences if item.end > now] if wanted.recurring else []
    open_ = set(live or wanted.occurrences)
    clashes = tuple(item for item in lacking if item in open_)
    ended = tuple(item for item in lacking if item not in open_)
    new = [item for item in clashes if item._replace(busy=True) not in wanted.lacking]
    part = wanted.recurring and len(clashes) < len(open_)
    if not clashes or (part and (not new or _bearable(len(clashes), len(open_), policy))):
        return Decision(
            Verdict.ACCEPTED,
            clashes=clashes,
            ended=ended,
            asked_for=len(open_),
            overbooked=overbooked,
        )
    alone = set(clashes) <= set(_not_fitting(wanted.more, held, policy.capacity))
    reason = Reason.ITSELF if alone else Reason.BUSY
    return Decision(Verdict.DECLINED, (Refusal(reason, reason.value),), clashes)


def _not_fitting(
    occurrences: Sequence[Occurrence], settled: Sequence[Span], capacity: int
) -> list[Occurrence]:
    """Those that would bring an instant over the capacity, each tried in order beside those that fitted before it."""
    taken = instants_over(settled, capacity - 1)
    lacking: list[Occurrence] = []
    fitted: list[Occurrence] = []  # those that may reach into the next one
    for item in occurrences:
        fitted = [one for one in fitted if one.end > item.start]
        if _meets(item, taken) or (fitted and _crowded(item, settled, fitted, capacity)):
            lacking.append(item)
        else:
            fitted.append(item)
    return lacking


def _crowded(
    item: Occurrence, settled: Sequence[Span], fitted: Sequence[Occurrence], capacity: int
) -> bool:
    """Whether an occurrence does not fit where others of its own series are held too."""
    meeting = [span for span in settled if span.start < item.end and span.end > item.start]
    spans = [Interval(span.start, span.end) for span in (*meeting, *fitted)]
    return peak_use(spans, item.start, item.end) >= capacity


def _meets(occurrence: Occurrence, stretches: Sequence[Use]) -> bool:
    """Whether an occurrence is in use during any of the stretches, which are in order and apart."""
    if occurrence.start >= occurrence.end:
        return False
    index = bisect_right(stretches, occurrence.start, key=lambda stretch: stretch.end)
    return index < len(stretches) and stretches[index].start < occurrence.end


def _bearable(clashes: int, of: int, policy: BookingPolicy) -> bool:
    """Whether a series may be accepted without these; a limit that is not set does not bind, but one has to be."""
    most, percent = policy.max_conflicts, policy.max_conflict_percent
    if most is None and percent is None:
        return False
    return (most is None or clashes <= most) and (percent is None or clashes * 100 <= percent * of)
