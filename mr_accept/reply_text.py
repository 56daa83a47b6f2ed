"""What the organizer reads: what was asked for, when, and for what is declined why and what to do instead.

Everything strangers can put into it comes in one line, without controls, and shortened.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from textwrap import wrap

from mailcore.charset import one_line
from mr_accept.decision import Decision, OldTime, Reason, Refusal
from mr_accept.model import ONWARDS, Duration, Form, Instance, Moment, Occurrence, Zone
from mr_accept.sweep import Span
from mr_accept.wording import day_text, days_text, times_text

MOST_TIMES = 10
"""So many occurrences are listed; of more it is said how many they are."""

_LONGEST_TITLE = 300  # characters
_LONGEST_NAME = 100


def title_of(instance: Instance) -> str:
    """Return the SUMMARY in one line, cut where it is unreasonably long."""
    return shortened(instance.summary) or "(no title)"


def shortened(text: str, most: int = _LONGEST_TITLE) -> str:
    """Return a text in one line, of at most so many characters and three dots."""
    line = " ".join(one_line(text).split())
    return line if len(line) <= most else line[:most].rstrip() + "..."


def compose_text(
    instance: Instance,
    decision: Decision,
    resource_name: str,
    resource_zone: Zone,
    reply_text: str = "",
) -> str:
    """Return the plain text with LF line ends; `reply_text` stands at its end.

    Times are in the zone of the organizer's DTSTART, or in the resource's where that one is UTC or
    floating.
    """
    words = _Words(instance, decision, one_line(resource_name), resource_zone)
    lines = [
        *(words.acceptance() if decision.accepted else words.refusal()),
        *_besides(decision.note),
        *words.request(),
        *words.clashes(),
        *words.free_times(),
        *_besides(reply_text),
    ]
    return "\n".join([*lines, ""])


def listed(lines: Iterable[str], total: int, indent: str = "  ") -> list[str]:
    """Return the first ten of `total` lines, indented, and how many more there are."""
    shown = [f"{indent}{line}" for line in islice(lines, MOST_TIMES)]
    return [*shown, f"{indent}and {total - MOST_TIMES} more"] if total > MOST_TIMES else shown


class _Words:
    """The parts of the text about one instance."""

    def __init__(self, instance: Instance, decision: Decision, name: str, home: Zone) -> None:
        self._instance = instance
        self._decision = decision
        self._name = name
        several = instance.recurring or instance.recurrence_id.endswith(ONWARDS)
        self._several = several
        self._clashes = () if decision.accepted and not several else decision.clashes
        if instance.all_day or instance.start.form is Form.ZONED:
            self._zone = instance.start.zone
        else:
            self._zone = home

    def acceptance(self) -> Iterator[str]:
        """What was booked, and of a series what was not."""
        decision = self._decision
        accepted = f"{self._name} has accepted {self._subject()}"
        if self._clashes:
            yield f"{accepted} and is booked, but not for all of it."
            yield self._part()
        elif self._instance.duration == Duration(0, 0):
            yield f"{accepted}. It has no length, so no time is held for it."
        else:
            yield f"{accepted} and is booked."
        if decision.held_until is not None:
            last = self._zone.from_utc(decision.held_until) - timedelta(days=1)
            yield (
                f"The series is booked up to {day_text(last)}; later occurrences are booked as time "
                "goes on, as far as the resource is free then."
            )
        if decision.overbooked:
            yield "Please note: others have booked some of this time, too."

    def _part(self) -> str:
        declined, of = len(self._clashes), self._decision.asked_for
        count = f"{declined} of {of}" if of else f"{declined}"
        occurrences = "occurrence" if (of or declined) == 1 else "occurrences"
        are = "is" if declined == 1 else "are"
        return f"{count} {occurrences} could not be booked and {are} declined."

    def refusal(self) -> Iterator[str]:
        """Why it is declined, with every reason, and what becomes of the time that was booked before."""
        declined = f"{self._name} has declined {self._subject()}"
        refusals = self._decision.refusals
        if len(refusals) > 1:
            yield f"{declined}, for these reasons:"
            for refusal in refusals:
                yield f"- {one_line(refusal.text)}"
                yield from self._listed(self._concerned(refusal), "    ")
            yield from [""] if self._decision.old_time is not OldTime.NONE else []
        else:
            yield f"{declined}: {one_line(refusals[0].text) if refusals else Reason.BUSY.value}."
        if self._decision.old_time is OldTime.KEPT:
            yield "What was booked for this meeting before stays booked."
        elif self._decision.old_time is OldTime.RELEASED:
            yield "What was booked for this meeting before is given up, and free for others."

    def _concerned(self, refusal: Refusal) -> list[Occurrence]:
        """The occurrences that a refusal is about, where they are several: a single one is in its text."""
        told = set(self._clashes)
        concerned = [item for item in refusal.occurrences if item not in told]
        return concerned if len(concerned) > 1 else []

    def request(self) -> Iterator[str]:
        """What was asked for, and of which times a single reason speaks."""
        yield ""
        yield f"What: {title_of(self._instance)}"
        yield f"When: {self._when()}"
        if place := one_line(self._instance.location):
            yield f"Where: {place[:_LONGEST_TITLE]}"
        refusals = self._decision.refusals
        if len(refusals) == 1 and (concerned := self._concerned(refusals[0])):
            yield from ["", "It is about these times:", *self._listed(concerned)]

    def clashes(self) -> Iterator[str]:
        """The times that are not free."""
        decision = self._decision
        if not self._clashes:
            return
        itself = {refusal.reason for refusal in decision.refusals} == {Reason.ITSELF}
        what = "overlap each other" if itself else "are not free"
        yield from ["", f"These times {what}{' and are declined' if decision.accepted else ''}:"]
        yield from self._listed(self._clashes)

    def free_times(self) -> Iterator[str]:
        """Times that could be asked for instead."""
        if not self._decision.free_times:
            return
        of_one = " of the first one" if len(self._clashes) > 1 else ""
        yield from ["", f"Free at these times instead{of_one}:"]
        yield from (f"  {self._time(free)}" for free in self._decision.free_times)

    def _listed(self, occurrences: Sequence[Occurrence], indent: str = "  ") -> list[str]:
        return listed(map(self._held, occurrences), len(occurrences), indent)

    def _held(self, occurrence: Occurrence) -> str:
        """The time of an occurrence, and who has it where that may be told."""
        holder = shortened(self._decision.holders.get(occurrence, ""), _LONGEST_NAME)
        return f"{self._time(occurrence)}{f', taken by {holder}' if holder else ''}"

    def _subject(self) -> str:
        recurrence_id = self._instance.recurrence_id
        if recurrence_id.endswith(ONWARDS):
            return "the meeting from one occurrence on"
        return "one occurrence of the meeting" if recurrence_id else "the meeting"

    def _when(self) -> str:
        start, length = self._instance.start, self._instance.duration
        nominal = start.wall + timedelta(days=length.days)
        if self._instance.all_day:
            text = days_text(start.wall, nominal)
        else:
            end = Moment(nominal, start.zone, start.form).epoch + length.seconds
            text = times_text(start.epoch, end, self._zone)
        if self._instance.recurring:
            return f"{text}; this is the first of a series"
        return f"{text}; this one and those after it" if self._several else text

    def _time(self, span: Span) -> str:
        if not self._instance.all_day:
            return times_text(span.start, span.end, self._zone)
        return days_text(self._zone.from_utc(span.start), self._zone.from_utc(span.end))


def _besides(text: str) -> Iterable[str]:
    """A text of the resource's own, in lines of any length, after an empty line."""
    if not text.strip():
        return []
    lines = ["", *text.strip().splitlines()]
    return [folded for line in lines for folded in wrap(one_line(line)) or [""]]
