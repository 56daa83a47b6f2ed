"""The hard quota at commit: what would bring a store over it is not done at all.

The size is looked at before anything is written.  On PostgreSQL another agent may commit to the same store in between;
so the size is looked at again when the store's row is locked, and the batch is repeated where it is over now.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, select

from store.batch import Mail, Place, RepeatSinglyError, Work, Works, growth_of
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
        added = _added_by(work)
        if added and sizes[store_id] + added > work.plan.hard_quota:
            full.append(place)
        else:
            sizes[store_id] += added
    return full


def check_quota(connection: Connection, works: Works, mails: Sequence[Mail]) -> None:
    """Raises RepeatSinglyError when somebody else has filled one of the stores meanwhile.

    `mails` is all that was filed.  There is always room for what `over_quota` does not look at: mails of our own, and
    copies that come from other mailboxes.
    """
    limited = _limits(works)
    if not limited or connection.dialect.name == "sqlite":  # whose writers come one after the other
        return
    counted = dict.fromkeys(limited, 0)
    for work in works.values():
        if work.plan.hard_quota and work.plan.filings:
            counted[work.plan.store_id] += _added_by(work)
    grown = growth_of(mails)
    for store_id, size in sizes_of(connection, limited).items():
        beside = grown[store_id] - counted[store_id]
        if counted[store_id] and size > limited[store_id] + beside:
            raise RepeatSinglyError(f"mailbox {store_id} has become full meanwhile")


def _added_by(work: Work) -> int:
    """By how many octets a work makes its own store grow."""
    store_id = work.plan.store_id
    return growth_of([Mail(store_id, work.message_id, work.message, work.plan.filings)])[store_id]


def _limits(works: Works) -> dict[int, int]:
    """The hard quota of every store that gets something and has one."""
    return {
        work.plan.store_id: work.plan.hard_quota
        for work in works.values()
        if work.plan.hard_quota and work.plan.filings
    }
