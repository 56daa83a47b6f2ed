"""Jobs of the auto-booker, and mail that leaves."""

import base64
from datetime import datetime

import pytest
from sqlalchemy import update

from store.schema import job, outbox
from tests.admin.shell import Installed, Shell

REQUEST = b"Subject: Kickoff\r\n\r\n\xff exact bytes\r\n"


def _finish(installed: Installed, job_id: int) -> None:
    values = {"state": "done", "fate": "accepted", "content": None, "finished_at": 1.5}
    with installed.database.write() as connection:
        connection.execute(update(job).where(job.c.id == job_id).values(**values))


def test_jobs_of_all_and_of_one(shell: Shell, installed: Installed) -> None:
    installed.queue_job("aurora", REQUEST)
    installed.queue_job("beamers", REQUEST)
    _finish(installed, 2)
    first, second = shell.json("--list-jobs")
    assert datetime.fromisoformat(first.pop("created_at")).utcoffset() is not None
    assert first == {
        "id": 1,
        "resource": "aurora",
        "state": "pending",
        "fate": "",
        "reason": "",
        "mail_from": "org@example.net",
        "rcpt_to": "aurora@example.org",
        "message_id": "<j@x>",
        "subject": "Kickoff",
        "size": len(REQUEST),
        "attempts": 0,
        "finished_at": None,
    }
    assert (second["state"], second["fate"]) == ("done", "accepted")
    assert second["finished_at"] == "1970-01-01T00:00:01+00:00"
    assert [row["id"] for row in shell.json("--list-jobs", "beamers")] == [2]
    heading, line = shell.ok("--list-jobs", "beamers").splitlines()
    assert heading.split()[:2] == ["ID", "Resource"]
    assert line.split()[:4] == ["2", "beamers", "done", "accepted"]


def test_a_job_is_shown_with_its_message_while_it_is_pending(
    shell: Shell, installed: Installed
) -> None:
    installed.queue_job("aurora", REQUEST)
    shown = shell("--show-job", "1").stdout_bytes
    assert b"resource:    aurora" in shown
    assert shown.endswith(b"\n\n" + REQUEST)
    assert base64.b64decode(shell.json("--show-job", "1")["message_base64"]) == REQUEST
    _finish(installed, 1)
    assert b"exact" not in shell("--show-job", "1").stdout_bytes
    assert shell.json("--show-job", "1")["message_base64"] is None


def test_a_job_outlives_its_user(shell: Shell, installed: Installed) -> None:
    installed.queue_job("aurora", REQUEST)
    shell.ok("-d", "aurora")
    assert shell.json("--list-jobs")[0]["resource"] == "aurora"


def test_a_pending_job_is_tried_again(shell: Shell, installed: Installed) -> None:
    installed.queue_job("aurora", REQUEST)
    with installed.database.write() as connection:
        connection.execute(update(job).values(attempts=5, not_before=9e9, tried_since=1.0))
    assert shell.ok("--retry-job", "1") == "Job 1 is due now.\n"
    with installed.database.read() as connection:
        row = connection.execute(job.select()).one()
    assert (row.attempts, row.not_before) == (0, 0)
    assert row.tried_since > 1e9
    _finish(installed, 1)
    assert "job 1 is done (accepted)" in shell.refuses("--retry-job", "1")


@pytest.mark.parametrize("state", ["queued", "sent", "failed"])
def test_the_outbox(shell: Shell, installed: Installed, state: str) -> None:
    installed.queue_mail("aurora", REQUEST)
    with installed.database.write() as connection:
        connection.execute(update(outbox).values(state=state, last_reply="250 ok"))
    (entry,) = shell.json("--list-outbox")
    created, due = entry.pop("created_at"), entry.pop("next_attempt_at")
    assert due == (created if state == "queued" else None)
    assert created.endswith("+00:00")
    assert entry == {
        "id": 1,
        "kind": "reply",
        "owner": "aurora",
        "mail_from": "aurora@example.org",
        "rcpt_to": "org@example.net",
        "subject": "Accepted",
        "message_id": "<o@x>",
        "state": state,
        "attempts": 0,
        "last_reply": "250 ok",
    }
    assert state in shell.ok("--list-outbox")


def test_a_mail_of_the_outbox_is_shown_byte_by_byte(shell: Shell, installed: Installed) -> None:
    installed.queue_mail("aurora", REQUEST)
    assert shell("--show-outbox", "1").stdout_bytes == REQUEST
