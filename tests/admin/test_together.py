"""What belongs together is one transaction: a failure at its end leaves nothing of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from mailcore.errors import TemporaryError
from store.engine import Database
from tests.admin.shell import Installed, Shell
from tests.support.waiting import wait_for
from userstore.db import DbUserStore
from userstore.db_edit import DbEditor

COMMANDS = [
    "-c ben -e ben@example.org --mr-accept yes",
    "-d anna",
    "-g sales",
    "-G crew",
    "--create-company globex",
    "--delete-company acme",
]


@pytest.mark.parametrize("typed", COMMANDS)
def test_all_or_nothing(
    typed: str, embedded: tuple[Shell, Installed], monkeypatch: pytest.MonkeyPatch
) -> None:
    shell, installed = embedded
    shell.ok("-g", "crew")
    shell.ok("--create-company", "acme")
    before = installed.contents()

    def fail(*_: object) -> None:
        raise TemporaryError("database: disk I/O error")

    for module in ("users", "groups", "companies"):
        monkeypatch.setattr(f"admin.{module}.add_event", fail)
    result = shell(*typed.split())
    assert (result.exit_code, result.stdout) == (os.EX_TEMPFAIL, "")
    assert result.stderr == "kopano-admin: database: disk I/O error\n"
    assert installed.contents() == before
    monkeypatch.undo()
    shell.ok(*typed.split())
    assert installed.contents() != before


def test_the_cache_of_every_process_is_cleared(embedded: tuple[Shell, Installed]) -> None:
    shell, installed = embedded
    before = installed.contents()
    shell.ok("--clear-cache")
    after = installed.contents()
    assert {name for name in after if after[name] != before[name]} == {"counter"}


def test_a_store_is_not_hooked_to_somebody_who_is_being_deleted(
    postgres_url: str, tmp_path: Path
) -> None:
    shell = Shell(postgres_url, tmp_path)
    shell.ok("-c", "anna", "-e", "anna@example.org")
    guid = shell.json("--details", "anna")["store_guid"]
    shell.ok("--unhook-store", "anna")
    database = Database(postgres_url)
    (anna,) = DbUserStore(database).by_name("anna")
    try:
        with database.write() as connection:
            DbEditor().delete_user(connection, anna.external_id)
            hooking = subprocess.Popen(
                [sys.executable, "-m", "admin.main", "--hook-store", guid, "-u", "anna"],
                env=shell.environment,
                stderr=subprocess.PIPE,
                text=True,
            )
            waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            wait_for(lambda: connection.execute(waiting).scalar(), timeout=20, what="hooking waits")
        _, said = hooking.communicate(timeout=20)
    finally:
        database.close()
    assert (hooking.returncode, said.partition(";")[0]) == (1, "kopano-admin: no user 'anna'")
    assert [one["guid"] for one in shell.json("--list-orphans")["stores"]] == [guid]
