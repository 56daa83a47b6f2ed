"""What is wrong after a simulation: each fate and reply, and each calendar, beside what the model expects."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from store.jobs import JobRecord
from tests.support.simulation_calendar import ACCEPTED, DECLINED
from tests.support.simulation_model import DECIDED, REPEATED, Expected, Model, Settled
from tests.support.simulation_outcome import Answer, Calendar, Reply
from tests.support.simulation_site import Resource
from tests.support.simulation_words import Message, basic


class Judge:
    """Follows one resource from message to message and notes what is not as it should be."""

    def __init__(self, resource: Resource, until: int) -> None:
        self.findings: list[str] = []
        self._model = Model(resource, until)
        self._until = until
        # Which of the occurrences near that time are still told apart is not worth knowing.
        self._certain = basic(datetime.fromtimestamp(until, UTC) - timedelta(days=2))
        self._said: dict[tuple[str, str], set[bytes]] = {}

    def follow(self, job: JobRecord, message: Message, replies: Sequence[Reply]) -> None:
        """Compare the end of a job, and the replies it caused, with what was to be expected."""
        at = int(job.finished_at or 0)
        expected = self._model.settle(Settled(message, job.fate, job.reason, at))
        fate = DECIDED if job.fate in (ACCEPTED, DECLINED) else job.fate
        problems = [expected.wrong] if expected.wrong else []
        if fate != expected.fate:
            problems.append(f"expected {expected.fate}")
        else:
            problems += self._about(replies, message, job.fate, expected)
        self.findings += [
            f"job {job.id} {message.message_id} {message.method} {message.uid}:"
            f" {job.fate} ({job.reason}): {problem}"
            for problem in problems
        ]

    def _about(
        self, replies: Sequence[Reply], message: Message, fate: str, expected: Expected
    ) -> Iterator[str]:
        tied = message.from_ in (message.organizer, message.sent_by)
        said = self._said.setdefault((message.uid, message.organizer), set())
        if any(reply.rcpt_to != message.organizer for reply in replies):
            yield "a reply to somebody else"
        if fate == REPEATED and tied:
            if any(reply.content not in said for reply in replies):
                yield "what is repeated has never been said"
            return
        wanted = Counter(self._answers(message, fate, expected)) if tied else Counter()
        answers = (answer for reply in replies for answer in reply.answers)
        there = Counter(answer for answer in answers if answer.name < self._certain)
        if wanted != there:
            yield f"replies: {sorted((there - wanted).elements())}, not {sorted((wanted - there).elements())}"
        said.update(reply.content for reply in replies)

    def _answers(self, message: Message, fate: str, expected: Expected) -> Iterator[Answer]:
        events = expected.decided
        about = events[:1] if events and not events[0].name else events
        for event in about:
            yield Answer(message.uid, event.name, event.sequence, fate.upper())
        sequences = {event.name: event.sequence for event in events}
        for slot in expected.lacking:
            if slot.name >= self._certain:
                continue
            sequence = sequences.get(slot.name, events[0].sequence)
            yield Answer(message.uid, slot.name, sequence, DECLINED.upper())

    def close(self, calendar: Calendar) -> None:
        """Compare what is booked in the end."""
        rows = {uid: rows for uid, rows in self._model.meetings.items() if rows}
        stored: dict[str, dict[str, tuple[str, tuple[int, int]]]] = {}
        for one in calendar.lineages:
            if one.state == DECLINED and one.name >= self._certain:
                continue
            stored.setdefault(one.uid, {})[one.name] = (one.state, one.seen)
        for uid in sorted({*rows, *stored}):
            known = rows.get(uid, {}).items()
            wanted = {
                name: (row.state, row.version)
                for name, row in known
                if row.state != DECLINED or name < self._certain
            }
            there = stored.get(uid, {})
            if wanted != there:
                differing = {*wanted.items()} ^ {*there.items()}
                self.findings.append(f"{uid}: lineages {sorted(differing)}")
            held = self._model.diary.held(uid)
            slots = sorted((slot.start, slot.end) for slot in held)
            if slots != calendar.busy(uid, self._until):
                self.findings.append(f"{uid}: holds {calendar.busy(uid, self._until)}, not {slots}")


def judge_all(
    resources: Mapping[int, Resource],
    jobs: Mapping[int, Sequence[JobRecord]],
    messages: Mapping[str, Message],
    replies: Mapping[int | None, Sequence[Reply]],
    calendars: Mapping[int, Calendar],
    until: Mapping[int, int],
) -> list[str]:
    """All findings, by resource; everything is by the number of its store, messages by their Message-IDs."""
    findings = []
    for store_id, resource in resources.items():
        judge = Judge(resource, until[store_id])
        for job in jobs.get(store_id, ()):
            judge.follow(job, messages[job.message_id], replies.get(job.id, ()))
        judge.close(calendars[store_id])
        findings += [f"{resource.name}: {finding}" for finding in judge.findings]
    return findings
