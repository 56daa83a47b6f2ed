"""Which events the commands leave, and running their scripts by hand."""

import shlex
from pathlib import Path

import pytest

from tests.admin.shell import Installed, Shell

COMMANDS = """
-c ben -e ben@example.org
-u ben -f "Ben Okoro"
-g sales
--update-group sales -e sales@example.org
-b ben -i sales
-G sales
--create-company acme
-c eva -I acme -e eva@acme.example
-d eva
--delete-company acme
-d ben
"""


def test_each_change_leaves_its_event(shell: Shell) -> None:
    stores = []
    for line in COMMANDS.strip().splitlines():
        words = shlex.split(line)
        if words[0] == "-d":
            stores.append(shell.json("--details", words[1])["store_guid"])
        shell.ok(*words)
    events = shell.json("--list-events")
    assert [(one["event"], *one["variables"]) for one in events] == [
        ("createuser", "KOPANO_USER"),
        ("creategroup", "KOPANO_GROUP"),
        ("deletegroup", "KOPANO_GROUPID"),
        ("createcompany", "KOPANO_COMPANY"),
        ("createuser", "KOPANO_USER"),
        ("deleteuser", "KOPANO_STOREID"),
        ("deletecompany", "KOPANO_COMPANYID"),
        ("deleteuser", "KOPANO_STOREID"),
    ]
    values = [next(iter(one["variables"].values())) for one in events]
    assert (values[0], values[1], values[3], values[4]) == ("ben", "sales", "acme", "eva@acme")
    assert [values[5], values[7]] == stores
    assert {one["state"] for one in events} == {"pending"}


def test_what_fails_leaves_none(embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    before = shell.json("--list-events")
    shell.refuses("-c", "anna", "-e", "other@example.org")
    shell.refuses("-G", "nobody")
    assert shell.json("--list-events") == before


def test_who_has_no_store_leaves_without_an_event(embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    shell.ok("--unhook-store", "anna")
    before = shell.json("--list-events")
    assert shell.ok("-d", "anna") == "User anna deleted.\n"
    assert shell.json("--list-events") == before


@pytest.fixture
def script(embedded: tuple[Shell, Installed], tmp_path: Path) -> Path:
    """A script of createuser, which writes into a file whom it was run for."""
    shell, _ = embedded
    shell.environment["DAGENT_EVENTS_SCRIPTS_DIRECTORY"] = str(tmp_path / "scripts")
    path = tmp_path / "scripts" / "createuser.d" / "10-greet"
    path.parent.mkdir(parents=True)
    path.write_text(f'#!/bin/sh\necho "hello $KOPANO_USER" | tee -a {tmp_path}/greeted\n')
    path.chmod(0o755)
    return tmp_path / "greeted"


def test_they_are_run_by_hand(embedded: tuple[Shell, Installed], script: Path) -> None:
    shell, _ = embedded
    said = shell.ok("--run-events")
    assert said == "3 events run; --list-events shows what became of each.\n"
    assert script.read_text().splitlines() == ["hello anna", "hello aurora", "hello beamers"]
    assert {one["state"] for one in shell.json("--list-events")} == {"done"}
    assert "hello anna" in shell.ok("--list-events")
    assert shell.ok("--run-events").startswith("0 events")


def test_verbosely_the_log_is_shown(embedded: tuple[Shell, Installed], script: Path) -> None:
    shell, _ = embedded
    result = shell("--run-events", "-v")
    assert result.exit_code == 0
    assert "createuser.d/10-greet: hello anna" in result.stderr
    assert shell("-l").stderr == ""
