"""The hard quota at commit: what would bring a store over it is not done at all.

The size is looked at before anything is written.  On PostgreSQL another agent may commit to the same store in between;
so the size is looked at again when the store's row is locked, and the batch is repeated where it is over now.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from store.batch import Mail, Place, RepeatSinglyError, Works, growth_of
from store.hot import HotLookup
from store.schema import mailbox_store

_SIZES = HotLookup(select(mailbox_store.c.id, mailbox_store.c.size), (mailbox_store.c.id,))


def sizes_of(connection: Connection, store_ids: Iterable[int]) -> dict[int, int]:
    """The size of stores in octets; one that is gone is left out."""
    rows = _SIZES.rows(connection, [(store_id,) for store_id in store_ids])
    return {row[0]: row[1] for row in rows}


def over_quota(connection: Connection, works: Works) -> list[Place]:
    """The works that would bring their store over its hard quota, each after those that come before it."""
    limited = _limits(works)
    if not limited:
        return []
    sizes = sizes_of(connection, limited)
    full = []
    for place, work in works.items():
        store_id = work.plan.store_id
        if not work.plan.hard_quota or store_id not in sizes:
            continue
        mail = Mail(store_id, work.message_id, work.message, work.plan.filings)
        added = growth_of([mail])[store_id]
        if added and sizes[store_id] + added > work.plan.hard_quota:
            full.append(place)
        else:
            sizes[store_id] += added
    return full


def check_quota(connection: Connection, works: Works, own_mails: Sequence[Mail]) -> None:
    """Raises RepeatSinglyError when somebody else has filled one of the stores meanwhile.

    For `own_mails`, those of our own that were filed beside, there is always room.
    """
    limited = _limits(works)
    if not limited or connection.dialect.name == "sqlite":  # whose writers come one after the other
        return
    own = growth_of(own_mails)
    for store_id, size in sizes_of(connection, limited).items():
        if size > limited[store_id] + own.get(store_id, 0):
            raise RepeatSinglyError(f"mailbox {store_id} has become full meanwhile")


def _limits(works: Works) -> dict[int, int]:
    """The hard quota of every store that gets something and has one."""
    return {
        work.plan.store_id: work.plan.hard_quota
        for work in works.values()
        if work.plan.hard_quota and work.plan.filings
    }
