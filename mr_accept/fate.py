"""What becomes of a meeting message, as tables of pure functions.

| message for a resource | fate |
|---|---|
| REQUEST, new or newer (SEQUENCE, then DTSTAMP, per lineage) | decided: accepted or declined |
| REQUEST equal to what is booked | repeated: the stored reply goes out once more |
| REQUEST older than what is known, or than a cancellation | stale: nothing |
| CANCEL of a known booking | freed |
| CANCEL of an unknown one | tombstone: a late REQUEST must not book again |
| REQUEST for what has ended already | past: nothing |
| either one from somebody not tied to the organizer | not obeyed |
| all else | ordinary mail |
| one that temporary trouble kept from a decision until the deadline | gave up: ordinary mail |
| one on which the booker itself broke | failed: ordinary mail |

A lineage is one UID and RECURRENCE-ID (RFC 5546 section 2.1.5 orders its messages).

Whether somebody is tied to the organizer is told by the addresses of the mail alone, which anybody can write.  With
`vouched` the caller says what the own MX found out about the sender: False, that it could not authenticate the domain
of From; True, that it could; None, that nobody was asked.
"""

import enum
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import NamedTuple

from mailcore.address import address_key
from mailcore.inside import domain_of
from mr_accept.model import CalendarUser

KnownAs = Callable[[str], frozenset[str]]
"""From a folded address to all folded addresses of the same person, that one included."""


UNTIED = "no reply: nothing ties the sender to the organizer"
UNVOUCHED = "no reply: the sender's domain could not be authenticated"
UNPROVEN = frozenset({UNTIED, UNVOUCHED})
"""Why a request of anybody had no reply; such a booking does not keep its organizer out."""


def only_itself(address: str) -> frozenset[str]:
    """For whoever knows nobody: each address is a person."""
    return frozenset({address})


class Fate(enum.Enum):
    """The end of a job; the values are stored."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    REPEATED = "repeated"
    STALE = "stale"
    FREED = "freed"
    TOMBSTONE = "tombstone"
    PAST = "past"
    NOT_OBEYED = "not_obeyed"
    ORDINARY = "ordinary"
    GAVE_UP = "gave_up"
    FAILED = "failed"


class Order(enum.Enum):
    """How a message stands to what is known about its lineage."""

    NEW = "new"
    NEWER = "newer"
    EQUAL = "equal"
    OLDER = "older"


class Known(NamedTuple):
    """What is stored of a lineage: (SEQUENCE, DTSTAMP in epoch seconds), and if it is cancelled."""

    version: tuple[int, int]
    cancelled: bool = False


class Origin(NamedTuple):
    """Who sent a mail, by its header; an address is empty where the field is missing."""

    from_: str
    sender: str = ""

    def folded(self) -> "Origin":
        """The same with addresses in the form in which they are compared."""
        return Origin(address_key(self.from_), address_key(self.sender))


class StoredOrganizer(NamedTuple):
    """The ORGANIZER (folded address) of a booking, and who sent its first request."""

    address: str
    origin: Origin


def compare(stored: Known | None, version: tuple[int, int]) -> Order:
    """Tell how a message of that (SEQUENCE, DTSTAMP) stands to what is stored."""
    if stored is None:
        return Order.NEW
    if version == stored.version:
        return Order.EQUAL
    return Order.NEWER if version > stored.version else Order.OLDER


def is_later(version: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether something about one lineage was said after something about another of the same meeting.

    DTSTAMP tells, and SEQUENCE where that is equal: some programs count the SEQUENCEs of instances and of their series
    apart.

    >>> is_later((0, 20), (3, 10)), is_later((1, 10), (0, 10))
    (True, True)
    """
    return (version[1], version[0]) > (other[1], other[0])


def known_of(own: Known | None, master: Known | None) -> Known | None:
    """Return what is known about one instance of a series, given its own row and the master's.

    A cancelled master covers the instances too, unless one of them was renewed after it.
    """
    if master is None or not master.cancelled:
        return own
    return own if own is not None and is_later(own.version, master.version) else master


def fate_of_request(stored: Known | None, version: tuple[int, int]) -> Fate | None:
    """Return the fate of a REQUEST that is obeyed, or None where it has to be decided."""
    order = compare(stored, version)
    if order is Order.OLDER:
        return Fate.STALE
    if order is Order.EQUAL:
        return Fate.STALE if stored is not None and stored.cancelled else Fate.REPEATED
    return None


def fate_of_cancel(stored: Known | None, version: tuple[int, int]) -> Fate:
    """Return the fate of a CANCEL that is obeyed.

    One with the SEQUENCE and DTSTAMP of the booking itself counts: some programs raise neither.
    """
    order = compare(stored, version)
    if order is Order.NEW:
        return Fate.TOMBSTONE
    return Fate.STALE if order is Order.OLDER else Fate.FREED


def organizer_obeyed(
    organizer: CalendarUser,
    origin: Origin,
    stored: StoredOrganizer | None,
    *,
    known_as: KnownAs = only_itself,
    vouched: bool | None = None,
) -> bool:
    """Whether a mail may change a booking.

    Its ORGANIZER has to be the stored one; and From or Sender has to be the organizer or its
    SENT-BY, or both the same as those of the first request.  Without a booking there is nothing to
    protect.
    """
    if stored is None:
        return True
    if vouched is False or not _same(organizer.address, stored.address, known_as):
        return False
    if any(origin) and origin.folded() == stored.origin.folded():
        return True
    return _tied(*_proven(organizer, origin, vouched), known_as)


def strictly_obeyed(
    organizer: CalendarUser,
    origin: Origin,
    stored: StoredOrganizer | None,
    *,
    known_as: KnownAs = only_itself,
    vouched: bool | None = None,
) -> bool:
    """Whether a request that leaves the resource out may free its booking.

    As `organizer_obeyed`, but there has to be a booking, and it is not enough that the mail has come from where the
    first request did: a system that sends for everybody also sends copies to people who are not invited.
    """
    if stored is None or vouched is False:
        return False
    same = _same(organizer.address, stored.address, known_as)
    return same and _tied(*_proven(organizer, origin, vouched), known_as)


def reply_allowed(
    organizer: CalendarUser,
    origin: Origin,
    own: Collection[str] = (),
    *,
    known_as: KnownAs = only_itself,
    delegator: str = "",
    vouched: bool | None = None,
) -> bool:
    """Whether an automatic reply to the organizer may go out.

    Not where nothing ties the sender to the ORGANIZER, who may never have heard of the mail, and
    not to one of the resource's `own` addresses (folded).  Whoever sends the resource in their own stead, the
    `delegator` (folded; see mr_accept.asking), is tied by that.
    """
    if vouched is False or organizer.address in own:
        return False
    return _tied(organizer, origin, known_as, delegator)


def _proven(
    organizer: CalendarUser, origin: Origin, vouched: bool | None
) -> tuple[CalendarUser, Origin]:
    """What the MX has vouched for: From alone; and a SENT-BY, which the mail itself states, in the organizer's domain.

    Otherwise whoever has a domain of their own could name themselves as SENT-BY.
    """
    if not vouched:
        return organizer, origin
    same = domain_of(organizer.sent_by) == domain_of(organizer.address)
    proven = organizer if same else replace(organizer, sent_by="")
    return proven, Origin(origin.from_)


def _tied(organizer: CalendarUser, origin: Origin, known_as: KnownAs, delegator: str = "") -> bool:
    """Whether From or Sender is one of those who may speak for the meeting."""
    entitled = {organizer.address, organizer.sent_by, delegator} - {""}
    senders = set(origin.folded()) - {""}
    if not entitled.isdisjoint(senders):
        return True
    return bool(senders) and any(not senders.isdisjoint(known_as(one)) for one in sorted(entitled))


def _same(one: str, other: str, known_as: KnownAs) -> bool:
    return one == other or one in known_as(other)
