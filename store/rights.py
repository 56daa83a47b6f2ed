"""Rights: what others may do with a store, its folders and its calendars (manual, 8.1 and 8.4.6).

A place that has a list of rights of its own is ruled by it alone; one without takes that of the place around it: a
folder that of its parent, and so on up to the store.  The owner of a store may do everything in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntFlag

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from mailcore.errors import UsageError
from store.counters import raise_counter
from store.schema import calendar, folder, mailbox_store, permission

EVERYONE = "everyone"
"""The subject that stands for all users, or with `:` and a company's external id behind it, for those of it."""


class Right(IntFlag):
    """What a subject may do; `OWNER` is to change the rights of others, `VISIBLE` to see that a folder is there."""

    READ = 1
    CREATE = 2
    EDIT = 4
    DELETE = 8
    CREATE_FOLDER = 16
    VISIBLE = 32
    OWNER = 64
    FREE_BUSY = 128


ALL = Right(255)
NOTHING = Right(0)


@dataclass(frozen=True, slots=True)
class Accessor:
    """Who wants in: a user, and the subjects that a right may be given to for this user to have it.

    With `everything` no list of rights matters: an administrator.
    """

    external_id: str
    subjects: frozenset[str]
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Granted:
    """One line of a list of rights; without folder and calendar it is the store's."""

    subject: str
    rights: Right
    folder_id: int | None = None
    calendar_id: int | None = None


def grant(
    connection: Connection,
    store_id: int,
    subject: str,
    rights: Right,
    folder_id: int | None = None,
    calendar_id: int | None = None,
) -> None:
    """Give a subject these rights, and no others, on a folder, a calendar or a whole store; 0 takes its line away.

    Raises UsageError when the place is not in that store.
    """
    raise_counter(connection, "directory")  # one change at a time, and caches hear of it
    if not _exists(connection, store_id, folder_id, calendar_id):
        raise UsageError(
            f"folder {folder_id}, calendar {calendar_id}: not in mailbox {store_id};"
            " name a folder or a calendar of that mailbox"
        )
    place = {"folder_id": folder_id, "calendar_id": calendar_id}
    mine = permission.c.subject == subject
    connection.execute(delete(permission).where(_at(store_id, **place), mine))
    if rights:
        row = {"store_id": store_id, **place, "subject": subject, "rights": int(rights)}
        connection.execute(insert(permission), [row])


def list_rights(connection: Connection, store_id: int) -> list[Granted]:
    """Every line of every list in a store: the store's, then those of folders and calendars, by subject."""
    query = select(permission).where(permission.c.store_id == store_id)
    found = [
        Granted(row.subject, Right(row.rights), row.folder_id, row.calendar_id)
        for row in connection.execute(query)
    ]
    return sorted(found, key=lambda one: (one.folder_id or 0, one.calendar_id or 0, one.subject))


def rights_on(
    connection: Connection,
    accessor: Accessor,
    store_id: int,
    folder_id: int | None = None,
    calendar_id: int | None = None,
) -> Right:
    """What somebody may do with a folder, a calendar or, where neither is named, a whole store.

    In a store, folder or calendar that is not there, or deleted, nobody may do anything.
    """
    owner = connection.execute(
        select(mailbox_store.c.external_id).where(
            mailbox_store.c.id == store_id, mailbox_store.c.deleted_at.is_(None)
        )
    ).first()
    if owner is None or not _exists(connection, store_id, folder_id, calendar_id):
        return NOTHING
    if accessor.everything or owner.external_id == accessor.external_id:
        return ALL
    for place in _places(connection, store_id, folder_id, calendar_id):
        query = select(permission.c.subject, permission.c.rights).where(place)
        lines = connection.execute(query).all()
        if lines:
            return _union(row.rights for row in lines if row.subject in accessor.subjects)
    return NOTHING


def _places(
    connection: Connection, store_id: int, folder_id: int | None, calendar_id: int | None
) -> list[ColumnElement[bool]]:
    """The place and those around it, the nearest first."""
    places = []
    if calendar_id is not None:
        places.append(_at(store_id, calendar_id=calendar_id))
    if folder_id is not None:
        query = select(folder.c.id, folder.c.parent_id).where(folder.c.store_id == store_id)
        parents = {row.id: row.parent_id for row in connection.execute(query)}
        above: int | None = folder_id
        while above is not None:
            places.append(_at(store_id, folder_id=above))
            above = parents.pop(above, None)
    return [*places, _at(store_id)]


def _at(
    store_id: int, folder_id: int | None = None, calendar_id: int | None = None
) -> ColumnElement[bool]:
    """The condition that a line is of this very place."""
    return (
        (permission.c.store_id == store_id)
        & permission.c.folder_id.is_not_distinct_from(folder_id)
        & permission.c.calendar_id.is_not_distinct_from(calendar_id)
    )


def _exists(
    connection: Connection, store_id: int, folder_id: int | None, calendar_id: int | None
) -> bool:
    """Whether the folder and the calendar, where they are named, are in that store and not deleted."""
    wanted = []
    if folder_id is not None:
        wanted.append(
            select(folder.c.id).where(
                folder.c.id == folder_id,
                folder.c.store_id == store_id,
                folder.c.deleted_at.is_(None),
            )
        )
    if calendar_id is not None:
        mine = (calendar.c.id == calendar_id, calendar.c.store_id == store_id)
        wanted.append(select(calendar.c.id).where(*mine))
    return all(connection.execute(query).first() is not None for query in wanted)


def _union(rights: Iterable[int]) -> Right:
    found = NOTHING
    for one in rights:
        found |= Right(one)
    return found
