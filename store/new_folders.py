"""Folders that a filing asks for: found by their path or made, in the transaction of the mail."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, func, select

from store.batch import Mail
from store.mailboxes import create_folder, touch_directory
from store.plan import Filing, NewFolder
from store.schema import folder


def with_folders(connection: Connection, mails: Sequence[Mail]) -> Sequence[Mail]:
    """The same mails with every folder an id."""
    if not any(isinstance(f.folder_id, NewFolder) for mail in mails for f in mail.filings):
        return mails
    return [
        replace(mail, filings=tuple(_placed(connection, filing) for filing in mail.filings))
        for mail in mails
    ]


def _placed(connection: Connection, filing: Filing) -> Filing:
    wanted = filing.folder_id
    if isinstance(wanted, int):
        return filing
    return replace(filing, folder_id=folder_at(connection, wanted.store_id, wanted.path))


def folder_at(connection: Connection, store_id: int, path: str) -> int:
    """The folder at a path, made with its parents where it is missing."""
    parent: int | None = None
    for name in path.split("/"):
        query = select(folder.c.id).where(
            folder.c.store_id == store_id,
            func.coalesce(folder.c.parent_id, 0) == (parent or 0),
            folder.c.name == name,
            folder.c.deleted_at.is_(None),
        )
        found = connection.execute(query).scalar()
        if found is None:
            found = create_folder(connection, store_id, name, parent_id=parent)
            touch_directory(connection)
        parent = found
    assert parent is not None
    return parent
