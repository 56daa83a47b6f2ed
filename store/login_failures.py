"""Failed tries to log in, counted in the database so that every process of every host knows them.

A count belongs to a key: a user at a source, a user, a source.  It begins with the first failure and begins anew with
one that comes later than the window, or when a block has run out.  Keys are stored as a hash: people type passwords
where their name belongs, and a name that somebody makes up may be of any length.
"""

import hashlib
from collections.abc import Mapping

from sqlalchemy import Connection, case, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from store.engine import db_now
from store.schema import login_failure


def failure_key(*parts: str) -> str:
    """The key of a count; other parts, or the same parted otherwise, have another."""
    digest = hashlib.sha256()
    for part in parts:
        written = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:%b" % (len(written), written))
    return digest.hexdigest()


def known_failures(
    connection: Connection, limits: Mapping[str, int], block: float
) -> dict[str, bool]:
    """The keys that have a count, each with whether it is blocked.

    It is for `block` seconds, by the database's clock, from the failure on that reached its limit.
    """
    query = select(
        login_failure.c.key,
        login_failure.c.failures,
        (login_failure.c.last_at > db_now() - block).label("lately"),
    ).where(login_failure.c.key.in_(limits))
    return {
        row.key: bool(row.lately) and row.failures >= limits[row.key]
        for row in connection.execute(query)
    }


def count_failure(
    connection: Connection, limits: Mapping[str, int], window: float, block: float
) -> None:
    """Add a failure to the count of each key; `window` and `block` are in seconds of the database's clock.

    Exact however many do so at once: every count is raised by one statement, and the keys are taken in one order.
    """
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    for key, limit in sorted(limits.items()):
        new = dialect.insert(login_failure).values(
            key=key, failures=1, first_at=db_now(), last_at=db_now()
        )
        served = (login_failure.c.failures >= limit) & (login_failure.c.last_at <= db_now() - block)
        over = (login_failure.c.first_at <= db_now() - window) | served
        raised = new.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "failures": case((over, 1), else_=login_failure.c.failures + 1),
                "first_at": case((over, db_now()), else_=login_failure.c.first_at),
                "last_at": db_now(),
            },
        )
        connection.execute(raised)


def forget_failures(connection: Connection, key: str) -> None:
    """Begin anew with a key."""
    connection.execute(delete(login_failure).where(login_failure.c.key == key))
