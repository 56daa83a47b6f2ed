"""Content by its hash: once in the store, however many messages and users refer to it.

Small blobs are rows, so that one fsync serves a batch.  Large ones may be files: written beside, fsynced, renamed,
one directory fsync per directory and batch, all before the transaction that refers to them.  A file without a row
is harmless; a row without a file must never exist.

store.collect removes what nothing refers to any more.  A batch in flight is safe from it: the rows that it found are
locked for it, and every file that it wrote or found is young.
"""

import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, insert, select

from mailcore.errors import TemporaryError
from store.hot import HotLookup, HotNewRows, HotStatement
from store.message import NewBlob
from store.packing import IDENTITY, unpack
from store.schema import blob, blob_content

DATABASE = "database"
DIRECTORY = "directory"

LOCK = ".lock"
"""The file in each directory of the first level by which files are removed and refreshed one at a time."""

# On PostgreSQL the rows are locked as a reference to them would do it, so that nobody removes them before it is there.
_KNOWN_HASHES = HotLookup(
    select(blob.c.sha256, blob.c.id).with_for_update(read=True, key_share=True), (blob.c.sha256,)
)
_INSERT_NEW = HotNewRows(blob)
_INSERT_CONTENT = HotStatement(insert(blob_content))


class BlobStore:
    """Writes and reads blobs.  `directory` is None when everything lives in the database."""

    def __init__(self, directory: Path | None, large: int) -> None:
        self.directory = directory
        self._large = large

    def location(self, new: NewBlob) -> str:
        """Where this blob belongs."""
        if self.directory is not None and len(new.stored) >= self._large:
            return DIRECTORY
        return DATABASE

    def write_files(self, blobs: Iterable[NewBlob]) -> None:
        """Put the large blobs on disk, durably; call before the transaction.  Safe to repeat."""
        touched: set[Path] = set()
        try:
            for new in {b.sha256: b for b in blobs if self.location(b) == DIRECTORY}.values():
                path = self.path_of(new.sha256, new.codec)
                if _refresh(path):  # perhaps so new that its directories are not on disk yet
                    touched.update(path.parents[:3])
                else:
                    touched.update(_write_file(path, new.stored))
            for directory in sorted(touched, key=lambda p: len(p.parts), reverse=True):
                _sync_directory(directory)
        except OSError as error:
            raise TemporaryError(f"attachment directory: {error}") from error

    def insert_rows(
        self, connection: Connection, blobs: Sequence[NewBlob], ids: Sequence[int], now: float
    ) -> dict[bytes, int]:
        """Make sure each blob has a row; return the id by hash.  `ids` are fresh, one per blob at least."""
        wanted = {b.sha256: b for b in blobs}
        known = _existing(connection, wanted)
        # In the order of the hash: two batches that insert the same blobs cannot deadlock.
        missing = [wanted[h] for h in sorted(wanted) if h not in known]
        if missing:
            known |= self._insert_missing(connection, missing, ids, now)
        return known

    def _insert_missing(
        self, connection: Connection, missing: Sequence[NewBlob], ids: Sequence[int], now: float
    ) -> dict[bytes, int]:
        """Insert blobs that had no row a moment ago; somebody else may have been quicker with some."""
        own = {new.sha256: new_id for new, new_id in zip(missing, ids, strict=False)}
        rows = [_blob_row(new, own[new.sha256], self.location(new), now) for new in missing]
        inserted = _INSERT_NEW.each(connection, rows)
        known = own if inserted == len(rows) else _existing(connection, own)
        contents = [
            {"blob_id": own[new.sha256], "content": new.stored}
            for new in missing
            if known[new.sha256] == own[new.sha256] and self.location(new) == DATABASE
        ]
        if contents:
            _INSERT_CONTENT.each(connection, contents)
        return known

    def load(self, connection: Connection, ids: Sequence[int]) -> dict[int, tuple[bytes, bytes]]:
        """Return {blob id: (hash, plain content)}; raises TemporaryError when a file is missing."""
        columns = (blob.c.id, blob.c.sha256, blob.c.codec, blob.c.location, blob_content.c.content)
        rows = connection.execute(
            select(*columns).outerjoin_from(blob, blob_content).where(blob.c.id.in_(set(ids)))
        )
        loaded = {}
        for row in rows:
            stored = (
                row.content if row.location == DATABASE else self._read_file(row.sha256, row.codec)
            )
            loaded[row.id] = (row.sha256, unpack(row.codec, stored))
        return loaded

    def path_of(self, sha256: bytes, codec: str) -> Path:
        """Where a file lies.  The same content may come in two codecs; each is a file of its own."""
        if self.directory is None:
            raise TemporaryError(
                "an attachment lies in a directory, but [store] attachments is 'database':"
                " set it back to 'directory'"
            )
        name = sha256.hex()
        suffix = "" if codec == IDENTITY else f".{codec}"
        return self.directory / name[:2] / name[2:4] / f"{name}{suffix}"

    def _read_file(self, sha256: bytes, codec: str) -> bytes:
        try:
            return self.path_of(sha256, codec).read_bytes()
        except OSError as error:
            raise TemporaryError(f"attachment directory: {error}") from error


def _existing(connection: Connection, hashes: Iterable[bytes]) -> dict[bytes, int]:
    found = _KNOWN_HASHES.rows(connection, [(sha256,) for sha256 in hashes])
    return {row[0]: row[1] for row in found}


def _blob_row(new: NewBlob, new_id: int, location: str, now: float) -> dict[str, object]:
    return {
        "id": new_id,
        "sha256": new.sha256,
        "size": new.size,
        "stored_size": len(new.stored),
        "codec": new.codec,
        "location": location,
        "created_at": now,
    }


def _refresh(path: Path) -> bool:
    """Make a file young again, so that nobody removes it before a row refers to it; False where there is none."""
    if not path.exists():
        return False
    with locked_directory(path.parents[1]):
        try:
            os.utime(path)
        except FileNotFoundError:
            return False
    return True


@contextmanager
def locked_directory(directory: Path) -> Iterator[None]:
    """Hold a directory of the first level, so that no other process refreshes or removes a file in it."""
    with (directory / LOCK).open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _write_file(path: Path, content: bytes) -> set[Path]:
    """Write, fsync and rename one file; return the directories that need an fsync."""
    missing = [parent for parent in path.parents if not parent.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with beside.open("xb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    beside.rename(path)
    return {path.parent, *(parent.parent for parent in missing)}


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
