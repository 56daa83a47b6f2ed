"""Removing content that nothing refers to any more: rows of `blob`, and files of large ones.

Rows: a blob is locked, but never waited for, then looked at, then deleted.  A delivery may be about to refer to it;
on PostgreSQL (READ COMMITTED) there are two orders:

- The delivery has the row first.  It found it with FOR KEY SHARE (store.blobs), or a reference of its own has it
  locked that way: it is passed over here.  Once the delivery has committed the row can be locked, and the next
  statement, which begins after that, sees the reference: the blob stays.
- We have the row first, with FOR UPDATE.  The delivery waits where it looks for the row, until we have committed;
  then there is none, and it inserts one of its own.

So neither fails by the other, and no reference is ever left without its blob.  We wait for nobody while we hold such
a lock, so nobody can be waiting in a circle.  SQLite has one writer at a time.

Files: one is removed when it has no row and is older than a day.  A delivery that relies on a file has written it
just now or made it young again, under the same lock as its age is looked at here; no batch is in flight for a day.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, delete, exists, select

from mailcore.errors import TemporaryError
from store.blobs import DIRECTORY, LOCK, BlobStore, locked_directory
from store.engine import Database
from store.packing import IDENTITY
from store.schema import blob, imap_copy, message_body

log = logging.getLogger(__name__)

YOUNGEST = 86_400.0  # seconds; a younger file may belong to a batch in flight
SHARES = 256  # into which all content is divided, by the first octet of its hash
_SLICE = 500
_FILE = re.compile(r"(?P<sha256>[0-9a-f]{64})(?:\.(?P<codec>[a-z]+))?\Z")
_BESIDE = re.compile(
    r"\.[0-9a-f]{64}(\.[a-z]+)?\.[0-9a-f]{8}\Z"
)  # written halfway, when the power went


@dataclass(frozen=True, slots=True)
class RemovedBlob:
    """A blob whose row is gone; `stored_size` in octets."""

    sha256: bytes
    codec: str
    location: str
    stored_size: int


def remove_blobs(connection: Connection, blob_ids: Iterable[int]) -> list[RemovedBlob]:
    """Delete the rows of blobs that nothing refers to; one that somebody else has locked is left for a sweep.

    Their files are for `remove_files`, after the commit.
    """
    free = (
        select(blob.c.id)
        .where(blob.c.id.in_(list(blob_ids)))
        .order_by(blob.c.id)
        .with_for_update(skip_locked=True)
    )
    locked = list(connection.execute(free).scalars())
    if not locked:
        return []
    unused = delete(blob).where(
        blob.c.id.in_(locked),
        ~exists().where(message_body.c.blob_id == blob.c.id),
        ~exists().where(imap_copy.c.blob_id == blob.c.id),
    )
    columns = (blob.c.sha256, blob.c.codec, blob.c.location, blob.c.stored_size)
    gone = connection.execute(unused.returning(*columns))
    return [RemovedBlob(bytes(row[0]), *row[1:]) for row in gone]


def remove_files(
    database: Database, blobs: BlobStore, removed: Iterable[RemovedBlob], now: float
) -> int:
    """Remove the files of blobs whose rows are gone; return how many went.  The young ones stay for a sweep."""
    if blobs.directory is None:
        return 0
    paths = [blobs.path_of(one.sha256, one.codec) for one in removed if one.location == DIRECTORY]
    return _remove_unused(database, paths, now)


def sweep(database: Database, blobs: BlobStore, now: float) -> int:
    """Look through one share of all content for what a crash or a race has left; return how many blobs and files went.

    Every hour has another share, so that each is looked at every ten days or so; `now` in epoch seconds.
    """
    share = int(now // 3600) % SHARES
    removed = 0
    for ids in _ids_of(database, share):
        with database.write() as connection:
            gone = remove_blobs(connection, ids)
        removed += len(gone) + remove_files(database, blobs, gone, now)
    if blobs.directory is not None:
        found = (blobs.directory / f"{share:02x}").glob("*/*")
        for paths in _slices(path for path in found if path.name != LOCK):
            removed += _remove_unused(database, paths, now)
    if removed:
        log.info("upkeep: %d blobs or files that nothing referred to are gone", removed)
    return removed


def _ids_of(database: Database, share: int) -> Iterator[list[int]]:
    """The ids of a share's blobs that look unused, a slice at a time."""
    after = bytes([share])
    query = (
        select(blob.c.id, blob.c.sha256)
        .where(
            ~exists().where(message_body.c.blob_id == blob.c.id),
            ~exists().where(imap_copy.c.blob_id == blob.c.id),
        )
        .order_by(blob.c.sha256)
        .limit(_SLICE)
    )
    if share < SHARES - 1:
        query = query.where(blob.c.sha256 < bytes([share + 1]))
    while True:
        with database.read() as connection:
            rows = connection.execute(query.where(blob.c.sha256 > after)).all()
        if not rows:
            return
        yield [row.id for row in rows]
        after = bytes(rows[-1].sha256)


def _remove_unused(database: Database, paths: Sequence[Path], now: float) -> int:
    """Remove those of some files that have no row and are old."""
    parsed = [(path, _FILE.match(path.name)) for path in paths]
    hashes = [bytes.fromhex(match["sha256"]) for _, match in parsed if match]
    query = select(blob.c.sha256, blob.c.codec).where(
        blob.c.location == DIRECTORY, blob.c.sha256.in_(hashes)
    )
    with database.read() as connection:
        used = {(bytes(row.sha256).hex(), row.codec) for row in connection.execute(query)}
    removed = 0
    for path, match in parsed:
        named = (match["sha256"], match["codec"] or IDENTITY) if match else None
        if named not in used and (match or _BESIDE.match(path.name)):
            removed += _remove_old(path, now)
    return removed


def _remove_old(path: Path, now: float) -> bool:
    """Remove a file, unless it is young or gone.  It had no row before; who makes one, makes it young."""
    try:
        with locked_directory(path.parents[1]):
            if path.stat().st_mtime > now - YOUNGEST:
                return False
            path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise TemporaryError(f"attachment directory: {error}") from error
    return True


def _slices(paths: Iterable[Path]) -> Iterator[list[Path]]:
    some: list[Path] = []
    for path in paths:
        some.append(path)
        if len(some) == _SLICE:
            yield some
            some = []
    if some:
        yield some
