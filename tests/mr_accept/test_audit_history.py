"""Whatever comes, the audit finds nothing wrong afterwards, and a rebuild changes nothing."""

from collections.abc import Mapping
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mr_accept.audit import audit
from mr_accept.upkeep import rebuild_occurrences
from store.booking_policies import save_policy_values
from tests.support.booking_desk import Desk, Room
from tests.support.meetings import at, event

RULES = (
    "",
    "FREQ=DAILY;COUNT=4",
    "FREQ=DAILY;COUNT=4",
    "FREQ=DAILY;INTERVAL=2;UNTIL=20990101T000000Z",
)
POLICIES: tuple[Mapping[str, str], ...] = (
    {},
    {"max_conflicts": "2"},
    {"max_conflict_percent": "80", "partial_reply": "separate", "on_failed_update": "release"},
)


class Step(NamedTuple):
    """A message about a meeting: the whole of it, one of its days, or all from a day on."""

    uid: str
    method: str
    part: str
    day: int
    hour: int
    minutes: int
    rule: str
    sequence: int


STEPS = st.builds(
    Step,
    st.sampled_from("ab"),
    st.sampled_from(("REQUEST", "REQUEST", "REQUEST", "CANCEL")),
    st.sampled_from(("whole", "whole", "with day", "day", "onwards")),
    st.integers(0, 3),
    st.integers(9, 11),
    st.sampled_from((0, 60, 90)),
    st.sampled_from(RULES),
    st.integers(0, 4),
)


def send(room: Room, step: Step) -> None:
    """Settle the message; the series of a UID always begins at nine on the Monday."""
    attendees = (room.address,)
    named = at(9, day=step.day)
    moved = at(step.hour, day=step.day)
    part = event(
        step.uid,
        moved,
        step.minutes,
        attendees=attendees,
        sequence=step.sequence,
        recurrence_id=named,
    )
    if step.part == "onwards":
        part = part.replace("RECURRENCE-ID:", "RECURRENCE-ID;RANGE=THISANDFUTURE:")
    start = at(9) if step.rule else at(step.hour)
    whole = event(
        step.uid,
        start,
        step.minutes,
        attendees=attendees,
        sequence=step.sequence,
        rrule=step.rule,
    )
    blocks = {"whole": [whole], "with day": [whole, part]}.get(step.part, [part])
    room.ask_together(*blocks, method=step.method)


@settings(
    max_examples=20,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(STEPS, min_size=1, max_size=8), st.sampled_from(POLICIES), st.sampled_from((0, 2)))
def test_nothing_is_ever_wrong(
    desk: Desk, steps: list[Step], policy: Mapping[str, str], capacity: int
) -> None:
    room = desk.room(capacity=capacity)
    with desk.database.write() as connection:
        save_policy_values(connection, room.store_id, policy)
    for step in steps:
        send(room, step)
    assert audit(desk.database, room.recipient, desk.settings) == []
    before = room.slots()
    rebuild_occurrences(desk.database, room.recipient, desk.settings)
    assert room.slots() == before
