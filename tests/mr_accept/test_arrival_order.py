"""Messages of one organizer, whose SEQUENCE and DTSTAMP grow: their order of arrival does not matter."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from mr_accept.audit import audit
from tests.support.booking_desk import Desk, Room
from tests.support.meetings import at, basic, event

_MOST = 4


class Act(NamedTuple):
    """What the organizer does with the series, with one of its days, or with all from a day on."""

    what: str
    day: int = 0
    hour: int = 9


class Mail(NamedTuple):
    """One message: its method and VEVENTs."""

    method: str
    events: tuple[str, ...]


ACTS = st.builds(
    Act,
    st.sampled_from(("whole", "whole", "move", "drop", "drop on", "cancel")),
    st.integers(0, 3),
    st.integers(9, 11),
)


class Organizer:
    """Writes the messages; one about the series repeats the overrides that stand, and EXDATEs what was dropped."""

    def __init__(self, room: Room) -> None:
        self._attendees = (room.address,)
        self._moved: dict[int, int] = {}
        self._dropped: set[int] = set()

    def messages(self, acts: Sequence[Act]) -> Iterator[Mail]:
        """One for each act."""
        for sequence, act in enumerate(acts):
            yield self._mail(act, sequence)

    def _mail(self, act: Act, sequence: int) -> Mail:
        part = self._part(act.day, act.hour, sequence)
        if act.what == "move":
            self._moved[act.day] = act.hour
            self._dropped.discard(act.day)
            return Mail("REQUEST", (part,))
        if act.what == "drop":
            self._moved.pop(act.day, None)
            self._dropped.add(act.day)
            return Mail("CANCEL", (part,))
        if act.what == "drop on":
            onwards = part.replace("RECURRENCE-ID:", "RECURRENCE-ID;RANGE=THISANDFUTURE:")
            return Mail("CANCEL", (onwards,))
        if act.what == "cancel":
            self._moved.clear()
            self._dropped.clear()
            return Mail("CANCEL", (self._series(sequence),))
        moved = (self._part(day, hour, sequence) for day, hour in sorted(self._moved.items()))
        return Mail("REQUEST", (self._series(sequence), *moved))

    def _part(self, day: int, hour: int, sequence: int) -> str:
        return event(
            "a",
            at(hour, day=day),
            attendees=self._attendees,
            recurrence_id=at(9, day=day),
            sequence=sequence,
        )

    def _series(self, sequence: int) -> str:
        return event(
            "a",
            at(9),
            attendees=self._attendees,
            rrule="FREQ=DAILY;COUNT=4",
            sequence=sequence,
            extra=[f"EXDATE:{basic(at(9, day=day))}" for day in sorted(self._dropped)],
        )


def sensible(acts: Sequence[Act]) -> list[Act]:
    """The acts after an invitation; what was cancelled is asked for as a whole first."""
    done = [Act("whole")]
    for act in acts:
        again = done[-1].what == "cancel" and act.what != "cancel"
        done.append(Act("whole") if again else act)
    return done


@settings(
    max_examples=30,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example([Act("move"), Act("whole"), Act("move", hour=10)], [0, 1, 3, 2, 4])
@example([Act("cancel"), Act("whole"), Act("move", hour=10)], [0, 3, 1, 2, 4])
@given(st.lists(ACTS, min_size=1, max_size=_MOST), st.permutations(range(_MOST + 1)))
def test_the_order_of_arrival_does_not_matter(
    desk: Desk, acts: list[Act], order: list[int]
) -> None:
    done = sensible(acts)
    orders = [range(len(done)), [number for number in order if number < len(done)]]
    held = []
    for numbers in orders:
        room = desk.room(mr_decline_conflict=False)
        written = list(Organizer(room).messages(done))
        for number in numbers:
            room.ask_together(*written[number].events, method=written[number].method)
        assert audit(desk.database, room.recipient, desk.settings) == []
        held.append([start for _, start in room.held()])
    assert held[0] == held[1]
