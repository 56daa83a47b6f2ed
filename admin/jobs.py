"""Meeting messages on their way through the auto-booker, and what became of them."""

import base64
from typing import Any

from sqlalchemy import Connection, select

from admin.context import Installation
from admin.options import Options
from admin.output import iso_time, print_json, print_pairs, print_raw, print_table, say
from store.jobs import JobRecord, list_jobs, load_job, retry_job
from store.schema import mailbox_store


def owner_names(connection: Connection) -> dict[int, str]:
    """The names of the mailboxes by store id, those of deleted users included."""
    query = select(mailbox_store.c.id, mailbox_store.c.owner_name)
    return {row.id: row.owner_name for row in connection.execute(query)}


def list_all(installation: Installation, options: Options) -> None:
    """Print the jobs of one resource, or of all, by id."""
    name = options.list_jobs
    store_id = installation.recipient(name).mailbox.id if name else None
    with installation.database.read() as connection:
        jobs = list_jobs(connection, store_id)
        owners = owner_names(connection)
    records = [_job_record(job, owners) for job in jobs]
    if options.json:
        print_json(records)
        return
    columns = ("id", "resource", "state", "fate", "reason", "attempts", "subject", "created_at")
    print_table(
        ("ID", "Resource", "State", "Fate", "Reason", "Attempts", "Subject", "Created"),
        [[record[column] for column in columns] for record in records],
    )


def show(installation: Installation, options: Options) -> None:
    """Print one job and, while it is pending, its message."""
    assert options.show_job is not None
    with installation.database.read() as connection:
        job, content = load_job(connection, options.show_job)
        record = _job_record(job, owner_names(connection))
    if options.json:
        encoded = None if content is None else base64.b64encode(content).decode("ascii")
        print_json({**record, "message_base64": encoded})
        return
    print_pairs([(name, "" if value is None else str(value)) for name, value in record.items()])
    if content is not None:
        print_raw(b"\n" + content)


def retry(installation: Installation, options: Options) -> None:
    """Make a pending job due now, with its full deadline."""
    assert options.retry_job is not None
    with installation.database.write() as connection:
        retry_job(connection, options.retry_job)
    say(f"Job {options.retry_job} is due now.")


def _job_record(job: JobRecord, owners: dict[int, str]) -> dict[str, Any]:
    return {
        "id": job.id,
        "resource": owners.get(job.store_id, ""),
        "state": job.state,
        "fate": job.fate,
        "reason": job.reason,
        "mail_from": job.mail_from,
        "rcpt_to": job.rcpt_to,
        "message_id": job.message_id,
        "subject": job.subject,
        "size": job.size,
        "attempts": job.attempts,
        "created_at": iso_time(job.created_at),
        "finished_at": iso_time(job.finished_at),
    }
