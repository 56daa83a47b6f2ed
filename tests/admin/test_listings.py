"""Listing many users, and the users of a plugin that is managed elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.admin.shell import Shell
from tests.userstore.memory_plugin import MemoryUserStore
from userstore.everyone import WithEveryone
from userstore.model import Group, User
from userstore.plugins import Plugin

MANY = 1200


def people(count: int) -> MemoryUserStore:
    users = [User(f"ldap:{n}", f"u{n:04}", "", f"u{n:04}@example.org") for n in range(count)]
    group = Group("ldap:group", "sales")
    store = MemoryUserStore([*users, group])
    store.put(group, *users[:2])
    return store


@pytest.fixture
def ldap(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """An installation whose users are in LDAP: there is no editor."""
    plugin = Plugin(WithEveryone(people(MANY)), None)
    monkeypatch.setattr("admin.context.open_plugin", lambda *_: plugin)
    return shell


def test_every_one_is_listed_once(ldap: Shell) -> None:
    names = [f"u{n:04}" for n in range(MANY)]
    assert [line.split()[0] for line in ldap.ok("-l").splitlines()[1:]] == names
    assert [user["name"] for user in ldap.json("-l")] == names
    assert ldap.json("--user-count") == {
        "active": MANY,
        "non_active": 0,
        "rooms": 0,
        "equipment": 0,
        "total": MANY,
    }
    assert ldap.ok("--list-orphans").splitlines()[3] == f"Users without stores ({MANY}):"


def test_what_is_managed_elsewhere_is_shown_and_cannot_be_changed(ldap: Shell) -> None:
    details = ldap.json("--details", "u0001")
    assert (details["groups"], details["store_guid"]) == (["Everyone", "sales"], None)
    assert len(ldap.json("--details", "--type", "group", "sales")["users"]) == 2
    says = "users of the db plugin are managed in DB, not here"  # the name is that of the settings
    for typed in (
        "-c ben -e ben@example.org",
        "-u u0001 -f Ben",
        "-d u0001",
        "-g all",
        "-G sales",
        "--update-group sales --hidden yes",
        "-b u0003 -i sales",
        "-B u0001 -i sales",
        "--add-sendas u0001 -u u0002",
        "--remove-sendas u0001 -u u0002",
        "--create-company acme",
    ):
        assert ldap.refuses(*typed.split()) == says, typed


def test_a_mailbox_of_somebody_managed_elsewhere(ldap: Shell) -> None:
    assert "has no mailbox yet: --create-store makes one" in ldap.refuses("--list-mail", "u0001")
    ldap.ok("--create-store", "-u", "u0001")
    ldap.ok("-u", "u0001", "--mr-accept", "yes", "--timezone", "Europe/Rome")
    assert ldap.json("--details", "u0001")["mr_accept"] is True
    ldap.ok("--set-rights", "u0001", "sales", "read", "--folder", "Inbox")
    assert ldap.json("--list-rights", "u0001", "--folder", "Inbox")[0]["subject"] == "sales"
    assert [user["name"] for user in ldap.json("-l") if user["mr_accept"]] == ["u0001"]


def test_a_reader_that_has_enough_is_no_trouble(tmp_path: Path) -> None:
    shell = Shell(f"sqlite:///{tmp_path / 'kopano.db'}", tmp_path)
    shell.ok("-g", "g")
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "admin.main", "-L"],
            env=shell.environment,
            stdout=closed,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.stderr == b""
