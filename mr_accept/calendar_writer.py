"""Writing what was decided: lineages, the time they hold, and the calendar object, under the calendar's lock."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from mr_accept.asking import Asked
from mr_accept.booking_rows import Held, renew_object, split_occurrences
from mr_accept.change import Change, covers, own_ids
from mr_accept.decision import Decision, OldTime
from mr_accept.fate import is_later
from mr_accept.kept import kept_summary
from mr_accept.model import ONWARDS, Instance, Occurrence, Zone
from mr_accept.policy import BookingPolicy
from mr_accept.replying import Answer
from mr_accept.values import read_time, seconds_since_epoch
from store.bookings import (
    ACCEPTED,
    CANCELLED,
    DECLINED,
    KEPT,
    BookingRow,
    drop_bookings,
    save_booking,
)
from store.calendar_objects import save_range
from store.calendars import LockedCalendar
from store.occurrences import (
    CLASH,
    OccurrenceRow,
    drop_occurrence,
    drop_occurrences_from,
    held_by,
    replace_occurrences,
)

_WITH_SERIES = "answered together with the series"
_DAY = 86_400  # seconds
_OVER = "over when the series was booked"


class Written(NamedTuple):
    """What goes with every lineage of a message.

    Its source as it is kept, the resource's zone, and why it has no reply if it has none.
    """

    source: str
    zone: Zone
    silence: str = ""


class CalendarWriter:
    """Writes one message's consequences; `held` are the lineages as they were when the lock was taken."""

    def __init__(
        self,
        connection: Connection,
        locked: LockedCalendar,
        asked: Asked,
        held: Held,
        policy: BookingPolicy,
        written: Written,
    ) -> None:
        self._connection = connection
        self._locked = locked
        self._asked = asked
        self._held = held
        self._policy = policy
        self._written = written
        self._dropped: set[int] = set()

    def accept(
        self,
        change: Change,
        occurrences: Sequence[Occurrence],
        decision: Decision,
        answers: Sequence[Answer],
        until: int | None,
    ) -> None:
        """Book the fresh instances, without the occurrences that the decision leaves out.

        `occurrences` are the fresh instances' own; where the request speaks for the series, all that the meeting holds
        from now on.  `until` is how far a series is held that goes on for longer.
        """
        replies = {answer.recurrence_id: answer for answer in answers}
        lacking = {item.recurrence_id: item for item in (*decision.clashes, *decision.ended)}
        kept = {*change.recurrence_ids, *lacking}
        gone = [row.id for row in self._held.stored if row.recurrence_id not in kept]
        drop_bookings(self._connection, gone)
        places = self._places(decision)
        ids: dict[str, int] = {}
        for item in change.fresh:
            if item.recurrence_id not in lacking:
                ids[item.recurrence_id] = self._save_accepted(item, replies, until, places)
        if change.onwards and not change.whole:
            ids[""] = self._prolong_series(until, places)
        self._leave_out(lacking, replies, set(decision.ended))
        object_id = self._renew_object(ranged=False)
        if not change.in_series:
            self._free_in_series(ids)
        parts = split_occurrences(
            [item for item in occurrences if item.recurrence_id not in lacking],
            _standing(change),
        )
        for recurrence_id, row_id in ids.items():
            rows = parts.get(recurrence_id, [])
            replace_occurrences(self._connection, self._locked, row_id, object_id, rows)
        if object_id is not None:
            save_range(self._connection, object_id)

    def decline(self, change: Change, decision: Decision, answers: Sequence[Answer]) -> None:
        """Remember what was declined; what is booked stays as it is, or is given up, as the decision says."""
        replies = {answer.recurrence_id: answer for answer in answers}
        released = decision.old_time is OldTime.RELEASED
        freed = [item for item in change.fresh if item.cancelled and item.recurrence_id]
        for item in change.fresh:
            answer = replies.get(item.recurrence_id)
            stored = self._held.find(item.recurrence_id)
            if item in freed:  # it is not wanted there, whatever becomes of the others
                self._cancel(item)
            elif released:
                self._release(item, answer)
            elif stored is not None and stored.state == ACCEPTED:
                seen = {"seen_sequence": item.sequence, "seen_dtstamp": item.dtstamp}
                save_booking(self._connection, self._locked, stored.id, seen)
            else:
                state = KEPT if self._held_in_series(item.recurrence_id) else DECLINED
                self._save(item, state, answer)
        if released or freed:
            self._renew_object()

    def cancel(self, instances: Sequence[Instance]) -> None:
        """Free instances, the rest of a series, or the whole meeting; what was never booked is remembered too."""
        for item in instances:
            self._cancel(item)
        self._renew_object()

    def _cancel(self, item: Instance) -> None:
        self._free(item)
        row_id = self._save(item, CANCELLED, None)
        replace_occurrences(self._connection, self._locked, row_id, None, ())

    def _free(self, item: Instance) -> None:
        """Take away the time of one instance, or of what a VEVENT speaks for besides itself."""
        if not item.recurrence_id:
            parts = (row for row in self._held.stored if row.recurrence_id)
            self._drop([row.id for row in parts if not self._later(row, item)])
        elif item.recurrence_id.endswith(ONWARDS):
            covered = [
                row for row in self._held.stored if covers(item.recurrence_id, row.recurrence_id)
            ]
            self._drop([row.id for row in covered if not self._later(row, item)])
            ranges = (row.recurrence_id for row in covered if self._later(row, item))
            after = (one.removesuffix(ONWARDS) for one in ranges if one.endswith(ONWARDS))
            master = self._held.find("")
            if master is not None:
                first = item.recurrence_id.removesuffix(ONWARDS)
                before = min(after, default=None)
                drop_occurrences_from(self._connection, master.id, first, before)
        else:
            self._free_in_series([item.recurrence_id])

    @staticmethod
    def _later(row: BookingRow, item: Instance) -> bool:
        """Whether a stored lineage was renewed after what a VEVENT says about others with it."""
        return is_later((row.seen_sequence, row.seen_dtstamp), item.version)

    def _drop(self, ids: Sequence[int]) -> None:
        """Forget lineages; what the same message says about one of them is a new row (ids may be given out anew)."""
        drop_bookings(self._connection, ids)
        self._dropped.update(ids)

    def _release(self, item: Instance, answer: Answer | None) -> None:
        """Give up what a declined change was to replace."""
        self._free(item)
        onwards = item.recurrence_id.endswith(ONWARDS)
        row_id = self._save(item, CANCELLED if onwards else DECLINED, answer)
        replace_occurrences(self._connection, self._locked, row_id, None, ())

    def _held_in_series(self, recurrence_id: str) -> bool:
        """Whether the series holds time for an instance that has no lineage of its own."""
        master = self._held.find("")
        if master is None or master.state != ACCEPTED or not recurrence_id:
            return False
        if recurrence_id.endswith(ONWARDS):
            return True
        until = master.materialised_until
        if until is not None and _instant(recurrence_id) >= until - _DAY:
            return True  # it is not held yet, and will be
        return bool(held_by(self._connection, [master.id], [recurrence_id]))

    def _leave_out(
        self,
        lacking: Mapping[str, Occurrence],
        replies: Mapping[str, Answer],
        ended: Collection[Occurrence],
    ) -> None:
        """Remember the occurrences that an accepted series does without; they are shown, and hold nothing."""
        asked = {item.recurrence_id: item for item in self._asked.instances}
        for recurrence_id, occurrence in lacking.items():
            answer = replies.get(recurrence_id)
            silence = self._written.silence or (_OVER if occurrence in ended else _WITH_SERIES)
            values = {"recurrence_id": recurrence_id, "silence": "" if answer else silence}
            # One without a VEVENT of its own is as new as the series, or as the change of its rest.
            item = asked.get(recurrence_id, self._asked.instances[0])
            row_id = self._save(item, DECLINED, answer, values)
            clash = OccurrenceRow(occurrence.start, occurrence.end, recurrence_id, CLASH)
            replace_occurrences(self._connection, self._locked, row_id, None, [clash])

    def _places(self, decision: Decision) -> int:
        """How many bookings may share the time of this one (0: any number), by the rules it was accepted under."""
        if not self._policy.decline_conflict:
            return 0
        if not decision.overbooked:
            return self._policy.capacity
        before = [row.places for row in self._held.stored if row.state == ACCEPTED]
        return 0 if 0 in before else max([self._policy.capacity, *before])

    def _save_accepted(
        self, item: Instance, replies: Mapping[str, Answer], until: int | None, places: int
    ) -> int:
        answer = replies.get(item.recurrence_id)
        alone = answer or not replies
        values: dict[str, Any] = {} if alone else {"silence": _WITH_SERIES}
        if item.cancelled:
            return self._save(item, CANCELLED, answer, values)
        values |= {
            "recurring": item.recurring,
            "materialised_until": until if item.recurring else None,  # None: to its end
            "places": places,
        }
        return self._save(item, ACCEPTED, answer, values)

    def _prolong_series(self, until: int | None, places: int) -> int:
        """The row of the series that a change of its rest is about; it is held as far as the change was looked at."""
        master = self._held.find("")
        assert master is not None
        values = {"materialised_until": until, "places": places}
        return save_booking(self._connection, self._locked, master.id, values)

    def _save(
        self,
        item: Instance,
        state: str,
        answer: Answer | None,
        more: Mapping[str, Any] | None = None,
    ) -> int:
        asked = self._asked
        recurrence_id = (more or {}).get("recurrence_id", item.recurrence_id)
        stored = self._held.find(recurrence_id)
        values: dict[str, Any] = {
            "uid": item.uid,
            "recurrence_id": recurrence_id,
            "state": state,
            "sequence": item.sequence,
            "dtstamp": item.dtstamp,
            "seen_sequence": item.sequence,
            "seen_dtstamp": item.dtstamp,
            "organizer": item.organizer.address,
            "sender": "\n".join(asked.origin),
            "invited": asked.attendee.written if asked.attendee else "",
            "summary": kept_summary(item, self._policy),
            "recurring": False,
            "materialised_until": None,
            "source": self._written.source,
            "reply": answer.mail.content if answer else None,
            "reply_to": answer.mail.rcpt_to if answer else "",
            "reply_message_id": answer.mail.message_id if answer else "",
            "silence": "" if answer else self._written.silence,
            "places": 0,
            "report_due": False,
        } | dict(more or {})
        if stored is not None and stored.organizer == values["organizer"]:
            values["sender"] = stored.sender  # the pair of the first request stays
        existing = stored.id if stored and stored.id not in self._dropped else None
        return save_booking(self._connection, self._locked, existing, values)

    def _free_in_series(self, recurrence_ids: Sequence[str] | Mapping[str, int]) -> None:
        """Take the time of single instances from their series."""
        master = self._held.find("")
        if master is not None:
            for recurrence_id in recurrence_ids:
                drop_occurrence(self._connection, master.id, recurrence_id)

    def _renew_object(self, *, ranged: bool = True) -> int | None:
        uid = self._asked.meeting.uid
        zone = self._written.zone
        return renew_object(self._connection, self._locked, uid, zone, ranged=ranged)


def _instant(recurrence_id: str) -> int:
    return seconds_since_epoch(read_time(recurrence_id).wall)


def _standing(change: Change) -> set[str]:
    """The recurrence ids whose time is not the series' own."""
    fresh = {item.recurrence_id for item in change.fresh}
    return (fresh | own_ids(change.remaining)) - {""}
