"""A history of what organizers want, and what strangers try: messages in the order in which they are written.

Pure: the same seed gives the same history.  Each organizer's programs behave as programs do: a new time raises
SEQUENCE, a new title only DTSTAMP, a message about a series repeats its overrides and leaves out what was cancelled.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import islice

from tests.support.simulation_meeting import Meeting
from tests.support.simulation_words import ADD, CANCEL, REQUEST, Event, Message, Rule, When

ZONES = ("UTC", "Europe/Berlin", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "")
ORGANIZERS = 200
STRANGERS = 30
_DAY = 1440  # minutes


class Historian:
    """Writes messages; all are sent `today`, and most meetings begin within so many `days`."""

    def __init__(
        self, rng: random.Random, resources: Sequence[str], today: date, days: int
    ) -> None:
        self._rng = rng
        self._resources = resources
        self._today = datetime.combine(today, time())
        self._days = days
        self._alive: list[Meeting] = []
        self._gone: list[Meeting] = []
        self._number = 0
        self._meetings = 0

    def write(self, count: int) -> list[Message]:
        """So many messages."""
        messages: list[Message] = []
        while len(messages) < count:
            messages += self._next()
        return messages[:count]

    def _next(self) -> list[Message]:
        if len(self._alive) < 10 or self._rng.random() < 0.42:
            return [self._invite()]
        meeting = self._rng.choice(
            self._alive[-self._rng.choice((20, 400)) :]
        )  # many think again soon
        acts, weights = zip(*_ACTS, strict=True)
        (act,) = self._rng.choices(acts, weights)
        return list(act(self, meeting))

    # -- new meetings

    def _invite(self) -> Message:
        if self._gone and self._rng.random() < 0.05:
            meeting = self._gone.pop(self._rng.randrange(len(self._gone)))
            meeting.sequence += 1
        else:
            meeting = self._new()
        self._alive.append(meeting)
        return self._say(meeting, REQUEST, meeting.events(self._stamp()))

    def _new(self) -> Meeting:
        rng = self._rng
        self._meetings += 1
        person = rng.randrange(ORGANIZERS)
        zone = rng.choice(ZONES)
        return Meeting(
            uid=f"meeting-{self._meetings}@example.net",
            organizer=f"person{person}@example.net",
            sent_by=f"assistant{person}@example.net" if person % 10 == 0 else "",
            resources=rng.sample(self._resources, 2 if rng.random() < 0.12 else 1),
            start=self._time(zone),
            minutes=_DAY if not zone else rng.choice((30, 30, 45, 60, 60, 90, 120)),
            rule=self._rule(zone) if rng.random() < 0.4 else None,
        )

    def _time(self, zone: str) -> When:
        rng = self._rng
        over = rng.random() < 0.02
        days = -rng.randint(3, 9) if over else rng.randint(2, self._days)
        day = self._today + timedelta(days=days)
        if day.day > 28:
            day -= timedelta(days=3)
        if not zone:
            return When(day, "")
        return When(
            day + timedelta(hours=rng.randint(7, 17), minutes=rng.choice((0, 0, 15, 30))), zone
        )

    def _rule(self, zone: str) -> Rule:
        rng = self._rng
        frequency = rng.choice(("DAILY", "WEEKLY", "WEEKLY", "MONTHLY"))
        interval = rng.choice((1, 1, 2, 3))
        if not zone:
            interval += 1
        bound = rng.random()
        if bound < 0.7:
            return Rule(frequency, interval, count=rng.randint(2, 12))
        if bound < 0.9:
            return Rule(
                frequency,
                interval,
                until=(self._today + timedelta(days=rng.randint(80, 120))).date(),
            )
        return Rule(frequency, interval)

    # -- what organizers do

    def _retitle(self, meeting: Meeting) -> list[Message]:
        if meeting.split:
            return self._reschedule(meeting)
        meeting.title = self._rng.choice(("Planning", "Review", "Stand-up"))
        return [self._say(meeting, REQUEST, meeting.events(self._stamp()))]

    def _reschedule(self, meeting: Meeting) -> list[Message]:
        rng = self._rng
        meeting.sequence += 1
        meeting.split = False
        meeting.overrides.clear()
        meeting.excluded.clear()
        if rng.random() < 0.5 and 6 < meeting.start.wall.hour < 19:
            meeting.start = meeting.start.later(minutes=rng.choice((-30, 15, 30, 60)))
        else:
            meeting.start = self._time(meeting.start.zone)
        if meeting.start.zone and rng.random() < 0.2:
            meeting.minutes = rng.choice((30, 60, 90))
        if meeting.rule is not None and rng.random() < 0.3:
            meeting.rule = self._rule(meeting.start.zone)
        return [self._say(meeting, REQUEST, meeting.events(self._stamp()))]

    def _override(self, meeting: Meeting) -> list[Message]:
        instance = self._some_instance(meeting)
        if instance is None:
            return self._retitle(meeting)
        event = self._moved(meeting, instance)
        if not meeting.split:
            meeting.overrides[instance] = event
        return [self._say(meeting, REQUEST, [event])]

    def _onwards(self, meeting: Meeting) -> list[Message]:
        instance = self._some_instance(meeting)
        if instance is None:
            return self._reschedule(meeting)
        meeting.split = True
        event = replace(self._moved(meeting, instance), onwards=True)
        return [self._say(meeting, REQUEST, [event])]

    def _cancel_one(self, meeting: Meeting) -> list[Message]:
        instance = self._some_instance(meeting)
        if instance is None:
            return self._cancel(meeting)
        meeting.overrides.pop(instance, None)
        meeting.excluded.append(instance)
        return [self._say(meeting, CANCEL, [meeting.without(instance, self._stamp())])]

    def _cancel_onwards(self, meeting: Meeting) -> list[Message]:
        instance = self._some_instance(meeting)
        if instance is None:
            return self._cancel(meeting)
        meeting.split = True
        event = replace(meeting.without(instance, self._stamp()), onwards=True)
        return [self._say(meeting, CANCEL, [event])]

    def _cancel(self, meeting: Meeting) -> list[Message]:
        self._forget(meeting)
        meeting.overrides.clear()
        meeting.excluded.clear()
        meeting.split = False
        meeting.sequence += self._rng.random() < 0.8
        event = replace(meeting.events(self._stamp())[0], rule=None)
        if event.sequence == (meeting.last.events[0].sequence if meeting.last else -1):
            last = meeting.last.events[0] if meeting.last else event
            if not last.name and self._rng.random() < 0.5:
                event = replace(event, stamp=last.stamp)  # as programs do that raise neither
        return [self._say(meeting, CANCEL, [event])]

    def _add(self, meeting: Meeting) -> list[Message]:
        if meeting.rule is None:
            return self._retitle(meeting)
        meeting.split = True
        meeting.sequence += 1
        start = self._time(meeting.start.zone)
        event = Event(
            start, meeting.minutes, meeting.sequence, self._stamp(), meeting.title, instance=start
        )
        return [self._say(meeting, ADD, [event])]

    def _leave_out(self, meeting: Meeting) -> list[Message]:
        if meeting.split:
            return self._reschedule(meeting)
        before = list(meeting.resources)
        left = meeting.resources.pop(self._rng.randrange(len(before)))
        if not meeting.resources and self._rng.random() < 0.6:
            others = [one for one in self._resources if one != left]
            meeting.resources.append(self._rng.choice(others))
        meeting.sequence += self._rng.random() < 0.5
        told = [*dict.fromkeys([*before, *meeting.resources])]
        if not meeting.resources:
            self._forget(meeting)
        message = self._say(meeting, REQUEST, meeting.events(self._stamp()), told)
        if not meeting.resources:
            meeting.resources.append(left)  # should it come back
        return [message]

    def _repeat(self, meeting: Meeting) -> list[Message]:
        """The same invitation once more, in a mail of its own."""
        assert meeting.last is not None
        return [replace(meeting.last, number=self._next_number())]

    # -- what others do

    def _forge(self, meeting: Meeting) -> list[Message]:
        """A cancellation or a new time in the organizer's name, from somebody else's address."""
        rng, event = self._rng, meeting.events(self._stamp())[0]
        event = replace(event, sequence=event.sequence + 5, stamp=self._stamp(), summary="Forged")
        if rng.random() < 0.4:
            moved = event.start.later(hours=1) if event.start.zone else event.start
            return [self._strange(meeting, REQUEST, [replace(event, start=moved, excluded=())])]
        return [self._strange(meeting, CANCEL, [replace(event, rule=None)])]

    def _forward(self, meeting: Meeting) -> list[Message]:
        """A copy of the last message by somebody who got it: to the same resources, or to one that is not invited."""
        assert meeting.last is not None
        copy = replace(meeting.last, number=self._next_number(), from_=self._stranger())
        others = [one for one in self._resources if one not in meeting.last.attendees]
        if self._rng.random() < 0.7:
            copy = replace(copy, recipients=(self._rng.choice(others),))
        return [copy]

    # -- parts of messages

    def _some_instance(self, meeting: Meeting) -> When | None:
        """One of the first occurrences of a series by its rule, of those that have not been cancelled."""
        if meeting.rule is None:
            return None
        last = self._today + timedelta(days=90)
        starts = islice(meeting.rule.starts(meeting.start.wall, last), 7)
        there = [meeting.start._replace(wall=one) for one in starts]
        there = [one for one in there if one not in meeting.excluded]
        return self._rng.choice(there) if there else None

    def _moved(self, meeting: Meeting, instance: When) -> Event:
        rng = self._rng
        if instance.zone:
            start = instance.later(minutes=rng.choice((-60, -30, 30, 60, 120, 1440)))
        else:
            start = instance.later(days=rng.choice((0, 1)))
        minutes = meeting.minutes if not instance.zone else rng.choice((30, 60, meeting.minutes))
        before = meeting.overrides.get(instance)
        sequence = max(meeting.sequence, before.sequence if before else 0) + (rng.random() < 0.7)
        return Event(start, minutes, sequence, self._stamp(), meeting.title, instance=instance)

    def _say(
        self, meeting: Meeting, method: str, events: Sequence[Event], told: Sequence[str] = ()
    ) -> Message:
        recipients = tuple(told or meeting.resources)
        message = meeting.message(self._next_number(), method, events, recipients, meeting.sender)
        meeting.last = message
        return message

    def _strange(self, meeting: Meeting, method: str, events: Sequence[Event]) -> Message:
        to = tuple(meeting.resources)
        return meeting.message(self._next_number(), method, events, to, self._stranger())

    def _stamp(self) -> int:
        """The DTSTAMP of what goes into the next message."""
        return self._number + 1

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    def _stranger(self) -> str:
        return f"stranger{self._rng.randrange(STRANGERS)}@example.com"

    def _forget(self, meeting: Meeting) -> None:
        self._alive.remove(meeting)
        self._gone.append(meeting)


_ACTS: tuple[tuple[Callable[[Historian, Meeting], Sequence[Message]], int], ...] = (
    (Historian._retitle, 10),
    (Historian._reschedule, 20),
    (Historian._override, 14),
    (Historian._onwards, 4),
    (Historian._cancel_one, 9),
    (Historian._cancel_onwards, 4),
    (Historian._cancel, 20),
    (Historian._add, 3),
    (Historian._leave_out, 5),
    (Historian._repeat, 4),
    (Historian._forge, 5),
    (Historian._forward, 5),
)


def write_history(seed: int, count: int, resources: Sequence[str], today: date) -> list[Message]:
    """So many messages about bookings of these resources, which are named by their addresses.

    The fewer there are, the closer together are the meetings, so that they meet.
    """
    days = max(10, min(70, count // 120))
    return Historian(random.Random(seed), resources, today, days).write(count)
