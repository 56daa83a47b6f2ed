"""What every user store plugin can do.  Whoever asks knows this Protocol, never a plugin."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from userstore.model import Company, Entry, Group, Member, User


class UserStore(Protocol):
    """Answers who exists.  Safe to share between threads.

    Every method raises TemporaryError when the answer is not known; an empty answer is certain.
    """

    def by_name(self, name: str) -> Sequence[Member]:
        """Every user and group of that name, compared by mailcore.address.address_key, in whatever company."""
        ...

    def by_address(self, address: str) -> Sequence[Entry]:
        """Everyone with that address or alias, compared by mailcore.address.address_key.

        `@example.org` asks who gets the mail to that domain that is nobody's: who has an alias of that spelling.
        """
        ...

    def by_external_id(self, external_id: str) -> Member | None:
        """The user or group that this plugin knows under that id."""
        ...

    def users(self, company: str | None = None) -> Iterator[User]:
        """Every user and resource of a company, of no company for "", of all for None; by name, without case.

        Streamed: what is not taken yet is not in memory, and nothing is held open meanwhile.
        """
        ...

    def groups(self, company: str | None = None) -> Iterator[Group]:
        """Every group, as `users`."""
        ...

    def companies(self) -> Sequence[Company]:
        """Every company, by name."""
        ...

    def members(self, group: Group) -> Sequence[Member]:
        """The direct members of a group: users, then groups, each by name."""
        ...

    def groups_of(self, user: User) -> Sequence[Group]:
        """The groups a user is in, also through other groups, by name; a loop of groups is no trouble."""
        ...

    def groups_of_each(self, users: Sequence[User]) -> Mapping[str, Sequence[Group]]:
        """As `groups_of`, for some hundred users at once, by their external ids."""
        ...

    def senders_as(self, user: User) -> Sequence[User]:
        """Who may send mail as this user, by name."""
        ...

    def authenticate(self, name: str, password: str) -> User | None:
        """The user, when the password is right; a non-active user never is.

        `name` is a login name, with case, or `name@company`.  The time this takes does not tell whether there is
        such a user.
        """
        ...
