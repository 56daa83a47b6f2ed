"""What a meeting message would meet: the decision of the auto-booker with every reason, and nothing done.

The code that books makes the decision, under the lock, and then everything is undone (mr_accept.book.Booker.rehearse).
What comes before the booker is not asked: hooks, junk marks, and whether the same mail has come before.
"""

import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import click

from admin.context import Installation
from admin.meeting_file import MeetingFile, read_meeting_file
from admin.options import Options
from admin.output import counted, iso_time, print_json
from mailcore.charset import one_line
from mailcore.view import MessageView
from mr_accept.book import Booker, Outcome
from mr_accept.decision import Decision, OldTime, Refusal
from mr_accept.fate import Fate
from mr_accept.model import NotForBookingError
from mr_accept.policies import load_policy
from mr_accept.rehearsal import Scene, scene_of
from mr_accept.reply_text import title_of
from mr_accept.sweep import Span
from mr_accept.work import Work, open_work
from store.bookings import BookingRow
from store.commit import Committer
from userstore.resolve import Recipient

_MOST_TIMES = 10
_NO_ANSWER = {
    Fate.REPEATED: "no answer to it has been stored",
    Fate.STALE: "it is older than what is known",
    Fate.FREED: "a meeting that frees its time gets none",
    Fate.TOMBSTONE: "a cancellation gets none",
    Fate.PAST: "a request for what is over gets none",
    Fate.NOT_OBEYED: "the sender may not change the meeting; the message goes to the mailbox",
}
_OLD_TIME = {
    OldTime.KEPT: "What is booked for the meeting now stays booked.",
    OldTime.RELEASED: "What is booked for the meeting now would be given up.",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """A decision that has been undone, and what explains it; `ordinary` says why there is none."""

    recipient: Recipient
    zone: ZoneInfo
    notes: Sequence[str] = ()
    ordinary: str = ""
    work: Work | None = None
    before: Scene = field(default_factory=Scene)
    outcome: Outcome = field(default_factory=lambda: Outcome(Fate.ORDINARY))

    def record(self) -> dict[str, Any]:
        """Everything as JSON takes it; the keys are always the same."""
        outcome, zone = self.outcome, self.zone
        decision = outcome.decision
        after = outcome.scene or self.before
        old = decision.old_time if decision else OldTime.NONE
        return {
            "resource": self.recipient.user.name,
            "address": self.recipient.address,
            "timezone": zone.key,
            **_meeting(self.work),
            "fate": outcome.fate.value,
            "reason": self.ordinary or outcome.reason,
            "refusals": [_refusal(one, zone) for one in decision.refusals] if decision else [],
            "clashes": _clashes(decision, after, zone),
            "free_times": [_span(one, zone) for one in decision.free_times] if decision else [],
            "old_time": old.value,
            "held_now": _held(self.before, None, zone),
            "held_then": _held(after, decision, zone),
            "replies": [
                _reply(answer.mail.rcpt_to, answer.mail.content) for answer in outcome.answers
            ],
            "no_reply": self._no_reply(),
            "notes": list(self.notes),
        }

    def _no_reply(self) -> str:
        if self.work is None or self.outcome.answers:
            return ""
        why = _NO_ANSWER.get(self.outcome.fate) or self.work.silence
        return why.removeprefix("no reply: ")


def try_booking(installation: Installation, recipient: Recipient, file: MeetingFile) -> Trial:
    """Decide about a message as if it had just come, and undo it.

    Raises TemporaryError when that cannot be done now.
    """
    zone = installation.zone_of(recipient)
    notes = [*file.notes, *_switches(recipient)]
    try:
        work = _work(installation, recipient, file.content)
        with installation.database.read() as connection:
            policy = load_policy(connection, recipient, installation.settings)
            before = scene_of(connection, recipient.mailbox.id, work.asked.meeting.uid)
        if not policy.decline_conflict:
            notes.append("conflicts are not declined: kopano-admin -u sets --mr-decline-conflict")
        outcome = _booker(installation).rehearse(recipient, file.content)
    except NotForBookingError as error:
        return Trial(recipient, zone, notes, str(error))
    return Trial(recipient, zone, notes, "", work, before, outcome)


def _work(installation: Installation, recipient: Recipient, content: bytes) -> Work:
    directory, settings = installation.directory, installation.settings
    now = int(time.time())
    return open_work(content, recipient.address, recipient, directory, settings, now, None)


def _booker(installation: Installation) -> Booker:
    settings = installation.settings
    committer = Committer(installation.database, installation.blobs)
    hostname = settings.lmtp.hostname or socket.gethostname()
    return Booker(committer, installation.directory, settings, hostname)


def _switches(recipient: Recipient) -> Iterator[str]:
    if not recipient.mailbox.mr_accept:
        name = recipient.user.name
        yield (
            f"mr-accept is off, so all its mail is ordinary mail: kopano-admin -u {name} --mr-accept yes"
        )


def _meeting(work: Work | None) -> dict[str, str]:
    if work is None:
        return dict.fromkeys(("method", "uid", "recurrence_id", "summary", "organizer", "from"), "")
    meeting, first = work.asked.meeting, work.asked.meeting.instances[0]
    return {
        "method": meeting.method,
        "uid": meeting.uid,
        "recurrence_id": first.recurrence_id,
        "summary": title_of(first),
        "organizer": meeting.organizer.written,
        "from": work.asked.origin.from_,
    }


def _refusal(refusal: Refusal, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "reason": refusal.reason.value,
        "text": refusal.text,
        "occurrences": [_span(one, zone) for one in refusal.occurrences],
    }


def _clashes(decision: Decision | None, scene: Scene, zone: ZoneInfo) -> list[dict[str, Any]]:
    """The clashes; what is in the way is told of the first ten."""
    clashes = decision.clashes if decision else ()
    return [
        _span(one, zone) | {"with": [_holder(row) for row in scene.in_the_way.get(one, ())]}
        for one in clashes
    ]


def _holder(row: BookingRow) -> dict[str, str]:
    return {
        "uid": row.uid,
        "recurrence_id": row.recurrence_id,
        "organizer": row.organizer,
        "summary": row.summary,
    }


def _held(scene: Scene, decision: Decision | None, zone: ZoneInfo) -> dict[str, Any]:
    """What the meeting holds; `goes_on_from` is where a series is not held any more for now."""
    ends = [span.end for span in scene.held]
    return {
        "count": len(scene.held),
        "until": iso_time(max(ends), zone) if ends else None,
        "goes_on_from": iso_time(decision.held_until, zone) if decision else None,
        "first": [_span(one, zone) for one in scene.held[:_MOST_TIMES]],
    }


def _span(span: Span, zone: ZoneInfo) -> dict[str, Any]:
    return {"start": iso_time(span.start, zone), "end": iso_time(span.end, zone)}


def _reply(rcpt_to: str, content: bytes) -> dict[str, str]:
    view = MessageView(content)
    return {"to": rcpt_to, "subject": view.subject, "text": view.text}


def dry_run(installation: Installation, options: Options) -> None:
    """Print what a message would meet; raises UsageError for a file that is no mail and no calendar."""
    assert options.dry_run_booking is not None
    name, file = options.dry_run_booking
    recipient = installation.recipient(name)
    record = try_booking(installation, recipient, read_meeting_file(file)).record()
    if options.json:
        print_json(record)
        return
    for line in _lines(record):
        click.echo(line[: len(line) - len(line.lstrip())] + one_line(line))


def _lines(record: Mapping[str, Any]) -> Iterator[str]:
    """The record for people."""
    yield from _verdict(record)
    if record["uid"]:
        yield from _calendar(record)
        yield from _answers(record)
    yield from (f"Note: {note}." for note in record["notes"])
    yield "Nothing has been changed."


def _verdict(record: Mapping[str, Any]) -> Iterator[str]:
    if not record["uid"]:
        yield f"Ordinary mail for {record['address']}: {record['reason']}"
        return
    who = f"{record['organizer']} for {record['address']}"
    yield f"{record['method']} of {who}: {record['summary']}"
    yield f"UID: {record['uid']}" + (
        f", RECURRENCE-ID: {record['recurrence_id']}" if record["recurrence_id"] else ""
    )
    yield f"Fate: {record['fate']}" + (f" ({record['reason']})" if record["reason"] else "")


def _calendar(record: Mapping[str, Any]) -> Iterator[str]:
    if record["refusals"]:
        yield "Reasons:"
    for refusal in record["refusals"]:
        yield f"  {refusal['text']}"
        yield from _listed(map(_times, refusal["occurrences"]), "    ")
    if record["clashes"]:
        yield f"Not free ({counted(len(record['clashes']), 'occurrence')}):"
        yield from _listed(map(_clash, record["clashes"]), "  ")
    if record["free_times"]:
        yield "Free instead:"
        yield from _listed(map(_times, record["free_times"]), "  ")
    old = OldTime(record["old_time"])
    yield from filter(None, [_OLD_TIME.get(old)])
    yield from _holding("Held now", record["held_now"])
    yield from _holding("Held then", record["held_then"])


def _holding(what: str, held: Mapping[str, Any]) -> Iterator[str]:
    if not held["count"]:
        yield f"{what}: nothing"
        return
    further = f"; from {held['goes_on_from']} on as time goes on" if held["goes_on_from"] else ""
    yield f"{what}: {counted(held['count'], 'occurrence')} up to {held['until']}{further}"
    yield from (f"  {_times(one)}" for one in held["first"])
    if held["count"] > len(held["first"]):
        yield f"  and {held['count'] - len(held['first'])} more"


def _answers(record: Mapping[str, Any]) -> Iterator[str]:
    for reply in record["replies"]:
        yield f"Reply to {reply['to']}: {reply['subject']}"
        yield from (f"  | {line}".rstrip() for line in reply["text"].strip().splitlines())
    if record["no_reply"]:
        yield f"No reply: {record['no_reply']}"


def _listed(lines: Iterable[str], indent: str) -> Iterator[str]:
    """The first ten lines, and how many more there are."""
    every = list(lines)
    yield from (f"{indent}{line}" for line in every[:_MOST_TIMES])
    if len(every) > _MOST_TIMES:
        yield f"{indent}and {len(every) - _MOST_TIMES} more"


def _times(span: Mapping[str, Any]) -> str:
    return f"{span['start']} to {span['end']}"


def _clash(clash: Mapping[str, Any]) -> str:
    held = ", ".join(
        f"{one['summary'] or '(no title)'} of {one['organizer']} (UID {one['uid']})"
        for one in clash["with"]
    )
    return _times(clash) + (f": {held}" if held else "")
