"""What every user store plugin can do.  Whoever asks knows this Protocol, never a plugin."""

from collections.abc import Sequence
from typing import Protocol

from userstore.model import User


class UserStore(Protocol):
    """Answers who exists.

    Every method raises TemporaryError when the answer is not known; "does not exist" is None, and is certain.
    """

    def by_name(self, name: str) -> User | None:
        """The user of that login name (with case)."""
        ...

    def by_address(self, address: str) -> User | None:
        """The user with that address or alias, however it is spelt (mailcore.address.address_key)."""
        ...

    def by_external_id(self, external_id: str) -> User | None:
        """The user whom this plugin knows under that id."""
        ...

    def users(self) -> Sequence[User]:
        """Every user and resource, by name."""
        ...

    def authenticate(self, name: str, password: str) -> User | None:
        """The user, when the password is right; a non-active user never is."""
        ...
