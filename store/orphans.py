"""Stores without an owner, and how they get one or go (manual, 8.2.3).

A store loses its owner with its user, or to another store that is hooked in its place; nothing in it is lost by that.
Mail that was acknowledged before still gets there: a job of the booker falls back to the Inbox, and the outbox leaves
as it would have.  A removed store is kept until store.purge takes it, and can be hooked until then.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from mailcore.errors import UsageError
from store.folders import PURGING
from store.jobs import PENDING
from store.mailboxes import create_mailbox, load_mailbox, orphan_mailbox, touch_directory
from store.public import PUBLIC
from store.rights import EVERYONE
from store.schema import folder, job, mailbox_entry, mailbox_store


@dataclass(frozen=True, slots=True)
class Orphan:
    """A store without an owner; `owner_name` is who had it last.

    `modified_at` is the date of its newest mail, or of its creation (epoch seconds), `size` in octets.  A `deleted`
    one goes when the time of deleted items is over.
    """

    guid: str
    owner_name: str
    modified_at: float
    size: int
    deleted: bool
    public: bool


def list_orphans(connection: Connection) -> Iterator[Orphan]:
    """The stores that nobody owns, by the name of who had them."""
    newest = (
        select(func.max(mailbox_entry.c.internal_date))
        .join(folder, folder.c.id == mailbox_entry.c.folder_id)
        .where(folder.c.store_id == mailbox_store.c.id)
        .scalar_subquery()
    )
    query = (
        select(mailbox_store, newest.label("newest"))
        .where(
            mailbox_store.c.external_id.is_(None),
            mailbox_store.c.deleted_at.is_distinct_from(PURGING),
        )
        .order_by(mailbox_store.c.owner_name, mailbox_store.c.id)
    )
    for row in connection.execute(query):
        yield Orphan(
            guid=row.guid,
            owner_name=row.owner_name,
            modified_at=row.created_at if row.newest is None else row.newest,
            size=row.size,
            deleted=row.deleted_at is not None,
            public=row.kind == PUBLIC,
        )


def create_store(
    connection: Connection, external_id: str, owner_name: str, everyone: str = EVERYONE
) -> int:
    """Make the store of a user who has none; return its id.  Raises UsageError when there is one."""
    touch_directory(connection)
    if load_mailbox(connection, external_id) is not None:
        raise UsageError(f"{owner_name} has a store already; --unhook-store takes it away")
    return create_mailbox(connection, external_id, owner_name, everyone)


def hook_store(connection: Connection, guid: str, external_id: str, owner_name: str) -> None:
    """Give an orphan to a user or, with an external id of store.public, make it the public store.

    The store that was in its place becomes an orphan; a removed one is as it was before.  Raises UsageError.
    """
    found = _locked_orphan(connection, guid, external_id)
    wants_public = external_id.startswith(f"{PUBLIC}:")
    if wants_public != (found.kind == PUBLIC):
        is_a = "a public store" if found.kind == PUBLIC else "the store of a user"
        raise UsageError(f"store {guid} is {is_a}; --list-orphans shows which is which")
    orphan_mailbox(connection, external_id)
    connection.execute(
        update(mailbox_store)
        .where(mailbox_store.c.id == found.id)
        .values(external_id=external_id, owner_name=owner_name, deleted_at=None)
    )


def unhook_store(connection: Connection, external_id: str) -> str:
    """Take a store from its owner and return its GUID; raises UsageError when there is none."""
    touch_directory(connection)
    query = select(mailbox_store.c.guid).where(mailbox_store.c.external_id == external_id)
    guid = connection.execute(query).scalar()
    if guid is None:
        raise UsageError("there is no store to unhook; --list-orphans shows users without one")
    orphan_mailbox(connection, external_id)
    return str(guid)


def remove_store(connection: Connection, guid: str, now: float) -> None:
    """Delete an orphan for a while; `now` in epoch seconds.

    Raises UsageError for a store that has an owner, that is removed already, or that the booker still has mail for.
    """
    found = _locked_orphan(connection, guid)
    if found.deleted_at is not None:
        raise UsageError(f"store {guid} is removed already; --purge-softdelete ends it")
    waiting = connection.execute(
        select(func.count()).where(job.c.store_id == found.id, job.c.state == PENDING)
    ).scalar_one()
    if waiting:
        raise UsageError(
            f"store {guid} still gets mail from {waiting} unfinished jobs (--list-jobs):"
            " try again when they are done"
        )
    connection.execute(
        update(mailbox_store).where(mailbox_store.c.id == found.id).values(deleted_at=now)
    )


def _locked_orphan(connection: Connection, guid: str, external_id: str = "") -> Row[Any]:
    """A store that nobody owns, held until the transaction ends, as is the one that `external_id` has now.

    Whoever commits mail or a job to a store ends with a change of its row: what came before is seen, the rest waits.
    """
    touch_directory(connection)
    query = (
        select(mailbox_store)
        .where(
            (mailbox_store.c.guid == guid.upper()) | (mailbox_store.c.external_id == external_id)
        )
        .order_by(mailbox_store.c.id)
        .with_for_update(key_share=True)
    )
    locked = {row.guid: row for row in connection.execute(query)}
    found = locked.get(guid.upper())
    if found is None:
        raise UsageError(f"there is no store {guid}; --list-orphans shows those without an owner")
    if found.external_id is not None:
        raise UsageError(f"store {guid} belongs to {found.owner_name}; --unhook-store first")
    if found.deleted_at == PURGING:
        raise UsageError(f"store {guid} is being purged and cannot be brought back")
    return found
