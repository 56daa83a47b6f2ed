"""Creating, changing, deleting, listing and showing users, as the manual types it."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from store.engine import Database
from store.schema import account, mailbox_store
from tests.admin.shell import Installed, Shell
from tests.support.waiting import wait_for
from userstore.db import DbUserStore


def test_the_manuals_create_command(shell: Shell) -> None:
    typed = ("-c", "john", "-p", "secret", "-e", "john@example.com", "-f", "John Doe", "-a", "1")
    assert shell.ok(*typed) == "User john created.\n"
    details = shell.json("--details", "john")
    assert details["fullname"] == "John Doe"
    assert details["address"] == "john@example.com"
    assert details["active"] is True
    assert details["admin_level"] == 1
    assert details["type"] == "user"
    assert details["features"] == ["mobile", "outlook"]


def test_a_user_gets_a_mailbox_with_default_folders(installed: Installed) -> None:
    mailbox = installed.mailbox("anna")
    assert {"Inbox", "Deleted Items", "Junk E-mail"} <= set(mailbox.folders)


def test_everything_can_be_set_at_creation(shell: Shell) -> None:
    shell.ok(
        *("-c", "-u", "cars", "-e", "cars@example.org", "-n", "equipment", "--capacity", "4"),
        *("--timezone", "Asia/Tokyo", "--mr-accept", "yes", "--mr-decline-recurring", "yes"),
        *("--add-alias", "car@example.org", "--add-alias", "auto@example.org"),
        *("--enable-feature", "imap", "--disable-feature", "mobile", "--disable-feature", "pop3"),
    )
    details = shell.json("--details", "cars")
    assert details["active"] is False
    assert (details["type"], details["capacity"]) == ("equipment", 4)
    assert details["timezone"] == "Asia/Tokyo"
    assert details["mr_accept"] is details["mr_decline_recurring"] is True
    assert details["mr_decline_conflict"] is False
    assert details["aliases"] == ["auto@example.org", "car@example.org"]
    assert details["features"] == ["imap", "outlook"]
    assert details["disabled_features"] == ["mobile", "pop3"]


@pytest.mark.parametrize(
    ("typed", "active", "kind"),
    [
        ("1", False, "user"),
        ("yes", False, "user"),
        ("0", True, "user"),
        ("NO", True, "user"),
        ("room", False, "room"),
        ("Equipment", False, "equipment"),
    ],
)
def test_non_active(embedded: tuple[Shell, Installed], typed: str, active: bool, kind: str) -> None:
    shell, _ = embedded
    shell.ok("-c", "new", "-e", "new@example.org", "-n", typed)
    details = shell.json("--details", "new")
    assert (details["active"], details["type"]) == (active, kind)


def test_a_resource_that_is_made_active_stays_one(embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    shell.ok("-u", "beamers", "-n", "0")
    details = shell.json("--details", "beamers")
    assert (details["active"], details["type"], details["capacity"]) == (True, "equipment", 3)


@pytest.mark.parametrize(("typed", "level"), [("0", 0), ("no", 0), ("1", 1), ("yes", 1), ("2", 2)])
def test_administrator(embedded: tuple[Shell, Installed], typed: str, level: int) -> None:
    shell, _ = embedded
    shell.ok("-u", "anna", "-a", typed)
    assert shell.json("--details", "anna")["admin_level"] == level


def test_a_change_leaves_the_rest_alone(shell: Shell, installed: Installed) -> None:
    before = shell.json("--details", "aurora")
    assert shell.ok("-u", "aurora", "--mr-decline-recurring", "yes") == "User aurora changed.\n"
    assert shell.json("--details", "aurora") == {**before, "mr_decline_recurring": True}


def test_renaming_keeps_the_mailbox_and_the_password(shell: Shell, installed: Installed) -> None:
    before = shell.json("--details", "anna")
    shell.ok("-u", "anna", "-U", "annika")
    after = shell.json("--details", "annika")
    assert after == {**before, "name": "annika"}
    assert installed.mailbox("annika").owner_name == "annika"
    assert DbUserStore(installed.database).authenticate("annika", "blue-heron-4")


def test_values_can_be_cleared(shell: Shell, installed: Installed) -> None:
    shell.ok("-u", "anna", "-f", "", "--timezone", "Europe/Rome")
    shell.ok("-u", "anna", "--timezone", "")
    details = shell.json("--details", "anna")
    assert (details["fullname"], details["timezone"]) == ("", "UTC")


def test_the_password_is_asked_for_twice(shell: Shell, installed: Installed) -> None:
    result = shell("-u", "anna", "-P", stdin="warm-bread-2\nwarm-bread-2\n")
    assert result.exit_code == 0
    assert result.stdout == "User anna changed.\n"
    assert "warm-bread-2" not in result.output
    users = DbUserStore(installed.database)
    assert users.authenticate("anna", "warm-bread-2")
    assert not users.authenticate("anna", "blue-heron-4")


def test_no_password_is_no_change(embedded: tuple[Shell, Installed]) -> None:
    shell, installed = embedded
    before = installed.contents()
    result = shell("-u", "anna", "-f", "New", "-P", stdin="one\n")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == "kopano-admin: interrupted; nothing was changed"
    assert installed.contents() == before


def test_the_password_is_stored_as_a_hash_only(installed: Installed) -> None:
    assert "blue-heron-4" not in repr(installed.contents())
    assert "$argon2" in repr(installed.contents())


def test_deleting_keeps_the_mailbox(shell: Shell, installed: Installed) -> None:
    mailbox = installed.mailbox("anna")
    installed.deliver("anna", b"Subject: keep me\r\n\r\nx\r\n")
    assert shell.ok("-d", "anna") == f"User anna deleted. The mailbox {mailbox.guid} is kept.\n"
    assert [user["name"] for user in shell.json("-l")] == ["aurora", "beamers"]
    with installed.database.read() as connection:
        query = mailbox_store.select().where(mailbox_store.c.id == mailbox.id)
        row = connection.execute(query).one()
    assert (row.external_id, row.owner_name) == (None, "anna")
    assert shell.json("--store-stats")["mails"] == 1
    shell.ok("-c", "anna", "-e", "anna@example.org")
    assert installed.mailbox("anna").id != mailbox.id


def test_listing_as_json(shell: Shell, installed: Installed) -> None:
    assert shell.json("-l") == [
        {
            "name": "anna",
            "fullname": "Anna Berg",
            "address": "anna@example.org",
            "active": True,
            "type": "user",
            "mr_accept": False,
            "company": "",
        },
        {
            "name": "aurora",
            "fullname": "",
            "address": "aurora@example.org",
            "active": False,
            "type": "room",
            "mr_accept": True,
            "company": "",
        },
        {
            "name": "beamers",
            "fullname": "",
            "address": "beamers@example.org",
            "active": False,
            "type": "equipment",
            "mr_accept": False,
            "company": "",
        },
    ]


def test_listing_in_columns(embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    heading, *lines = shell.ok("-l").splitlines()
    assert heading.split("  ")[0] == "Name"
    assert lines[1].split() == ["aurora", "aurora@example.org", "room", "no", "yes"]
    assert len({line.index("@") - len(line.split("@")[0].split()[-1]) for line in lines}) == 1


def test_details_as_the_manual_shows_them(embedded: tuple[Shell, Installed]) -> None:
    shell, installed = embedded
    shell.ok("-u", "aurora", "--add-alias", "hall@example.org")
    assert shell.ok("--details", "hall@EXAMPLE.org").splitlines() == [
        "Name:                         aurora",
        "Full name:",
        "Email address:                aurora@example.org",
        "Aliases:                      hall@example.org",
        "Active:                       no",
        "Administrator:                no",
        "Address Book:                 visible",
        "Features:                     mobile; outlook",
        "Type:                         room",
        "Capacity:                     1 (a room)",
        "Timezone:                     Europe/Berlin",
        f"Store:                        {installed.mailbox('aurora').guid}",
        "Store size:                   0.00 MB",
        "Auto-accept meeting requests: yes",
        "Decline conflicting meetings: yes",
        "Decline recurring meetings:   no",
        "Out-Of-Office:                disabled",
        "Current user store quota settings:",
        "    Quota overrides: no",
        "    Warning level:   unlimited",
        "    Soft level:      unlimited",
        "    Hard level:      unlimited",
        "Groups (1):",
        "              Everyone",
    ]


def test_control_characters_of_a_name_do_not_reach_the_terminal(
    embedded: tuple[Shell, Installed],
) -> None:
    shell, _ = embedded
    shell.ok("-u", "anna", "-f", "Anna\x1b[2J\nBerg")
    assert "\x1b" not in shell.ok("-l")
    assert "Anna [2J Berg" in shell.ok("-l")


def test_two_administrators_create_the_same_user_at_once(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shell = Shell(postgres_url, tmp_path_factory.mktemp("data"))
    shell.ok("-l")
    database = Database(postgres_url)
    typed = ["-c", "ben", "-e", "ben@example.org", "-p", "tall-ladder-9"]
    try:
        with database.write() as connection:
            connection.execute(insert(account), [{"name": "ben", "created_at": 0.0}])
            second = subprocess.Popen(
                [sys.executable, "-m", "admin.main", *typed],
                env=shell.environment,
                stderr=subprocess.PIPE,
                text=True,
            )
            waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            wait_for(
                lambda: connection.execute(waiting).scalar(), timeout=20, what="the second waits"
            )
        _, said = second.communicate(timeout=20)
    finally:
        database.close()
    assert second.returncode == 1
    assert "somebody else has just taken that name or address" in said
    assert "tall-ladder" not in said
    assert "argon2" not in said


# -- the next hop


@pytest.mark.usefixtures("installed")
def test_a_next_hop_is_set_shown_and_taken_away(shell: Shell) -> None:
    shell.ok("-u", "anna", "--deliver-via", "lmtp:unix:/run/dovecot/lmtp")
    assert shell.json("--details", "anna")["deliver_via"] == "lmtp:unix:/run/dovecot/lmtp"
    assert "Mail goes to:" in shell.ok("--details", "anna")
    shell.ok("-u", "anna", "--deliver-via", "store")
    shell.ok("-u", "anna", "--deliver-via", "")
    assert shell.json("--details", "anna")["deliver_via"] == ""
    assert "Mail goes to" not in shell.ok("--details", "anna")


@pytest.mark.usefixtures("installed")
def test_what_is_no_next_hop_changes_nothing(shell: Shell) -> None:
    expected = "--deliver-via: expected store, lmtp:unix:/path or lmtp:host:port, not 'dovecot'"
    assert expected in shell.refuses("-u", "anna", "--deliver-via", "dovecot", "-f", "Ann")
    assert shell.json("--details", "anna")["fullname"] != "Ann"


@pytest.mark.usefixtures("installed")
def test_rules_name_the_folders_of_the_next_hop(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "rule.json"
    file.write_text('{"name": "lists", "then": [{"move": "Lists"}]}')
    assert "has no folder 'Lists'" in shell.refuses("--add-rule", "anna", str(file))
    shell.ok("-u", "anna", "--deliver-via", "lmtp:localhost:24")
    shell.ok("--add-rule", "anna", str(file))
