"""What belongs together is one transaction: a failure at its end leaves nothing of it."""

import os

import pytest

from mailcore.errors import TemporaryError
from tests.admin.shell import Installed, Shell

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
