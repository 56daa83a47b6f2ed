"""Persistent counters: UIDVALIDITY, the directory's version, and ids handed out in blocks.

Ids are allocated ahead so that a batch can be written with one executemany per table.  A block that is lost with a
crash leaves a gap, nothing more.
"""

import threading

from sqlalchemy import Connection, insert, update

from store.engine import Database
from store.schema import counter

BLOCK = 1000


def raise_counter(connection: Connection, name: str, by: int = 1) -> int:
    """Raise a counter within the caller's transaction and return its new value."""
    raised = connection.execute(
        update(counter)
        .where(counter.c.name == name)
        .values(value=counter.c.value + by)
        .returning(counter.c.value)
    ).scalar()
    if raised is None:
        connection.execute(insert(counter), [{"name": name, "value": by}])
        return by
    return int(raised)


class IdBlocks:
    """Ids of one table, unique across processes; safe to share between threads."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._lock = threading.Lock()
        self._next = 0
        self._end = 0

    def take(self, count: int) -> range:
        """Return `count` ids in a row.  Must be called outside a transaction: it may need one of its own."""
        with self._lock:
            if self._next + count > self._end:
                with self._database.write() as connection:
                    size = max(BLOCK, count)
                    self._end = raise_counter(connection, self._name, size) + 1
                self._next = self._end - size
            taken = range(self._next, self._next + count)
            self._next += count
            return taken
