"""The tree of folders in a store: making, renaming, moving, deleting for a while, and bringing back.

Every change begins by raising the directory's version, which locks it: the trees change one after the other, and
every cache of paths hears of it.  Folders are locked next, in ascending id, then the store.  A folder with a special
use (Inbox, Sent Items, ...) keeps its name and place.  A deleted folder is kept, with all in it, until store.purge
takes it; all that was deleted together has the same time, and comes back together.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from mailcore.errors import UsageError
from store.mailboxes import create_folder, folder_paths, touch_directory
from store.schema import clean_text, folder
from store.sizes import count_mails, grow_stores, octets_in

LONGEST_NAME = 200  # characters
PURGING = 0.0
"""The time of deletion of a folder or store that store.purge has begun with: it does not come back."""

# Unicode's categories of control characters, lone surrogates, and separators of lines and paragraphs.
_FORBIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class ListedFolder:
    """A folder in a listing of the tree; `depth` is 0 at the top, `size` in octets without deleted mails."""

    id: int
    parent_id: int | None
    path: str
    name: str
    depth: int
    special_use: str
    mails: int
    size: int


@dataclass(frozen=True, slots=True)
class DeletedFolder:
    """A folder that was deleted on its own, with what was below it; `deleted_at` in epoch seconds."""

    id: int
    path: str
    deleted_at: float


def add_folder(
    connection: Connection, store_id: int, name: str, parent_id: int | None = None
) -> int:
    """Make a folder below another one, or at the top; return its id.  Raises UsageError."""
    touch_directory(connection)
    tree = _Tree(connection, store_id)
    _check_name(name)
    if parent_id is not None and parent_id not in tree.living:
        raise UsageError(f"folder {name!r}: there is no folder {parent_id} here to make it in")
    tree.check_free(name, parent_id)
    folder_id = create_folder(connection, store_id, name, parent_id=parent_id)
    grow_stores(connection, {store_id: 0})
    return folder_id


def add_path(connection: Connection, store_id: int, path: str) -> int:
    """The folder at a path (`Projects/2030`), made with its parents where it is missing.  Raises UsageError."""
    for name in path.split("/"):
        _check_name(name)
    folder_id = folder_at(connection, store_id, path)
    grow_stores(connection, {store_id: 0})
    return folder_id


def folder_at(connection: Connection, store_id: int, path: str) -> int:
    """As `add_path`, for a path that is known to be good and within a change that grows the store anyway."""
    names = (clean_text(path) or "").split("/")
    found = _walk(connection, store_id, names, make=False)
    if found is None:
        touch_directory(connection)
        found = _walk(connection, store_id, names, make=True)
    assert found is not None
    return found


def rename_folder(connection: Connection, folder_id: int, name: str) -> None:
    """Give a folder another name; its place, its mails and their UIDs stay.  Raises UsageError."""
    tree = _tree_around(connection, folder_id)
    found = tree.plain(folder_id)
    _check_name(name)
    tree.check_free(name, found.parent_id, apart_from=folder_id)
    _change(connection, tree.store_id, [folder_id], name=name)


def move_folder(connection: Connection, folder_id: int, parent_id: int | None) -> None:
    """Put a folder, with all below it, into another folder of its store, or at the top.  Raises UsageError."""
    tree = _tree_around(connection, folder_id)
    found = tree.plain(folder_id)
    if parent_id is not None and parent_id not in tree.living:
        raise UsageError(f"folder {found.name!r}: there is no folder {parent_id} in its mailbox")
    if parent_id in tree.below(folder_id, tree.living):
        raise UsageError(f"folder {found.name!r} cannot be moved into itself or below itself")
    tree.check_free(found.name, parent_id, apart_from=folder_id)
    _change(connection, tree.store_id, [folder_id], parent_id=parent_id)


def delete_folder(connection: Connection, folder_id: int, now: float) -> None:
    """Delete a folder and all below it for a while; `now` in epoch seconds.  Raises UsageError."""
    tree = _tree_around(connection, folder_id)
    found = tree.plain(folder_id)
    gone = tree.below(folder_id, tree.living)
    special = next((tree.living[n].name for n in gone if tree.living[n].special_use), None)
    if special is not None:
        raise UsageError(
            f"folder {found.name!r} stays: {special!r} is below it, and every mailbox needs that"
        )
    _change(connection, tree.store_id, gone, counted=-1, deleted_at=now)


def restore_folder(connection: Connection, folder_id: int) -> None:
    """Bring back a deleted folder with what was deleted together with it; at the top where its parent is deleted.

    Its mails have their UIDs again.  Raises UsageError.
    """
    tree = _tree_around(connection, folder_id)
    found = tree.deleted.get(folder_id)
    if found is None:
        raise UsageError(f"folder {tree.living[folder_id].name!r} is not deleted")
    if found.deleted_at == PURGING:
        raise UsageError(f"folder {found.name!r} is being purged and cannot be brought back")
    together = {n: row for n, row in tree.deleted.items() if row.deleted_at == found.deleted_at}
    back = tree.below(folder_id, together)
    parent_id = found.parent_id if found.parent_id in tree.living else None
    tree.check_free(found.name, parent_id)
    lock_folders(connection, back)
    connection.execute(update(folder).where(folder.c.id == folder_id).values(parent_id=parent_id))
    _change(connection, tree.store_id, back, counted=1, deleted_at=None)


def list_tree(connection: Connection, store_id: int) -> list[ListedFolder]:
    """The folders of a store, each followed by those below it, by name; deleted ones are left out."""
    living = _Tree(connection, store_id).living
    paths = folder_paths(list(living.values()))
    counted = count_mails(connection, store_id)
    listed = []
    for folder_id in sorted(paths, key=lambda n: paths[n].casefold().split("/")):
        row = living[folder_id]
        mails, size = counted.get(folder_id, (0, 0))
        listed.append(
            ListedFolder(
                id=folder_id,
                parent_id=row.parent_id,
                path=paths[folder_id],
                name=row.name,
                depth=paths[folder_id].count("/"),
                special_use=row.special_use,
                mails=mails,
                size=size,
            )
        )
    return listed


def list_deleted_folders(connection: Connection, store_id: int) -> list[DeletedFolder]:
    """What `restore_folder` can bring back, the newest first; the path is the one at the time of deletion."""
    tree = _Tree(connection, store_id)
    paths = folder_paths([*tree.living.values(), *tree.deleted.values()])
    listed = [
        DeletedFolder(row.id, paths[row.id], row.deleted_at)
        for row in tree.deleted.values()
        if row.deleted_at != PURGING and not tree.deleted_with_its_parent(row)
    ]
    return sorted(listed, key=lambda one: (-one.deleted_at, one.path))


class _Tree:
    """The folders of a store as rows by id, living and deleted ones apart."""

    def __init__(self, connection: Connection, store_id: int) -> None:
        columns = (folder.c.id, folder.c.parent_id, folder.c.name)
        query = select(*columns, folder.c.special_use, folder.c.deleted_at)
        rows = connection.execute(
            query.where(folder.c.store_id == store_id).order_by(folder.c.id)
        ).all()
        self.store_id = store_id
        self.living: Mapping[int, Any] = {row.id: row for row in rows if row.deleted_at is None}
        self.deleted: Mapping[int, Any] = {
            row.id: row for row in rows if row.deleted_at is not None
        }

    def plain(self, folder_id: int) -> Any:
        """A folder that may be renamed, moved or deleted; raises UsageError for any other."""
        found = self.living.get(folder_id)
        if found is None:
            name = self.deleted[folder_id].name
            raise UsageError(f"folder {name!r} is deleted; restore it first")
        if found.special_use:
            raise UsageError(f"folder {found.name!r} is one that every mailbox needs: it stays")
        return found

    def check_free(
        self, name: str, parent_id: int | None, *, apart_from: int | None = None
    ) -> None:
        """Raises UsageError where the parent has such a folder already, compared without case."""
        for row in self.living.values():
            same = row.parent_id == parent_id and row.name.casefold() == name.casefold()
            if same and row.id != apart_from:
                raise UsageError(f"folder {name!r}: there is {row.name!r} already; rename one")

    def below(self, folder_id: int, among: Mapping[int, Any]) -> list[int]:
        """A folder and all below it among some, in ascending id."""
        children: dict[int | None, list[int]] = {}
        for row in among.values():
            children.setdefault(row.parent_id, []).append(row.id)
        found = [folder_id]
        for one in found:  # which grows meanwhile
            found.extend(children.get(one, ()))
        return sorted(found)

    def deleted_with_its_parent(self, row: Any) -> bool:
        """Whether a folder went because the one above it was deleted."""
        parent = self.deleted.get(row.parent_id)
        return parent is not None and bool(parent.deleted_at == row.deleted_at)


def _tree_around(connection: Connection, folder_id: int) -> _Tree:
    touch_directory(connection)
    query = select(folder.c.store_id).where(folder.c.id == folder_id)
    store_id = connection.execute(query).scalar()
    if store_id is None:
        raise UsageError(f"there is no folder {folder_id}; list the folders of the mailbox")
    return _Tree(connection, store_id)


def _check_name(name: str) -> None:
    if not name.strip():
        raise UsageError("a folder's name is empty; give it one")
    if len(name) > LONGEST_NAME:
        raise UsageError(f"folder {name[:40]!r}...: a name has at most {LONGEST_NAME} characters")
    if "/" in name or any(unicodedata.category(c) in _FORBIDDEN for c in name):
        raise UsageError(f"folder {name!r}: a name has no '/' and no control characters")


def _walk(connection: Connection, store_id: int, names: Sequence[str], *, make: bool) -> int | None:
    """The folder at the end of a path; one that is missing is made or, without `make`, is None."""
    parent: int | None = None
    for name in names:
        found = _child(connection, store_id, parent, name)
        if found is None and make:
            found = create_folder(connection, store_id, name, parent_id=parent)
        if found is None:
            return None
        parent = found
    return parent


def _child(connection: Connection, store_id: int, parent_id: int | None, name: str) -> int | None:
    """The folder of that name below another one; with the very case before any other."""
    query = select(folder.c.id, folder.c.name).where(
        folder.c.store_id == store_id,
        folder.c.parent_id.is_not_distinct_from(parent_id),
        folder.c.deleted_at.is_(None),
    )
    rows = connection.execute(query.order_by(folder.c.id)).all()
    same = [row for row in rows if row.name.casefold() == name.casefold()]
    same.sort(key=lambda row: row.name != name)
    return same[0].id if same else None


def _change(
    connection: Connection,
    store_id: int,
    folder_ids: Sequence[int],
    *,
    counted: int = 0,
    **values: object,
) -> None:
    """Change folders, and the size of their store by that of the mails in them, `counted` times."""
    lock_folders(connection, folder_ids)
    connection.execute(update(folder).where(folder.c.id.in_(folder_ids)).values(**values))
    grown = octets_in(connection, folder_ids) * counted if counted else 0
    grow_stores(connection, {store_id: grown})


def lock_folders(connection: Connection, folder_ids: Iterable[int]) -> dict[int, Row[Any]]:
    """Keep other writers out of some folders until the transaction ends; their rows by id, without those gone.

    Locked in ascending id, as every writer does, so that two cannot wait for each other.
    """
    query = (
        select(folder)
        .where(folder.c.id.in_(sorted(folder_ids)))
        .order_by(folder.c.id)
        .with_for_update(key_share=True)
    )
    return {row.id: row for row in connection.execute(query)}
