"""The words for who exists: users and resources, as any plugin describes them."""

from dataclasses import dataclass

ROOM = "room"
EQUIPMENT = "equipment"
RESOURCE_TYPES = (ROOM, EQUIPMENT)
FEATURES = ("imap", "pop3", "mobile", "outlook")


@dataclass(frozen=True, slots=True)
class User:
    """A user or a resource.

    `external_id` is the plugin's own name for it and never changes; `name` is the login name, with case.
    `address` is the primary address, `aliases` the others.  `resource_type` is '', 'room' or 'equipment'.
    `enabled_features` and `disabled_features` hold what was set for this user; see userstore.features.
    """

    external_id: str
    name: str
    fullname: str
    address: str
    aliases: tuple[str, ...] = ()
    active: bool = True
    admin_level: int = 0
    resource_type: str = ""
    capacity: int = 1
    enabled_features: frozenset[str] = frozenset()
    disabled_features: frozenset[str] = frozenset()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address of this user, the primary one first."""
        return (self.address, *self.aliases) if self.address else self.aliases

    @property
    def places(self) -> int:
        """How many bookings may hold an instant: a room's capacity is ignored (manual, 8.8.2)."""
        return self.capacity if self.resource_type == EQUIPMENT else 1
