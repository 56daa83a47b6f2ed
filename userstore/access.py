"""Who may open what of somebody else's: the rights of a store, as the user store sees those who want in.

Rights go to users and to security groups, nested ones too.  An administrator of level 2 may do everything; one of
level 1 in every store of the own company or, where there are no companies, in every store.  Each decision about a
store that is not the user's own goes to the logger `audit` in the manual's words (7.3).
"""

import logging
from dataclasses import replace

from sqlalchemy import Connection, select

from mailcore.audit import AUDIT, audit_line
from store.engine import Database
from store.public import PUBLIC
from store.rights import Accessor, Right, rights_on
from store.schema import mailbox_store
from userstore.model import Group, User
from userstore.plugin import UserStore

audit = logging.getLogger(AUDIT)

_OF_EVERYTHING = 2
_OF_THE_COMPANY = 1
_STORE, _FOLDER = 3, 5  # the manual's types of objects; a calendar is a folder

_WORDS = {
    Right.READ: "read",
    Right.CREATE: "create",
    Right.EDIT: "edit",
    Right.DELETE: "delete",
    Right.CREATE_FOLDER: "create folder",
    Right.VISIBLE: "view",
    Right.OWNER: "folder permissions",
    Right.FREE_BUSY: "free/busy",
}


def accessor_of(plugin: UserStore, user: User) -> Accessor:
    """A user as store.rights knows it.  Raises TemporaryError when the user store cannot tell."""
    groups = {group.external_id for group in plugin.groups_of(user) if group.security}
    everything = user.admin_level >= _OF_EVERYTHING or (
        user.admin_level == _OF_THE_COMPANY and not plugin.companies()
    )
    return Accessor(user.external_id, frozenset({user.external_id, *groups}), everything)


def may(
    database: Database,
    plugin: UserStore,
    user: User,
    store_id: int,
    right: Right,
    *,
    folder_id: int | None = None,
    calendar_id: int | None = None,
) -> bool:
    """Whether a user has all of these rights on a folder, a calendar or a whole store; see rights_on.

    Raises TemporaryError when the database or the user store cannot tell.
    """
    accessor = accessor_of(plugin, user)
    with database.read() as connection:
        owner_id, owner_name = _owner_of(connection, store_id)
    if user.admin_level == _OF_THE_COMPANY and not accessor.everything:
        same = _company_of(plugin, owner_id) == user.company
        accessor = replace(accessor, everything=same)
    with database.read() as connection:
        found = rights_on(connection, accessor, store_id, folder_id, calendar_id)
    allowed = found & right == right
    if owner_id != user.external_id:
        object_id = folder_id or calendar_id
        fields: dict[str, str | int] = {
            "objectid": object_id or store_id,
            "type": _FOLDER if object_id else _STORE,
            "ownername": owner_name,
            "username": user.name,
            "rights": ", ".join(word for one, word in _WORDS.items() if one & right),
        }
        audit.info("%s", audit_line(f"access {'allowed' if allowed else 'denied'}", fields))
    return allowed


def _owner_of(connection: Connection, store_id: int) -> tuple[str, str]:
    """The external id and the name of a store's owner; empty where it has none."""
    query = select(mailbox_store.c.external_id, mailbox_store.c.owner_name)
    row = connection.execute(query.where(mailbox_store.c.id == store_id)).first()
    return ("", "") if row is None else (row.external_id or "", row.owner_name)


def _company_of(plugin: UserStore, owner_id: str) -> str | None:
    """The name of the company that a store is in, "" for none; None for a store without an owner."""
    kind, _, company_id = owner_id.partition(":")
    if kind == PUBLIC:
        names = {company.external_id: company.name for company in plugin.companies()}
        return names.get(company_id) if company_id else ""
    owner = plugin.by_external_id(owner_id) if owner_id else None
    return None if owner is None or isinstance(owner, Group) else owner.company
