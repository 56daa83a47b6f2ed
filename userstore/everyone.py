"""Everyone: the group that is always there, and has every user of its company as a member (manual, 8.3.6).

No plugin knows it, and nobody can change it, delete it or write to it: it has no address.  With companies there is
one for each and, first, the one of those who are in none.
"""

from collections.abc import Iterator, Mapping, Sequence

from mailcore.address import address_key
from userstore.model import Company, Entry, Group, Member, User
from userstore.plugin import UserStore

EVERYONE = "everyone"
"""Its external id, with `:` and a company's external id behind it for a company's."""

RESERVED_NAMES = frozenset({EVERYONE, "system"})
"""What no user or group can be called, as address_key writes it."""


def everyone_of(company: Company | None = None) -> Group:
    """Everyone in a company, or who is in none.

    >>> everyone_of(Company("dbcompany:7", "acme")).external_id
    'everyone:dbcompany:7'
    """
    if company is None:
        return Group(EVERYONE, "Everyone")
    return Group(f"{EVERYONE}:{company.external_id}", "Everyone", company=company.name)


def is_everyone(external_id: str) -> bool:
    """Whether this is the external id of a company's Everyone, or of the one without a company."""
    return external_id.partition(":")[0] == EVERYONE


class WithEveryone:
    """A user store as everybody knows it: what the plugin says, and Everyone (userstore.plugin.UserStore)."""

    def __init__(self, plugin: UserStore) -> None:
        self._plugin = plugin

    def by_name(self, name: str) -> Sequence[Member]:
        """See UserStore."""
        found = self._plugin.by_name(name)
        return [*found, *self._everyones()] if address_key(name) == EVERYONE else found

    def by_address(self, address: str) -> Sequence[Entry]:
        """See UserStore."""
        return self._plugin.by_address(address)

    def by_external_id(self, external_id: str) -> Member | None:
        """See UserStore."""
        if not is_everyone(external_id):
            return self._plugin.by_external_id(external_id)
        return next((one for one in self._everyones() if one.external_id == external_id), None)

    def users(self, company: str | None = None) -> Iterator[User]:
        """See UserStore."""
        return self._plugin.users(company)

    def groups(self, company: str | None = None) -> Iterator[Group]:
        """See UserStore; Everyone comes first."""
        for everyone in self._everyones():
            if company is None or address_key(everyone.company) == address_key(company):
                yield everyone
        yield from self._plugin.groups(company)

    def companies(self) -> Sequence[Company]:
        """See UserStore."""
        return self._plugin.companies()

    def members(self, group: Group) -> Sequence[Member]:
        """See UserStore; of Everyone that is every user, and `users` gives them one by one."""
        if is_everyone(group.external_id):
            return list(self._plugin.users(group.company))
        return self._plugin.members(group)

    def groups_of(self, user: User) -> Sequence[Group]:
        """See UserStore; Everyone comes first."""
        return self.groups_of_each([user])[user.external_id]

    def groups_of_each(self, users: Sequence[User]) -> Mapping[str, Sequence[Group]]:
        """See UserStore; Everyone comes first."""
        around = self._plugin.groups_of_each(users)
        everyones = {
            company: self._everyone_around(company) for company in {u.company for u in users}
        }
        return {u.external_id: [*everyones[u.company], *around[u.external_id]] for u in users}

    def senders_as(self, user: User) -> Sequence[User]:
        """See UserStore."""
        return self._plugin.senders_as(user)

    def authenticate(self, name: str, password: str) -> User | None:
        """See UserStore."""
        return self._plugin.authenticate(name, password)

    def _everyones(self) -> list[Group]:
        return [everyone_of(), *(everyone_of(company) for company in self._plugin.companies())]

    def _everyone_around(self, company: str) -> list[Group]:
        if not company:
            return [everyone_of()]
        return [one for one in self._everyones() if one.company == company]
