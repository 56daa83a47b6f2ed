"""How users, groups and companies are changed, by the plugins that can.

Everything takes the caller's connection, so that a user and its mailbox appear together.  UsageError is raised
before anything is changed.  Ids are external ids.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy import Connection

from userstore.model import Company, Group, User


class Editor(Protocol):
    """Changes who exists.

    Names are given once in a company, over users and groups; addresses once over everything.  `company` is a name.

    `values` of a user: name, fullname, password (plain), address, add_aliases, remove_aliases, admin_level, active,
    hidden, resource_type, capacity, enable and disable (features), quota (None: the default of the settings).
    `values` of a group: name, address (may be empty), add_aliases, remove_aliases, hidden, security.
    An alias `@example.org` gets all mail to that domain that is nobody's.
    """

    def create_user(
        self, connection: Connection, name: str, values: Mapping[str, Any], company: str = ""
    ) -> User:
        """Make a user; the mailbox is the caller's to make."""
        ...

    def update_user(
        self, connection: Connection, external_id: str, values: Mapping[str, Any]
    ) -> User:
        """Change what `values` names, and return the user as it is now."""
        ...

    def delete_user(self, connection: Connection, external_id: str) -> None:
        """Forget a user, its memberships and rights; the mailbox is the caller's to orphan."""
        ...

    def create_group(
        self, connection: Connection, name: str, values: Mapping[str, Any], company: str = ""
    ) -> Group:
        """Make a group without members."""
        ...

    def update_group(
        self, connection: Connection, external_id: str, values: Mapping[str, Any]
    ) -> Group:
        """Change what `values` names, and return the group as it is now."""
        ...

    def delete_group(self, connection: Connection, external_id: str) -> None:
        """Forget a group, its memberships and rights; its members stay."""
        ...

    def add_member(self, connection: Connection, group_id: str, member_id: str) -> None:
        """Put a user or a group into a group."""
        ...

    def remove_member(self, connection: Connection, group_id: str, member_id: str) -> None:
        """Take a direct member out of a group."""
        ...

    def add_send_as(self, connection: Connection, user_id: str, delegate_id: str) -> None:
        """Let the delegate send mail as the user."""
        ...

    def remove_send_as(self, connection: Connection, user_id: str, delegate_id: str) -> None:
        """Take that away again."""
        ...

    def create_company(self, connection: Connection, name: str) -> Company:
        """Make a company without users; the public store is the caller's to make."""
        ...

    def rename_company(self, connection: Connection, external_id: str, name: str) -> Company:
        """Give a company another name, and return it as it is now."""
        ...

    def delete_company(self, connection: Connection, external_id: str) -> None:
        """Forget a company that has neither users nor groups, and the rights of its Everyone."""
        ...
