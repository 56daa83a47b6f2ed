"""The ledger: which messages a store has got already, so that a re-sent one is answered and not filed again."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from store.batch import Place, RepeatSinglyError, Work, Works
from store.hot import HotLookup, HotNewRows
from store.plan import Receipt, Submission
from store.schema import ledger

_KNOWN_KEYS = HotLookup(
    select(ledger.c.store_id, ledger.c.key, ledger.c.uid, ledger.c.job_id),
    (ledger.c.store_id, ledger.c.key),
)
_INSERT_KEY = HotNewRows(ledger)


def find_repeats(
    connection: Connection, submissions: Sequence[Submission]
) -> dict[tuple[int, bytes], Receipt]:
    """What became the first time of plans that were carried out before, by store and ledger key."""
    keys = [
        (plan.store_id, plan.ledger_key)
        for submission in submissions
        for plan in submission.plans
        if plan.ledger_key is not None
    ]
    repeats: dict[tuple[int, bytes], Receipt] = {}
    for store_id, key, uid, job_id in _KNOWN_KEYS.rows(connection, keys):
        uids = () if uid is None else (uid,)
        repeats[store_id, key] = Receipt(uids, job_id, duplicate=True)
    return repeats


def enter_works(
    connection: Connection,
    works: Works,
    receipts: Mapping[Place, Receipt],
    now: float,
) -> None:
    """Enter what has been carried out.  Raises RepeatSinglyError when another agent was quicker with one of them."""
    rows = [
        {
            "store_id": work.plan.store_id,
            "key": work.plan.ledger_key,
            "uid": receipts[place].uids[0] if receipts[place].uids else None,
            "job_id": receipts[place].job_id,
            "created_at": now,
        }
        for place, work in sorted(works.items(), key=_ledger_order)
        if work.plan.ledger_key is not None
    ]
    if rows and _INSERT_KEY.each(connection, rows) != len(rows):
        raise RepeatSinglyError("the same message is being committed by another agent")


def _ledger_order(item: tuple[Place, Work]) -> tuple[int, bytes]:
    plan = item[1].plan
    return plan.store_id, plan.ledger_key or b""
