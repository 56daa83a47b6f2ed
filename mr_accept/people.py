"""Who asks: the people of the directory behind the addresses of one meeting message.

Two addresses of one user are the same person; who is not in the directory is the address alone.  A catch-all makes
nobody the same as its owner.  The entries of a policy's lists are addresses, `@domain`, and names and addresses of
users and of groups, also of groups around groups; a plain name means somebody of the resource's own company.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from mailcore.address import address_key
from mailcore.errors import RecipientRefusedError
from mailcore.inside import domain_of, inside_of, read_domains
from mailcore.settings import Settings
from mr_accept.decision import Standing
from mr_accept.policy import BookingPolicy
from userstore.model import Group, User
from userstore.resolve import Directory, NoMailboxYetError, Recipient


@dataclass(frozen=True, slots=True)
class _Person:
    """An address, all addresses of the same person (folded, that one included), and the user where there is one."""

    addresses: frozenset[str]
    user: User | None = None


class People:
    """What the directory says about the addresses of one message; each is looked up once.

    To be made anew for every message, and used by one thread.  Every method raises TemporaryError where the
    directory's answer is not known.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._persons: dict[str, _Person] = {}
        self._groups: dict[str, frozenset[str]] = {}

    def known_as(self, address: str) -> frozenset[str]:
        """All addresses, folded, of the person who has this one, that one included."""
        return self._person(address).addresses

    def standing_of(self, organizer: str, policy: BookingPolicy, recipient: Recipient) -> Standing:
        """What the organizer (an address) may do with the resource."""
        if self._listed(organizer, policy.book_out_of_policy, recipient):
            return Standing.FREE
        everybody = not policy.book_in_policy
        if everybody or self._listed(organizer, policy.book_in_policy, recipient):
            return Standing.ALLOWED
        return Standing.NOBODY

    def is_external(
        self, organizer: str, policy: BookingPolicy, recipient: Recipient, settings: Settings
    ) -> bool:
        """Whether the organizer (an address) is an outsider to the resource, and in neither list of its policy.

        Inside are the domains of the settings, else those of the resource itself (see mailcore.inside).
        """
        domains = read_domains(settings.delivery.internal_domains)
        inside = inside_of(recipient.user.addresses, domains)
        if any(domain_of(address) in inside for address in self.known_as(organizer)):
            return False
        entries = (*policy.book_in_policy, *policy.book_out_of_policy)
        return not self._listed(organizer, entries, recipient)

    def _listed(self, address: str, entries: Iterable[str], recipient: Recipient) -> bool:
        """Whether one of the entries means whoever has this address."""
        wanted = {address_key(entry.strip()) for entry in entries} - {"", "@"}
        if not wanted:
            return False
        person = self._person(address)
        domains = {f"@{domain_of(one)}" for one in person.addresses}
        if not wanted.isdisjoint(person.addresses | domains):
            return True
        if person.user is None:
            return False
        company = recipient.user.company
        return not wanted.isdisjoint(_names(person.user, company)) or not wanted.isdisjoint(
            self._groups_around(person.user, company)
        )

    def _groups_around(self, user: User, company: str) -> frozenset[str]:
        """Every entry that means a group around this user."""
        known = self._groups.get(user.external_id)
        if known is None:
            around = self._directory.plugin.groups_of(user)
            known = frozenset(
                name
                for group in around
                for name in (*_names(group, company), *map(address_key, group.addresses))
            )
            self._groups[user.external_id] = known
        return known

    def _person(self, address: str) -> _Person:
        key = address_key(address)
        person = self._persons.get(key)
        if person is None:
            person = self._persons[key] = self._found(key)
        return person

    def _found(self, key: str) -> _Person:
        alone = _Person(frozenset({key}))
        if "@" not in key.strip("@"):
            return alone
        user, detail = self._user(key)
        if user is None:
            return alone
        own = {address_key(address) for address in user.addresses}
        caught = f"@{domain_of(key)}" in own and key not in own and not detail
        if caught:
            return alone
        return _Person(frozenset({key, *(one for one in own if not one.startswith("@"))}), user)

    def _user(self, key: str) -> tuple[User | None, str]:
        """The user behind an address, whether or not there is a mailbox, and the detail in the address."""
        try:
            recipient = self._directory.resolve(key)
        except NoMailboxYetError:
            found = self._directory.plugin.by_address(key)
            users = [one for one in found if isinstance(one, User)]
            return (users[0] if len(users) == 1 else None), ""
        except RecipientRefusedError:
            return None, ""
        return recipient.user, recipient.detail


def _names(one: User | Group, company: str) -> tuple[str, ...]:
    """How an entry names a user or a group, folded: by its name alone within a company, else with it."""
    name = address_key(one.name)
    qualified = (f"{name}@{address_key(one.company)}",) if one.company else ()
    same = address_key(one.company) == address_key(company)
    return (name, *qualified) if same else qualified
