"""The booker's jobs: meeting messages whose fate is not settled yet.

The database is the only queue.  A resource's jobs are worked on in the order of their id under a lease, which is
finite and measured by the database's clock; whoever finds the first unfinished job leased, or not due, leaves the
resource alone.  A job is finished together with everything it caused, in one transaction, or not at all.
"""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from mailcore.errors import TemporaryError, UsageError
from store.engine import Database, db_now
from store.packing import pack_content, unpack_content
from store.plan import NewJob
from store.schema import job

PENDING = "pending"
DONE = "done"
_JOBS_PER_LEASE = 16


@dataclass(frozen=True, slots=True)
class Job:
    """A leased job.  `content` is the exact message, `trace` the headers a delivery puts before it."""

    id: int
    store_id: int
    mail_from: str
    rcpt_to: str
    content: bytes
    trace: bytes
    tried_since: float
    attempts: int
    lease_token: str


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as administrators see it; times in epoch seconds."""

    id: int
    store_id: int
    state: str
    fate: str
    reason: str
    mail_from: str
    rcpt_to: str
    message_id: str
    subject: str
    size: int
    created_at: float
    finished_at: float | None
    attempts: int
    not_before: float


class LeaseLostError(TemporaryError):
    """Somebody else has taken the job over; what was done for it must be rolled back."""


def add_job(connection: Connection, store_id: int, new: NewJob, now: float) -> int:
    """Put a meeting message before the booker of a resource; return the job's id."""
    row = {
        "store_id": store_id,
        "state": PENDING,
        "mail_from": new.mail_from,
        "rcpt_to": new.rcpt_to,
        "message_id": new.message_id,
        "subject": new.subject,
        "size": len(new.content),
        "content": pack_content(new.content),
        "trace": new.trace,
        "created_at": now,
        "tried_since": now,
    }
    return int(connection.execute(insert(job).returning(job.c.id), row).scalar_one())


def waiting_resources(database: Database) -> list[int]:
    """The stores that have a job that is due, whether or not somebody is at it."""
    query = (
        select(job.c.store_id)
        .where(job.c.state == PENDING, job.c.not_before <= db_now())
        .distinct()
        .order_by(job.c.store_id)
    )
    with database.read() as connection:
        return list(connection.execute(query).scalars())


def lease_jobs(database: Database, store_id: int, seconds: float) -> list[Job]:
    """Take the resource's first unfinished jobs; empty when there are none, or they are not to be had now."""
    token = secrets.token_hex(8)
    head = (
        select(job.c.id, job.c.not_before, job.c.lease_until, db_now().label("now"))
        .where(job.c.store_id == store_id, job.c.state == PENDING)
        .order_by(job.c.id)
        .limit(_JOBS_PER_LEASE)
    )
    with database.read() as connection:  # most looks end here, without a write lock
        if not _free(connection.execute(head).all()):
            return []
    with database.write() as connection:
        locked = head if database.embedded else head.with_for_update()
        taken = _free(connection.execute(locked).all())
        if not taken:
            return []
        rows = connection.execute(
            update(job)
            .where(job.c.id.in_(taken))
            .values(lease_token=token, lease_until=db_now() + seconds)
            .returning(job)
        ).all()
    return [_job(row) for row in sorted(rows, key=lambda row: int(row.id))]


def _free(rows: Sequence[Row[Any]]) -> list[int]:
    """The ids from the head on that may be taken, up to the first that may not."""
    free: list[int] = []
    for row in rows:
        if row.not_before > row.now or row.lease_until > row.now:
            break
        free.append(row.id)
    return free


def finish_job(connection: Connection, work: Job, fate: str, reason: str = "") -> None:
    """End a job within the transaction of all it caused.  Raises LeaseLostError when it is not ours any more."""
    ended = connection.execute(
        update(job)
        .where(job.c.id == work.id, job.c.lease_token == work.lease_token, job.c.state == PENDING)
        .values(
            state=DONE,
            fate=fate,
            reason=reason,
            content=None,
            finished_at=time.time(),
            lease_token="",
            lease_until=0,
        )
    )
    if ended.rowcount != 1:
        raise LeaseLostError(f"job {work.id} was taken over")


def postpone_job(database: Database, work: Job, seconds: float, reason: str) -> None:
    """Put a job back after a temporary failure; it is due again in `seconds`."""
    with database.write() as connection:
        connection.execute(
            update(job)
            .where(job.c.id == work.id, job.c.lease_token == work.lease_token)
            .values(
                attempts=job.c.attempts + 1,
                reason=reason,
                not_before=db_now() + seconds,
                lease_token="",
                lease_until=0,
            )
        )


def release_jobs(database: Database, works: Sequence[Job]) -> None:
    """Give leased jobs back untouched, so that they can be taken at once."""
    with database.write() as connection:
        for work in works:
            connection.execute(
                update(job)
                .where(job.c.id == work.id, job.c.lease_token == work.lease_token)
                .values(lease_token="", lease_until=0)
            )


def list_jobs(connection: Connection, store_id: int | None = None) -> list[JobRecord]:
    """Jobs by id, of one resource or of all."""
    query = select(job).order_by(job.c.id)
    if store_id is not None:
        query = query.where(job.c.store_id == store_id)
    return [_record(row) for row in connection.execute(query)]


def load_job(connection: Connection, job_id: int) -> tuple[JobRecord, bytes | None]:
    """One job, with its message as long as it is unfinished; raises UsageError when there is none."""
    row = connection.execute(select(job).where(job.c.id == job_id)).first()
    if row is None:
        raise UsageError(f"no job {job_id}; --list-jobs shows what there is")
    return _record(row), None if row.content is None else unpack_content(row.content)


def retry_job(connection: Connection, job_id: int) -> None:
    """Make a pending job due now, with its full deadline; raises UsageError for a finished one."""
    found, _ = load_job(connection, job_id)
    if found.state != PENDING:
        raise UsageError(f"job {job_id} is done ({found.fate}): there is nothing to try again")
    connection.execute(
        update(job)
        .where(job.c.id == job_id)
        .values(not_before=0, attempts=0, tried_since=time.time(), lease_token="", lease_until=0)
    )


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        store_id=row.store_id,
        mail_from=row.mail_from,
        rcpt_to=row.rcpt_to,
        content=unpack_content(row.content),
        trace=row.trace,
        tried_since=row.tried_since,
        attempts=row.attempts,
        lease_token=row.lease_token,
    )


def _record(row: Row[Any]) -> JobRecord:
    return JobRecord(
        id=row.id,
        store_id=row.store_id,
        state=row.state,
        fate=row.fate,
        reason=row.reason,
        mail_from=row.mail_from,
        rcpt_to=row.rcpt_to,
        message_id=row.message_id,
        subject=row.subject,
        size=row.size,
        created_at=row.created_at,
        finished_at=row.finished_at,
        attempts=row.attempts,
        not_before=row.not_before,
    )
