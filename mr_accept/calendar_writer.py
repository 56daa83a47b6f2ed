"""Writing what was decided: lineages, the time they hold, and the calendar object, under the calendar's lock."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from mr_accept.asking import Asked
from mr_accept.booking_rows import Held, object_text, split_occurrences
from mr_accept.change import Change
from mr_accept.model import Instance, Occurrence
from mr_accept.replying import Answer
from store.bookings import ACCEPTED, CANCELLED, DECLINED, drop_bookings, load_lineages, save_booking
from store.calendar_objects import drop_object, save_object, save_range
from store.calendars import LockedCalendar
from store.occurrences import drop_occurrence, replace_occurrences


class CalendarWriter:
    """Writes one message's consequences; `held` are the lineages as they were when the lock was taken."""

    def __init__(
        self, connection: Connection, locked: LockedCalendar, asked: Asked, held: Held
    ) -> None:
        self._connection = connection
        self._locked = locked
        self._asked = asked
        self._held = held

    def accept(
        self,
        change: Change,
        occurrences: Sequence[Occurrence],
        answers: Sequence[Answer],
        until: int,
    ) -> None:
        """Book the fresh instances; a whole meeting replaces what was booked of it.

        `occurrences` are the fresh instances' own, for a whole meeting those of its remaining overrides too.
        """
        if change.whole:
            kept = set(change.recurrence_ids)
            gone = [row.id for row in self._held.stored if row.recurrence_id not in kept]
            drop_bookings(self._connection, gone)
        replies = {answer.recurrence_id: answer for answer in answers}
        ids = {i.recurrence_id: self._save_accepted(i, replies, until) for i in change.fresh}
        object_id = self._save_object()
        if not change.whole:
            self._free_in_series(ids)
        parts = split_occurrences(occurrences, set(change.recurrence_ids) - {""})
        for recurrence_id, row_id in ids.items():
            rows = parts[recurrence_id]
            replace_occurrences(self._connection, self._locked, row_id, object_id, rows)
        if object_id is not None:
            save_range(self._connection, object_id)

    def decline(self, change: Change, answers: Sequence[Answer]) -> None:
        """Remember what was declined; what is booked stays as it is."""
        replies = {answer.recurrence_id: answer for answer in answers}
        for item in change.fresh:
            stored = self._held.find(item.recurrence_id)
            if stored is not None and stored.state == ACCEPTED:
                seen = {"seen_sequence": item.sequence, "seen_dtstamp": item.dtstamp}
                save_booking(self._connection, self._locked, stored.id, seen)
            elif stored is not None or not item.recurrence_id or self._held.find("") is None:
                self._save(item, DECLINED, replies.get(item.recurrence_id))

    def cancel(self, instances: Sequence[Instance]) -> None:
        """Free instances, or the whole meeting; what was never booked is remembered as cancelled."""
        for item in instances:
            if item.recurrence_id:
                self._free_in_series([item.recurrence_id])
            else:
                others = [row.id for row in self._held.stored if row.recurrence_id]
                drop_bookings(self._connection, others)
            row_id = self._save(item, CANCELLED, None)
            replace_occurrences(self._connection, self._locked, row_id, None, ())
        object_id = self._save_object()
        if object_id is not None:
            save_range(self._connection, object_id)

    def _save_accepted(self, item: Instance, replies: Mapping[str, Answer], until: int) -> int:
        answer = replies.get(item.recurrence_id)
        if item.cancelled:
            return self._save(item, CANCELLED, answer)
        more = {
            "recurring": item.recurring,
            "materialised_until": until if item.recurring else None,
        }
        return self._save(item, ACCEPTED, answer, more)

    def _save(
        self,
        item: Instance,
        state: str,
        answer: Answer | None,
        more: Mapping[str, Any] | None = None,
    ) -> int:
        asked = self._asked
        stored = self._held.find(item.recurrence_id)
        values: dict[str, Any] = {
            "uid": item.uid,
            "recurrence_id": item.recurrence_id,
            "state": state,
            "sequence": item.sequence,
            "dtstamp": item.dtstamp,
            "seen_sequence": item.sequence,
            "seen_dtstamp": item.dtstamp,
            "organizer": item.organizer.address,
            "sender": "\n".join(asked.origin),
            "invited": asked.attendee.written if asked.attendee else "",
            "summary": item.summary,
            "recurring": False,
            "materialised_until": None,
            "source": asked.meeting.source,
            "reply": answer.mail.content if answer else None,
            "reply_to": answer.mail.rcpt_to if answer else "",
            "reply_message_id": answer.mail.message_id if answer else "",
        } | dict(more or {})
        if stored is not None and stored.organizer == values["organizer"]:
            del values["sender"]  # the pair of the first request stays
        existing = stored.id if stored else None
        return save_booking(self._connection, self._locked, existing, values)

    def _free_in_series(self, recurrence_ids: Sequence[str] | Mapping[str, int]) -> None:
        """Take the time of single instances from their series."""
        master = self._held.find("")
        if master is not None:
            for recurrence_id in recurrence_ids:
                drop_occurrence(self._connection, master.id, recurrence_id)

    def _save_object(self) -> int | None:
        """Write the object anew from the lineages that stand now; None when there are none."""
        uid = self._asked.meeting.uid
        rows = load_lineages(self._connection, self._locked.store_id, uid)
        text = object_text(rows)
        if text is not None:
            return save_object(self._connection, self._locked, uid, text)
        drop_object(self._connection, self._locked, uid)
        return None
