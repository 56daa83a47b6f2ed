"""What is wrong after a simulation: each fate, each reply and each calendar, beside what the model expects."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from store.jobs import JobRecord
from tests.support.simulation_calendar import ACCEPTED, DECLINED
from tests.support.simulation_fates import DECIDED, ORDINARY, REPEATED, tied
from tests.support.simulation_model import Expected, Model, Settled
from tests.support.simulation_outcome import Answer, Calendar, Reply
from tests.support.simulation_site import Resource
from tests.support.simulation_words import CANCEL, Event, Message, basic

_State = tuple[str, tuple[int, int]]


class Judge:
    """Follows one resource from message to message and notes what is not as it should be."""

    def __init__(self, resource: Resource, until: int) -> None:
        self.findings: list[str] = []
        self._resource = resource
        self._model = Model(resource, until)
        self._until = until
        # An occurrence that had been moved may lie on the other side of `until`: those near it are not compared.
        self._last = basic(datetime.fromtimestamp(until, UTC) - timedelta(days=2))
        self._said: set[bytes] = set()
        self._answered: set[tuple[str, str, tuple[int, int]]] = set()
        self._words: dict[str, tuple[tuple[int, int], bool]] = {}
        self._parts: dict[str, int] = {}
        self._taken: set[str] = set()  # a stranger was quicker than the organizer

    def follow(self, job: JobRecord, message: Message, replies: Sequence[Reply]) -> None:
        """Compare the end of a job, and the replies it caused, with what was to be expected."""
        at = int(job.finished_at or 0)
        expected = self._model.settle(Settled(message, job.fate, job.reason, at))
        fate = DECIDED if job.fate in (ACCEPTED, DECLINED) else job.fate
        problems = list(filter(None, [expected.wrong]))
        if fate != expected.fate:
            problems.append(f"expected {expected.fate}")
        else:
            problems += self._of_replies(replies, message, job.fate, expected)
        what = f"{message.message_id} {message.method} {message.uid}: {job.fate} ({job.reason})"
        self.findings += [f"job {job.id} {what}: {problem}" for problem in problems]
        self._remember(message, job.fate)

    def _remember(self, message: Message, fate: str) -> None:
        """Keep the newest word about each meeting as a whole, and when a part of it was last asked for."""
        uid = message.uid
        if not tied(message) and fate == ACCEPTED:
            self._taken.add(uid)
        for event in message.events if tied(message) and fate != ORDINARY else ():
            if event.name:
                self._parts[uid] = max(event.stamp, self._parts.get(uid, 0))
            else:
                invited = self._resource.address in message.attendees
                word = (event.version, message.method == CANCEL or not invited)
                self._words[uid] = max(word, self._words.get(uid, word))

    def _of_replies(
        self, replies: Sequence[Reply], message: Message, fate: str, expected: Expected
    ) -> Iterator[str]:
        if any(reply.rcpt_to != message.organizer for reply in replies):
            yield "a reply to somebody else"
        if fate == REPEATED and tied(message):
            if any(reply.content not in self._said for reply in replies):
                yield "what is repeated has never been said"
            told = {(message.uid, event.name, event.version) for event in message.events}
            if not replies and not told.isdisjoint(self._answered):
                yield "what has been said is not repeated"
            return
        self._said.update(reply.content for reply in replies)
        about = expected.decided if tied(message) else ()
        if about and not about[0].name:
            about = about[:1]
        self._answered.update((message.uid, event.name, event.version) for event in about)
        separate = self._resource.policy.get("partial_reply") == "separate"
        if not separate and len(replies) != len(about):
            yield f"{len(replies)} replies"
        wanted = Counter(self._answers(message, fate, about, expected))
        named = {event.name for event in about}
        answers = (answer for reply in replies for answer in reply.answers)
        there = Counter(one for one in answers if one.name in named or one.name < self._last)
        if wanted != there:
            more, less = (there - wanted).elements(), (wanted - there).elements()
            yield f"the replies say {sorted(more)}, and not {sorted(less)}"

    def _answers(
        self, message: Message, fate: str, about: Sequence[Event], expected: Expected
    ) -> Iterator[Answer]:
        """What has to be said: about each event, and about each occurrence that a series does without."""
        resource = self._resource.address
        for event in about:
            yield Answer(message.uid, event.name, event.sequence, resource, fate.upper())
        sequences = {event.name: event.sequence for event in expected.decided}
        for slot in expected.lacking if about else ():
            if slot.name < self._last:
                sequence = sequences.get(slot.name, about[0].sequence)
                yield Answer(message.uid, slot.name, sequence, resource, DECLINED.upper())

    def close(self, calendar: Calendar) -> None:
        """Compare what is booked in the end."""
        stored: dict[str, dict[str, _State]] = {}
        for one in calendar.lineages:
            stored.setdefault(one.uid, {})[one.name] = (one.state, one.seen)
        meetings = self._model.meetings
        for uid in sorted({*meetings, *stored}):
            rows = {name: (row.state, row.version) for name, row in meetings[uid].items()}
            wanted, there = self._comparable(rows), self._comparable(stored.get(uid, {}))
            if wanted != there:
                self.findings.append(f"{uid}: has {sorted(there ^ wanted)}")
            (_, stamp), gone = self._words.get(uid, ((0, 0), False))
            busy = calendar.busy(uid, self._until)
            asked_later = self._parts.get(uid, 0) > stamp or uid in self._taken
            if gone and busy and not asked_later:
                self.findings.append(f"{uid}: holds {busy} though its newest message gives it up")
            slots = [(slot.start, slot.end) for slot in self._model.diary.held(uid)]
            if sorted(slots) != busy:
                self.findings.append(f"{uid}: holds {busy}, not {slots}")

    def _comparable(self, rows: dict[str, _State]) -> set[tuple[str, _State]]:
        """Lineages without the occurrences that a series does without in times too far ahead."""
        return {
            (name, state)
            for name, state in rows.items()
            if state[0] != DECLINED or name < self._last
        }
