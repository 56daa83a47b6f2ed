"""Events of the directory: users, groups and companies that came or went, whose scripts are to be run (manual, 8.5.1).

An event is written in the transaction of the change that causes it.  Since every change locks the directory's
version first, ids follow the order of the commits.  Events are worked on one at a time in that order, whoever does
it: the first unfinished one is leased, by the database's clock, and while it is held nobody takes a later one.  What a
dead process held is taken again when its lease has run out, so scripts run at least once.
"""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from store.engine import Database, db_now
from store.schema import clean_text, directory_event

PENDING = "pending"
DONE = "done"
FAILED = "failed"

# Each event with the variables its scripts get.
EVENT_VARIABLES = {
    "createuser": ("KOPANO_USER",),
    "deleteuser": ("KOPANO_STOREID",),
    "creategroup": ("KOPANO_GROUP",),
    "deletegroup": ("KOPANO_GROUPID",),
    "createcompany": ("KOPANO_COMPANY",),
    "deletecompany": ("KOPANO_COMPANYID",),
}
LONGEST_OUTPUT = 4000
"""Characters of what an event's scripts have written that are kept with it."""


@dataclass(frozen=True, slots=True)
class DirectoryEvent:
    """An event; `variables` are the environment variables of its scripts.  Times in epoch seconds."""

    id: int
    name: str
    variables: Mapping[str, str]
    state: str
    output: str
    created_at: float
    finished_at: float | None
    lease_token: str


def add_event(connection: Connection, name: str, variables: Mapping[str, str]) -> int:
    """Note an event within the transaction of the change that is one; return its id.

    `variables` are those of EVENT_VARIABLES: KOPANO_USER, KOPANO_GROUP and KOPANO_COMPANY are names, KOPANO_STOREID is
    the guid of the mailbox, KOPANO_GROUPID and KOPANO_COMPANYID are external ids.
    """
    if set(variables) != set(EVENT_VARIABLES[name]):
        raise ValueError(f"event {name} has {EVENT_VARIABLES[name]}, not {tuple(variables)}")
    cleaned = {key: clean_text(value) for key, value in variables.items()}
    row = {
        "name": name,
        "variables": json.dumps(cleaned, ensure_ascii=False),
        "state": PENDING,
        "created_at": time.time(),
    }
    query = insert(directory_event).returning(directory_event.c.id)
    return int(connection.execute(query, row).scalar_one())


def lease_event(database: Database, seconds: float) -> DirectoryEvent | None:
    """Take the first unfinished event for `seconds`; None when there is none, or somebody is at it."""
    head = (
        select(directory_event.c.id, (directory_event.c.lease_until <= db_now()).label("free"))
        .where(directory_event.c.state == PENDING)
        .order_by(directory_event.c.id)
        .limit(1)
    )
    with database.read() as connection:  # most looks end here, without a write lock
        first = connection.execute(head).first()
    if first is None or not first.free:
        return None
    taken = (
        update(directory_event)
        .where(
            directory_event.c.id == first.id,
            directory_event.c.state == PENDING,
            directory_event.c.lease_until <= db_now(),
        )
        .values(lease_token=secrets.token_hex(8), lease_until=db_now() + seconds)
        .returning(directory_event)
    )
    with database.write() as connection:
        row = connection.execute(taken).first()
    return None if row is None else _event(row)


def renew_event(database: Database, event: DirectoryEvent, seconds: float) -> bool:
    """Hold a leased event for `seconds` from now on; False when it is not ours any more."""
    return _change(database, event, lease_until=db_now() + seconds)


def release_event(database: Database, event: DirectoryEvent) -> None:
    """Give a leased event back, so that it can be taken at once."""
    _change(database, event, lease_token="", lease_until=0)


def finish_event(database: Database, event: DirectoryEvent, state: str, output: str) -> bool:
    """End a leased event as DONE or FAILED, with the end of the `output`; False when it is not ours any more."""
    return _change(
        database,
        event,
        state=state,
        output=output[-LONGEST_OUTPUT:],
        finished_at=time.time(),
        lease_token="",
        lease_until=0,
    )


def finish_same(database: Database, event: DirectoryEvent) -> int:
    """End a leased event whose name has no scripts, and all that wait with that name; return how many there were."""
    ours = directory_event.c.lease_token == event.lease_token
    query = update(directory_event).where(
        directory_event.c.name == event.name,
        directory_event.c.state == PENDING,
        ours | (directory_event.c.lease_until <= db_now()),
    )
    ended = query.values(state=DONE, finished_at=time.time(), lease_token="", lease_until=0)
    with database.write() as connection:
        return connection.execute(ended).rowcount


def list_events(connection: Connection) -> list[DirectoryEvent]:
    """Every event that is kept, by id."""
    return [
        _event(row)
        for row in connection.execute(select(directory_event).order_by(directory_event.c.id))
    ]


def _change(
    database: Database, event: DirectoryEvent, **values: str | float | ColumnElement[float]
) -> bool:
    """Change an event if its lease is ours."""
    query = update(directory_event).where(
        directory_event.c.id == event.id,
        directory_event.c.state == PENDING,
        directory_event.c.lease_token == event.lease_token,
    )
    with database.write() as connection:
        return connection.execute(query.values(**values)).rowcount == 1


def _event(row: Row[Any]) -> DirectoryEvent:
    return DirectoryEvent(
        id=row.id,
        name=row.name,
        variables=json.loads(row.variables),
        state=row.state,
        output=row.output,
        created_at=row.created_at,
        finished_at=row.finished_at,
        lease_token=row.lease_token,
    )
