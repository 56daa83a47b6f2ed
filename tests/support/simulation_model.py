"""A slow model of the booker: what has to become of each message, given the order in which they were settled.

Whether a request fits is worked out here too, as far ahead as every resource holds its series in any case.  Whether a
request breaks a rule of the resource is not: there the model takes the booker's word, as long as there is such a rule.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from tests.support.simulation_calendar import (
    ACCEPTED,
    CANCELLED,
    DECLINED,
    KEPT,
    Diary,
    Row,
    Rows,
    Slot,
    covers,
    is_later,
    slots_of,
)
from tests.support.simulation_fates import (
    DECIDED,
    FREED,
    NOT_OBEYED,
    ORDINARY,
    PAST,
    REPEATED,
    STALE,
    Change,
    cancel_fate,
    change_of,
    given_up,
    is_late_addition,
    is_newer,
    obeyed,
    request_fate,
    tied,
)
from tests.support.simulation_site import Resource
from tests.support.simulation_words import ADD, CANCEL, REQUEST, Event, Message

_BUSY = {"the resource is already booked at that time", "its own occurrences overlap"}


class Settled(NamedTuple):
    """What the booker made of a message, at an instant in epoch seconds."""

    message: Message
    fate: str
    reason: str
    at: int


class Expected(NamedTuple):
    """What the model makes of it: the fate (DECIDED stands for both decisions), and what is decided."""

    fate: str
    decided: tuple[Event, ...] = ()
    lacking: tuple[Slot, ...] = ()
    wrong: str = ""


class Model:
    """One resource; `until`, in epoch seconds, is as far ahead as it is certain to hold its series."""

    def __init__(self, resource: Resource, until: int) -> None:
        self.resource = resource
        self.meetings: dict[str, Rows] = defaultdict(dict)
        self.diary = Diary()
        self._until = until

    def settle(self, one: Settled) -> Expected:
        """Follow what became of a message."""
        message = one.message
        rows = self.meetings[message.uid]
        before = dict(rows)
        expected = self._settle(one)
        if expected.fate in (NOT_OBEYED, ORDINARY):  # then nothing is given up for it either
            rows.clear()
            rows.update(before)
        self.diary.hold(message.uid, slots_of(rows, self.resource.zone, self._until))
        return expected

    def _settle(self, one: Settled) -> Expected:
        message, rows = one.message, self.meetings[one.message.uid]
        if message.method == CANCEL:
            return self._cancel(message, rows)
        if message.method == REQUEST and self.resource.address not in message.attendees:
            return self._left_out(message, rows)
        return self._request(one, rows)

    # -- what frees

    def _cancel(self, message: Message, rows: Rows) -> Expected:
        frees = self._give_up(message, rows)
        if not (obeyed(message, rows) if rows else tied(message)):
            return Expected(NOT_OBEYED)
        fates = {event: cancel_fate(event, rows) for event in message.events}
        freed = [event for event, fate in fates.items() if fate != STALE]
        self._free(message, rows, freed)
        fate = fates[freed[0]] if freed else STALE
        return Expected(FREED if frees else fate)

    def _left_out(self, message: Message, rows: Rows) -> Expected:
        frees = self._give_up(message, rows)
        newer = [event for event in message.events if is_newer(event, rows)]
        if not tied(message) or not (frees or (newer and _booked(rows))):
            return Expected(ORDINARY)
        self._free(message, rows, sorted(newer, key=lambda event: event.name))
        return Expected(FREED)

    @staticmethod
    def _give_up(message: Message, rows: Rows) -> bool:
        """Forget what strangers have asked for; tell whether that held anything."""
        gone = [rows.pop(name) for name in given_up(message, rows)]
        return any(row.state == ACCEPTED for row in gone)

    def _free(
        self, message: Message, rows: Rows, events: Sequence[Event], state: str = CANCELLED
    ) -> None:
        """Give up instances, and what an event speaks for besides, unless that was renewed later."""
        known = dict(rows)
        for event in events:
            for name, row in known.items():
                covered = bool(name) if not event.name else covers(event.name, name)
                if covered and not is_later(row.version, event.version):
                    rows.pop(name, None)
            before = known.get(event.name)
            left = CANCELLED if event.onwards else state
            sender = before.sender if before else message.from_
            rows[event.name] = Row(left, event.version, sender, tied(message))

    # -- what asks

    def _request(self, one: Settled, rows: Rows) -> Expected:
        message = one.message
        if self._give_up(message, rows):
            self.diary.hold(message.uid, slots_of(rows, self.resource.zone, self._until))
        if message.method == ADD and not _booked(rows):
            return Expected(ORDINARY)
        gone = all(row.state == CANCELLED for row in rows.values())
        if not gone and not obeyed(message, rows):
            return Expected(NOT_OBEYED)
        if is_late_addition(message, rows):
            return Expected(STALE)
        events = sorted(message.events, key=lambda event: event.name)
        fates = [request_fate(event, rows) for event in events]
        if DECIDED not in fates:
            return Expected(REPEATED if REPEATED in fates else STALE)
        fresh = [event for event, fate in zip(events, fates, strict=True) if fate == DECIDED]
        change = change_of(events, fresh, rows)
        master = change.remaining.get("")
        if change.onwards and not change.whole and (master is None or master.state != ACCEPTED):
            return Expected(ORDINARY)
        return self._decide(one, rows, change)

    def _decide(self, one: Settled, rows: Rows, change: Change) -> Expected:
        message, home = one.message, self.resource.zone
        fresh: Rows = {
            event.name: self._row(ACCEPTED, message, rows, event, event) for event in change.fresh
        }
        after = {**change.remaining, **fresh}
        held = self.diary.held(message.uid)
        far = self._until + 400 * 86_400
        if change.whole or change.onwards:
            wanted, own, beside = slots_of(after, home, far), held, []
        else:
            wanted = slots_of(fresh, home, far)
            own = [slot for slot in held if slot.name in fresh]
            standing = slots_of(change.remaining, home, far)
            beside = [slot for slot in standing if slot.name not in fresh]
        last = max((slot.name for slot in wanted), default="")
        if any(event.onwards and last < event.name[:-1] for event in change.fresh):
            return Expected(ORDINARY)  # the series has no occurrence from there on
        if self._is_over(wanted, own, one.at):
            return Expected(PAST)
        lacking = self._lacking(message.uid, wanted, own, beside)
        lacked = {row.lacked for row in rows.values() if change.whole or change.onwards}
        wrong = self._judge(one, wanted, lacking, lacked)
        if one.fate == ACCEPTED:
            told = tuple(slot for slot in lacking if slot.end > one.at)
            self._accept(message, rows, after, lacking)
            return Expected(DECIDED, change.fresh, told, wrong)
        self._decline(message, rows, change, bool(own))
        return Expected(DECIDED, change.fresh, (), wrong)

    def _is_over(self, wanted: Sequence[Slot], own: Sequence[Slot], now: int) -> bool:
        """Whether it is ignored because it has ended, and gives back nothing that is still to come."""
        ignored = self.resource.policy.get("past_requests", "ignore") == "ignore"
        over = bool(wanted) and all(slot.end <= now for slot in (*wanted, *own))
        return ignored and over

    def _lacking(
        self, uid: str, wanted: Sequence[Slot], own: Sequence[Slot], beside: Sequence[Slot]
    ) -> tuple[Slot, ...]:
        """What does not fit of what asks for more than is held, each tried beside those that fitted before it."""
        places = self.resource.places
        if not places:
            return ()
        spans = sorted(own)
        more = []
        fitted = list(beside)
        for slot in wanted:
            within = [one for one in spans if one.start <= slot.start][-1:]
            if within and within[0].end >= slot.end:
                spans.remove(within[0])
                fitted.append(slot)
            else:
                more.append(slot)
        lacking = []
        for slot in more:
            if slot.start < self._until and self.diary.use(slot, uid, fitted) >= places:
                lacking.append(slot)
            else:
                fitted.append(slot)
        return tuple(lacking)

    def _judge(
        self,
        one: Settled,
        wanted: Sequence[Slot],
        lacking: Sequence[Slot],
        lacked: Collection[Slot | None],
    ) -> str:
        """What is wrong with the booker's decision; nothing can be said where the series goes on past `until`."""
        resource, policy = self.resource, self.resource.policy
        reasons = {reason for reason in one.reason.split("; ") if not reason.startswith("no reply")}
        if one.fate == DECLINED and not reasons & _BUSY:
            return (
                ""
                if policy or resource.mailbox or reasons == {"beyond the booking window"}
                else "no such rule"
            )
        live = [slot for slot in wanted if slot.end > one.at]
        series = len(wanted) > 1 or any(event.rule or event.onwards for event in one.message.events)
        clashes = [slot for slot in lacking if not series or not live or slot.end > one.at]
        new = [slot for slot in clashes if slot not in lacked]
        of = len(live or wanted)
        part = series and len(clashes) < of
        fits = not clashes or (part and (not new or _bearable(len(clashes), of, policy)))
        if any(slot.start >= self._until for slot in wanted):
            return "it cannot be accepted" if new and not policy and one.fate == ACCEPTED else ""
        if fits is not (one.fate == ACCEPTED):
            return "it fits" if fits else "it does not fit"
        return ""

    def _accept(self, message: Message, rows: Rows, after: Rows, lacking: Sequence[Slot]) -> None:
        events = sorted(message.events, key=lambda event: event.name)
        asked = {event.name: event for event in events}
        left_out = {}
        for slot in lacking:
            version = asked.get(slot.name, events[0]).version
            before = rows.get(slot.name)
            sender = before.sender if before else message.from_
            left_out[slot.name] = Row(DECLINED, version, sender, tied(message), lacked=slot)
        rows.clear()
        rows.update({**after, **left_out})

    def _decline(self, message: Message, rows: Rows, change: Change, holds: bool) -> None:
        if holds and self.resource.policy.get("on_failed_update") == "release":
            self._free(message, rows, change.fresh, DECLINED)
            return
        names = {slot.name for slot in self.diary.held(message.uid)}
        for event in change.fresh:
            before = rows.get(event.name)
            if before is not None and before.state == ACCEPTED:
                rows[event.name] = replace(before, version=event.version)
                continue
            master = rows.get("")
            series = master is not None and master.state == ACCEPTED and bool(event.name)
            state = KEPT if series and (event.onwards or event.name in names) else DECLINED
            rows[event.name] = self._row(state, message, rows, event)

    @staticmethod
    def _row(
        state: str, message: Message, rows: Rows, event: Event, held: Event | None = None
    ) -> Row:
        before = rows.get(event.name)
        sender = before.sender if before else message.from_
        return Row(state, event.version, sender, tied(message), held)


def _booked(rows: Rows) -> bool:
    return any(row.state == ACCEPTED for row in rows.values())


def _bearable(clashes: int, of: int, policy: Mapping[str, str]) -> bool:
    most, percent = policy.get("max_conflicts"), policy.get("max_conflict_percent")
    if most is None and percent is None:
        return False
    return (most is None or clashes <= int(most)) and (
        percent is None or clashes * 100 <= int(percent) * of
    )
