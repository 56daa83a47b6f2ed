"""A resource's rules for booking as they are stored: its switches, and what differs from the defaults, as text by key.

What the keys mean is not known here (see mr_accept/policy.py).
"""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from store.schema import booking_policy, mailbox_store


class BookingSwitches(NamedTuple):
    """What a mailbox itself says about booking."""

    mr_accept: bool
    mr_decline_conflict: bool
    mr_decline_recurring: bool
    timezone: str


def load_switches(connection: Connection, store_id: int) -> BookingSwitches:
    """The switches as they are now, for whoever has read the mailbox before."""
    columns = (mailbox_store.c[name] for name in BookingSwitches._fields)
    query = select(*columns).where(mailbox_store.c.id == store_id)
    return BookingSwitches(*connection.execute(query).one())


def load_policy_values(connection: Connection, store_id: int) -> dict[str, str]:
    """The values that have been set for a mailbox, by key."""
    query = select(booking_policy.c.key, booking_policy.c.value).where(
        booking_policy.c.store_id == store_id
    )
    return {row.key: row.value for row in connection.execute(query)}


def save_policy_values(
    connection: Connection, store_id: int, values: Mapping[str, str | None]
) -> None:
    """Set values by key; None takes a key back to its default.  Safe to repeat."""
    connection.execute(
        delete(booking_policy).where(
            booking_policy.c.store_id == store_id, booking_policy.c.key.in_(list(values))
        )
    )
    rows = [
        {"store_id": store_id, "key": key, "value": value}
        for key, value in values.items()
        if value is not None
    ]
    if rows:
        connection.execute(insert(booking_policy), rows)
