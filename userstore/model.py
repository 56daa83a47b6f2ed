"""The words for who exists: users, groups, contacts and companies, as any plugin describes them."""

from dataclasses import dataclass

ROOM = "room"
EQUIPMENT = "equipment"
RESOURCE_TYPES = (ROOM, EQUIPMENT)
FEATURES = ("imap", "pop3", "mobile", "outlook")


@dataclass(frozen=True, slots=True)
class Quota:
    """How large a mailbox may grow, in octets; 0 is no limit.

    From `warn` on its owner is warned, from `soft` on nothing can be sent, and `hard` is never passed (manual, 8.3).
    """

    warn: int = 0
    soft: int = 0
    hard: int = 0


NO_QUOTA = Quota()


@dataclass(frozen=True, slots=True)
class User:
    """A user or a resource.

    `external_id` is the plugin's own name for it and never changes; `name` is the login name, with case.
    `address` is the primary address, `aliases` the others.  `resource_type` is '', 'room' or 'equipment'.
    `enabled_features` and `disabled_features` hold what was set for this user; see userstore.features.
    `company` is a company's name, or empty; `hidden` users are not in the address book; `quota` is None where the
    default of the settings counts.
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
    company: str = ""
    hidden: bool = False
    quota: Quota | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address of this user, the primary one first."""
        return (self.address, *self.aliases) if self.address else self.aliases

    @property
    def places(self) -> int:
        """How many bookings may hold an instant: a room's capacity is ignored (manual, 8.8.2)."""
        return self.capacity if self.resource_type == EQUIPMENT else 1


@dataclass(frozen=True, slots=True)
class Group:
    """A group of users and groups; the fields are as a user's.

    Rights are given to security groups only; the others just distribute mail.
    """

    external_id: str
    name: str
    address: str = ""
    aliases: tuple[str, ...] = ()
    security: bool = True
    hidden: bool = False
    company: str = ""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address of this group, the primary one first."""
        return (self.address, *self.aliases) if self.address else self.aliases


@dataclass(frozen=True, slots=True)
class Contact:
    """Someone elsewhere who is in the address book, and has no mailbox here."""

    external_id: str
    name: str
    fullname: str
    address: str


@dataclass(frozen=True, slots=True)
class Company:
    """A company, which has users and groups of its own."""

    external_id: str
    name: str


Member = User | Group
"""Who can be in a group."""

Entry = User | Group | Contact
"""Whom an address can belong to."""
