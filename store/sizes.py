"""The size of a store: what its mails weigh, in octets; deleted mails and those in deleted folders do not count.

Whoever changes that changes the size in the same transaction.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, func, select, update

from store.schema import folder, mailbox_entry, mailbox_store


def recount(connection: Connection, store_id: int) -> int:
    """The octets in a store, counted mail by mail: what its row should say."""
    query = (
        select(func.coalesce(func.sum(mailbox_entry.c.size), 0))
        .join(folder, folder.c.id == mailbox_entry.c.folder_id)
        .where(
            folder.c.store_id == store_id,
            folder.c.deleted_at.is_(None),
            mailbox_entry.c.deleted_at.is_(None),
        )
    )
    return int(connection.execute(query).scalar_one())


def octets_in(connection: Connection, folder_ids: Iterable[int]) -> int:
    """The octets of the mails in some folders that are not deleted themselves."""
    query = select(func.coalesce(func.sum(mailbox_entry.c.size), 0)).where(
        mailbox_entry.c.folder_id.in_(list(folder_ids)), mailbox_entry.c.deleted_at.is_(None)
    )
    return int(connection.execute(query).scalar_one())


def count_mails(connection: Connection, store_id: int) -> dict[int, tuple[int, int]]:
    """(mails, octets) of each folder of a store that has mails which are not deleted."""
    query = (
        select(folder.c.id, func.count(), func.sum(mailbox_entry.c.size))
        .join(mailbox_entry, folder.c.id == mailbox_entry.c.folder_id)
        .where(folder.c.store_id == store_id, mailbox_entry.c.deleted_at.is_(None))
        .group_by(folder.c.id)
    )
    return {row[0]: (row[1], int(row[2])) for row in connection.execute(query)}


def grow_stores(connection: Connection, growth: Mapping[int, int]) -> None:
    """Raise the change number of stores, and their size by so many octets (less, where negative).

    The last statement of a change: stores are locked in ascending id, after the folders.
    """
    for store_id in sorted(growth):
        connection.execute(
            update(mailbox_store)
            .where(mailbox_store.c.id == store_id)
            .values(
                change_number=mailbox_store.c.change_number + 1,
                size=mailbox_store.c.size + growth[store_id],
            )
        )
