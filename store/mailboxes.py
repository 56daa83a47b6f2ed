"""Mailbox stores and their folders: making, finding, changing them.

A store belongs to a user of some plugin by `external_id`; an orphan has none.  Loading a mailbox brings everything
a delivery decision needs, so that deciding needs no database.  Every change raises the directory's version, which
is what caches are checked against.
"""

import secrets
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from mailcore.errors import TemporaryError, UsageError
from store.counters import raise_counter
from store.engine import Database
from store.rights import EVERYONE, Right, grant
from store.schema import calendar, counter, folder, mailbox_store, oof_setting, rule

INBOX, SENT, TRASH, DRAFTS, JUNK, OUTBOX = (
    "\\Inbox",
    "\\Sent",
    "\\Trash",
    "\\Drafts",
    "\\Junk",
    "\\Outbox",
)
DEFAULT_FOLDERS = (
    ("Inbox", INBOX),
    ("Drafts", DRAFTS),
    ("Outbox", OUTBOX),
    ("Sent Items", SENT),
    ("Deleted Items", TRASH),
    ("Junk E-mail", JUNK),
)
DEFAULT_CALENDAR = "Calendar"

_DIRECTORY_VERSION = select(counter.c.value).where(counter.c.name == "directory")


@dataclass(frozen=True, slots=True)
class StoredRule:
    """A rule as it lies in the store: a JSON document that `rules` understands.

    `reported`: its owner has been told that it cannot be read.
    """

    id: int
    sequence: int
    enabled: bool
    version: int
    document: str
    reported: bool = False


@dataclass(frozen=True, slots=True)
class StoredOof:
    """Out-of-office as it lies in the store; the window in epoch seconds, None where it is open.

    What the fields mean is said in oof.settings.
    """

    enabled: bool
    subject: str
    message: str
    starts_at: float | None
    ends_at: float | None
    switched_on_at: float
    timezone: str = ""
    external: str = "all"
    external_message: str = ""
    internal_message: str = ""
    decline_meetings: bool = False


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One store with its settings, folders (path to id, special use to id), rules and out-of-office."""

    id: int
    guid: str
    owner_name: str
    timezone: str
    mr_accept: bool
    mr_decline_conflict: bool
    mr_decline_recurring: bool
    size: int
    created_at: float
    folders: Mapping[str, int] = field(default_factory=dict)
    special: Mapping[str, int] = field(default_factory=dict)
    rules: tuple[StoredRule, ...] = ()
    oof: StoredOof | None = None
    deliver_via: str = ""

    def folder_of(self, path: str) -> int | None:
        """The id of a folder by its path (`Inbox`, `Projects/2030`), without case; None where there is none."""
        if (exact := self.folders.get(path)) is not None:
            return exact
        wanted = path.casefold()
        return next((n for known, n in self.folders.items() if known.casefold() == wanted), None)


def directory_version(connection: Connection) -> int:
    """The version of everything a recipient look-up depends on."""
    return int(connection.execute(_DIRECTORY_VERSION).scalar() or 0)


class DirectoryVersion:
    """Reads the directory's version for look-ups that must not wait: one prepared statement on its own connection.

    Only for the embedded database, where reading never blocks; raises TemporaryError for the database's trouble.
    """

    def __init__(self, database: Database) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            str(database.url.database), isolation_level=None, check_same_thread=False
        )

    def read(self) -> int:
        """The version now."""
        try:
            with self._lock:
                row = self._connection.execute(
                    "SELECT value FROM counter WHERE name = 'directory'"
                ).fetchone()
        except sqlite3.Error as error:
            raise TemporaryError(f"database: {error}") from error
        return int(row[0]) if row else 0

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()


def touch_directory(connection: Connection) -> None:
    """Tell every cache, in whatever process, that users or mailboxes have changed."""
    raise_counter(connection, "directory")


def create_mailbox(
    connection: Connection, external_id: str, owner_name: str, everyone: str = EVERYONE
) -> int:
    """Make a store with its default folders and calendar; return its id.

    `everyone`, the external id of the Everyone around its owner, sees when the owner is busy (manual, 8.4.6).
    """
    store_id = insert_store(connection, external_id, owner_name)
    for name, special_use in DEFAULT_FOLDERS:
        create_folder(connection, store_id, name, special_use=special_use)
    row = {"store_id": store_id, "name": DEFAULT_CALENDAR}
    calendar_id = connection.execute(insert(calendar).returning(calendar.c.id), row).scalar_one()
    grant(connection, store_id, everyone, Right.FREE_BUSY, calendar_id=calendar_id)
    return store_id


def insert_store(
    connection: Connection, external_id: str, owner_name: str, kind: str = "user"
) -> int:
    """Make a store in which there is nothing yet; return its id."""
    row = {
        "guid": secrets.token_hex(16).upper(),
        "external_id": external_id,
        "owner_name": owner_name,
        "kind": kind,
        "created_at": time.time(),
    }
    touch_directory(connection)
    query = insert(mailbox_store).returning(mailbox_store.c.id)
    return int(connection.execute(query, row).scalar_one())


def create_folder(
    connection: Connection,
    store_id: int,
    name: str,
    *,
    parent_id: int | None = None,
    special_use: str = "",
) -> int:
    """Make a folder and return its id.  Its UIDVALIDITY is never used again, whatever the clock says.

    The name and the parent are the caller's to check; store.folders has what checks them.
    """
    touch_directory(connection)
    row = {
        "store_id": store_id,
        "parent_id": parent_id,
        "name": name,
        "special_use": special_use,
        "uidvalidity": raise_counter(connection, "uidvalidity"),
    }
    return int(connection.execute(insert(folder).returning(folder.c.id), row).scalar_one())


def orphan_mailbox(connection: Connection, external_id: str) -> None:
    """Take a store from its owner; mail and bookings stay."""
    connection.execute(
        update(mailbox_store)
        .where(mailbox_store.c.external_id == external_id)
        .values(external_id=None)
    )
    touch_directory(connection)


def update_mailbox(connection: Connection, store_id: int, values: Mapping[str, object]) -> None:
    """Change settings of a store (columns of `mailbox_store`)."""
    connection.execute(update(mailbox_store).where(mailbox_store.c.id == store_id).values(**values))
    touch_directory(connection)


def load_mailbox(connection: Connection, external_id: str) -> Mailbox | None:
    """The store of a plugin's user, or None when it has none."""
    return load_mailboxes(connection, [external_id]).get(external_id)


def load_mailboxes(connection: Connection, external_ids: Sequence[str]) -> dict[str, Mailbox]:
    """The stores of some users by their external ids, a few hundred at a time; who has none is left out."""
    query = select(mailbox_store).where(mailbox_store.c.external_id.in_(external_ids))
    rows = connection.execute(query).all()
    return {row.external_id: mailbox for row, mailbox in _load(connection, rows)}


def load_mailbox_by_id(connection: Connection, store_id: int) -> Mailbox | None:
    """The store with this id, an orphan too; None when it is gone or removed."""
    query = select(mailbox_store).where(
        mailbox_store.c.id == store_id, mailbox_store.c.deleted_at.is_(None)
    )
    return next(
        (mailbox for _, mailbox in _load(connection, connection.execute(query).all())), None
    )


def external_id_of(connection: Connection, store_id: int) -> str | None:
    """Whose store this is, as its plugin knows the owner; None for an orphan."""
    query = select(mailbox_store.c.external_id).where(mailbox_store.c.id == store_id)
    return connection.execute(query).scalar()


def find_folder(mailbox: Mailbox, path: str) -> int:
    """The id of a folder by its path (`Inbox`, `Projects/2030`), without case; raises UsageError."""
    folder_id = mailbox.folder_of(path)
    if folder_id is not None:
        return folder_id
    raise UsageError(
        f"{mailbox.owner_name} has no folder {path!r}; there are: {', '.join(mailbox.folders)}"
    )


def _load(connection: Connection, rows: Sequence[Row[Any]]) -> Iterator[tuple[Row[Any], Mailbox]]:
    """The mailboxes of some rows of `mailbox_store`, each with its row."""
    ids = [row.id for row in rows]
    folders = _by_store(
        connection,
        select(
            folder.c.store_id, folder.c.id, folder.c.parent_id, folder.c.name, folder.c.special_use
        )
        .where(folder.c.store_id.in_(ids), folder.c.deleted_at.is_(None))
        .order_by(folder.c.id),
    )
    rules = _by_store(
        connection,
        select(rule).where(rule.c.store_id.in_(ids)).order_by(rule.c.sequence, rule.c.id),
    )
    oof = _by_store(connection, select(oof_setting).where(oof_setting.c.store_id.in_(ids)))
    for row in rows:
        yield row, _mailbox(row, folders[row.id], rules[row.id], oof[row.id])


def _by_store(connection: Connection, query: Select[Any]) -> Mapping[int, Sequence[Row[Any]]]:
    """The rows that a query finds, in its order, by their `store_id`; none for every other store."""
    found: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.store_id].append(row)
    return found


def _mailbox(
    row: Row[Any],
    folders: Sequence[Row[Any]],
    rules: Sequence[Row[Any]],
    oof: Sequence[Row[Any]],
) -> Mailbox:
    return Mailbox(
        id=row.id,
        guid=row.guid,
        owner_name=row.owner_name,
        timezone=row.timezone,
        mr_accept=row.mr_accept,
        mr_decline_conflict=row.mr_decline_conflict,
        mr_decline_recurring=row.mr_decline_recurring,
        size=row.size,
        created_at=row.created_at,
        deliver_via=row.deliver_via,
        folders={path: number for number, path in folder_paths(folders).items()},
        special={f.special_use: f.id for f in folders if f.special_use},
        rules=tuple(
            StoredRule(r.id, r.sequence, r.enabled, r.version, r.document, r.reported)
            for r in rules
        ),
        oof=_stored_oof(oof[0]) if oof else None,
    )


def folder_paths(folders: Sequence[Any]) -> dict[int, str]:
    """The path of each folder by its id, from rows with id, parent_id and name."""
    by_id = {f.id: f for f in folders}
    paths = {}
    for found in folders:
        names = [found.name]
        parent = by_id.get(found.parent_id)
        while parent is not None and len(names) < len(by_id):
            names.append(parent.name)
            parent = by_id.get(parent.parent_id)
        paths[found.id] = "/".join(reversed(names))
    return paths


def _stored_oof(row: Row[Any]) -> StoredOof:
    return StoredOof(
        enabled=row.enabled,
        subject=row.subject,
        message=row.message,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        switched_on_at=row.switched_on_at,
        timezone=row.timezone,
        external=row.external,
        external_message=row.external_message,
        internal_message=row.internal_message,
        decline_meetings=row.decline_meetings,
    )
