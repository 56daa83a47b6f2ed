"""What an owner has set for a mailbox: its rules and its out-of-office.

Both are loaded with the mailbox (store.mailboxes), so every change raises the directory's version:
the next mail, in whatever process, is decided with what was set.
"""

import time

from sqlalchemy import Connection, Table, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mailcore.errors import UsageError
from store.batch import Place, Works
from store.mailboxes import StoredOof, touch_directory
from store.plan import Notice, OofClaim, Outgoing
from store.schema import oof_memory, oof_setting, rule


def next_sequence(connection: Connection, store_id: int) -> int:
    """The sequence that puts a new rule behind all the others of a store; the first is 1."""
    query = select(func.max(rule.c.sequence)).where(rule.c.store_id == store_id)
    return (connection.execute(query).scalar() or 0) + 1


def add_rule(
    connection: Connection,
    store_id: int,
    sequence: int,
    enabled: bool,
    version: int,
    document: str,
) -> int:
    """Add a rule to a store and return its id.

    Rules run by ascending `sequence`; `version` is that of the document's format.  The document is
    the caller's to check: it is stored as it is.
    """
    row = {
        "store_id": store_id,
        "sequence": sequence,
        "enabled": enabled,
        "version": version,
        "document": document,
    }
    rule_id = connection.execute(insert(rule).returning(rule.c.id), row).scalar_one()
    touch_directory(connection)
    return int(rule_id)


def delete_rule(connection: Connection, store_id: int, rule_id: int) -> None:
    """Forget a rule; raises UsageError when this store has none with that id."""
    gone = connection.execute(delete(rule).where(rule.c.store_id == store_id, rule.c.id == rule_id))
    _check_found(gone.rowcount, rule_id)
    touch_directory(connection)


def enable_rule(connection: Connection, store_id: int, rule_id: int, enabled: bool) -> None:
    """Switch a rule on or off; safe to repeat.  Raises UsageError when this store has none with that id."""
    found = connection.execute(
        update(rule)
        .where(rule.c.store_id == store_id, rule.c.id == rule_id)
        .values(enabled=enabled)
    )
    _check_found(found.rowcount, rule_id)
    touch_directory(connection)


def _check_found(rows: int, rule_id: int) -> None:
    if not rows:
        raise UsageError(f"no rule {rule_id} in this mailbox; --list-rules shows what there is")


def is_answered(connection: Connection, store_id: int, claim: OofClaim) -> bool:
    """Whether `claim_answer` would find that this sender has been answered."""
    query = select(oof_memory.c.answered_at).where(
        oof_memory.c.store_id == store_id,
        oof_memory.c.sender_key == claim.sender_key,
        oof_memory.c.answered_at > claim.not_since,
    )
    return connection.execute(query).first() is not None


def save_oof(connection: Connection, store_id: int, oof: StoredOof) -> None:
    """Set a store's out-of-office.

    Switching it on begins a new absence, and so does switching it on when its window is over: whom it answered before
    is forgotten, and `switched_on_at` is now.  In every other case what is stored of that stays, whatever `oof` says.
    """
    row = _insert_into(connection, oof_setting).values(store_id=store_id)
    connection.execute(row.on_conflict_do_nothing())
    stored = connection.execute(
        select(oof_setting.c.enabled, oof_setting.c.switched_on_at, oof_setting.c.ends_at)
        .where(oof_setting.c.store_id == store_id)
        .with_for_update()
    ).one()
    now, switched_on_at = time.time(), stored.switched_on_at
    lasts = stored.enabled and (stored.ends_at is None or now <= stored.ends_at)
    if oof.enabled and not lasts:
        switched_on_at = now
        connection.execute(delete(oof_memory).where(oof_memory.c.store_id == store_id))
    connection.execute(
        update(oof_setting)
        .where(oof_setting.c.store_id == store_id)
        .values(
            enabled=oof.enabled,
            subject=oof.subject,
            message=oof.message,
            starts_at=oof.starts_at,
            ends_at=oof.ends_at,
            switched_on_at=switched_on_at,
            timezone=oof.timezone,
            external=oof.external,
            external_message=oof.external_message,
            internal_message=oof.internal_message,
            decline_meetings=oof.decline_meetings,
        )
    )
    touch_directory(connection)


def claim_outgoing(connection: Connection, works: Works, now: float) -> dict[Place, list[Outgoing]]:
    """What may really leave, by the work that asks for it.

    Out-of-office answers are claimed in one order, so that two agents cannot wait for each other.
    """
    claims = sorted(
        (work.plan.store_id, out.claim.sender_key, place, number)
        for place, work in works.items()
        for number, out in enumerate(work.plan.outgoing)
        if out.claim is not None
    )
    lost = set()
    for store_id, _, place, number in claims:
        claim = works[place].plan.outgoing[number].claim
        assert claim is not None
        if not claim_answer(connection, store_id, claim, now):
            lost.add((place, number))
    return {
        place: [out for n, out in enumerate(work.plan.outgoing) if (place, n) not in lost]
        for place, work in works.items()
    }


def claim_notices(connection: Connection, works: Works) -> dict[Place, list[Notice]]:
    """The notices that are due, by the work that brings them: that a rule cannot be read is told once.

    Rules are claimed in one order, so that two agents cannot wait for each other.
    """
    asked = {
        notice.rule_id
        for work in works.values()
        for notice in work.plan.notices
        if notice.rule_id is not None
    }
    claimed = {rule_id for rule_id in sorted(asked) if _claim_report(connection, rule_id)}
    due: dict[Place, list[Notice]] = {}
    for place, work in works.items():
        for notice in work.plan.notices:
            if notice.rule_id is not None:
                if notice.rule_id not in claimed:
                    continue
                claimed.remove(notice.rule_id)
            due.setdefault(place, []).append(notice)
    return due


def _claim_report(connection: Connection, rule_id: int) -> bool:
    """Remember that the owner is told about a rule now; False when that has been done."""
    told = connection.execute(
        update(rule).where(rule.c.id == rule_id, ~rule.c.reported).values(reported=True)
    )
    if told.rowcount:
        touch_directory(connection)
    return told.rowcount == 1


def claim_answer(connection: Connection, store_id: int, claim: OofClaim, now: float) -> bool:
    """Remember that this sender is answered now; False when an answer has gone out since `not_since`."""
    statement = _insert_into(connection, oof_memory).values(
        store_id=store_id, sender_key=claim.sender_key, answered_at=now
    )
    claimed = connection.execute(
        statement.on_conflict_do_update(
            index_elements=[oof_memory.c.store_id, oof_memory.c.sender_key],
            set_={"answered_at": now},
            where=oof_memory.c.answered_at <= claim.not_since,
        ),
        execution_options={"preserve_rowcount": True},  # an INSERT's is dropped otherwise
    )
    return claimed.rowcount == 1


def _insert_into(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that can say what happens when the row is there: each database has its own words."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
