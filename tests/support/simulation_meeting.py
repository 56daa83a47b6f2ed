"""A meeting as its organizer's program keeps it, and what that says about it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.simulation_words import Event, Message, Rule, When


@dataclass(eq=False)
class Meeting:
    """A meeting as its organizer has it now; `split` once its series is no longer one rule with overrides."""

    uid: str
    organizer: str
    sent_by: str
    resources: list[str]
    start: When
    minutes: int
    rule: Rule | None
    sequence: int = 0
    title: str = "Planning"
    overrides: dict[When, Event] = field(default_factory=dict)
    excluded: list[When] = field(default_factory=list)
    split: bool = False
    last: Message | None = None

    @property
    def sender(self) -> str:
        """Whose hand the organizer's mails are from."""
        return self.sent_by or self.organizer

    def events(self, stamp: int) -> list[Event]:
        """All of it: the series with what it leaves out, and its overrides."""
        left_out = tuple(self.excluded)
        master = Event(
            self.start, self.minutes, self.sequence, stamp, self.title, self.rule, left_out
        )
        return [master, *self.overrides.values()]

    def without(self, instance: When, stamp: int) -> Event:
        """One instance that is cancelled."""
        sequence = self.sequence + 1
        return Event(instance, self.minutes, sequence, stamp, self.title, instance=instance)

    def message(
        self,
        number: int,
        method: str,
        events: Sequence[Event],
        recipients: tuple[str, ...],
        from_: str,
    ) -> Message:
        """A message about it."""
        return Message(
            number=number,
            copy=0,
            uid=self.uid,
            method=method,
            organizer=self.organizer,
            sent_by=self.sent_by,
            from_=from_,
            recipients=recipients,
            attendees=tuple(self.resources),
            events=tuple(events),
        )
