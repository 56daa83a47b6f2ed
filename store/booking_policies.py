"""What differs from the defaults in each resource's rules for booking, as text by key.

What the keys mean is not known here (see mr_accept/policy.py).
"""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select

from store.schema import booking_policy


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
