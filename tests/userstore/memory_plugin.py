"""A user store in memory, like LDAP: ids of its own, contacts, entries that share names and addresses, no editor."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mailcore.address import address_key
from userstore.model import Company, Contact, Entry, Group, Member, User


class MemoryUserStore:
    """A plugin (userstore.plugin.UserStore) over a list of entries; groups are given members by `put`."""

    def __init__(self, entries: Iterable[Entry] = (), companies: Iterable[str] = ()) -> None:
        self.entries = list(entries)
        self._companies = [Company(new_id(), name) for name in sorted(companies)]
        self._members: dict[str, list[Member]] = {}
        self.passwords: Mapping[str, str] = {}

    def put(self, group: Group, *members: Member) -> None:
        """Put users and groups into a group."""
        self._members.setdefault(group.external_id, []).extend(members)

    def by_name(self, name: str) -> Sequence[Member]:
        key = address_key(name)
        return [one for one in self._of((User, Group)) if address_key(one.name) == key]

    def by_address(self, address: str) -> Sequence[Entry]:
        key = address_key(address)
        return [one for one in self.entries if key in map(address_key, addresses_of(one))]

    def by_external_id(self, external_id: str) -> Member | None:
        return next((o for o in self._of((User, Group)) if o.external_id == external_id), None)

    def users(self, company: str | None = None) -> Iterator[User]:
        return (one for one in self._of(User) if company in {None, one.company})

    def groups(self, company: str | None = None) -> Iterator[Group]:
        return (one for one in self._of(Group) if company in {None, one.company})

    def companies(self) -> Sequence[Company]:
        return self._companies

    def members(self, group: Group) -> Sequence[Member]:
        return self._members.get(group.external_id, [])

    def groups_of(self, user: User) -> Sequence[Group]:
        around: list[Group] = []
        inner: list[Member] = [user]
        while inner:
            one = inner.pop()
            new = [g for g in self._of(Group) if one in self.members(g) and g not in around]
            around += new
            inner += new
        return sorted(around, key=lambda group: address_key(group.name))

    def groups_of_each(self, users: Sequence[User]) -> Mapping[str, Sequence[Group]]:
        return {user.external_id: self.groups_of(user) for user in users}

    def senders_as(self, user: User) -> Sequence[User]:
        return []

    def authenticate(self, name: str, password: str) -> User | None:
        found = [one for one in self._of(User) if one.name == name and one.active]
        return found[0] if found and self.passwords.get(name) == password else None

    def _of(self, kind: Any) -> list[Any]:
        found = [one for one in self.entries if isinstance(one, kind)]
        return sorted(found, key=lambda one: address_key(one.name))


def new_id() -> str:
    """An external id that nobody else has."""
    return f"ldap:{uuid.uuid4()}"


def addresses_of(entry: Entry) -> tuple[str, ...]:
    """Every address of an entry."""
    return (entry.address,) if isinstance(entry, Contact) else entry.addresses
