"""The audit of bookings from the command line: what it prints, and how it ends."""

import json
import shlex
from typing import Any

import pytest

from tests.admin.booked import FIRST, HOUR, book_series, in_berlin
from tests.admin.shell import Installed, Shell


def found(shell: Shell, *words: str, status: int) -> Any:
    """What an audit finds as JSON, when it ends with this exit code."""
    result = shell("--audit-bookings", *words, "--json")
    assert (result.exit_code, result.stderr) == (status, "")
    return json.loads(result.stdout)


def sql(installed: Installed, statement: str) -> None:
    with installed.database.write() as connection:
        connection.exec_driver_sql(statement)


def test_nothing_is_wrong(shell: Shell, installed: Installed) -> None:
    book_series(installed, "aurora", "u1", places=1)
    book_series(installed, "beamers", "u1", places=3)
    book_series(installed, "beamers", "u2", places=3)
    assert shell.ok("--audit-bookings") == "Nothing is wrong with what is booked.\n"
    assert found(shell, "beamers", status=0) == []


def test_what_is_booked_twice(shell: Shell, installed: Installed) -> None:
    book_series(installed, "aurora", "u1", places=1)
    book_series(installed, "aurora", "u2", places=1)
    result = shell("--audit-bookings")
    assert result.exit_code == 1
    assert not result.stderr
    heading, *lines = result.stdout.splitlines()
    assert heading.split()[:5] == ["Resource", "Kind", "Start", "End", "UID"]
    assert len(lines) == 3
    assert lines[0].split()[:7] == [
        "aurora",
        "over-capacity",
        in_berlin(FIRST),
        in_berlin(FIRST + HOUR),
        "u1;",
        "u2",
        "NO",
    ]
    assert "2 bookings where 1 may be: Stand-up; Stand-up" in lines[0]
    assert shell("--audit-bookings", "beamers").exit_code == 0


def test_what_to_do_about_it_can_be_typed(shell: Shell, installed: Installed) -> None:
    book_series(installed, "aurora", "u1", places=1)
    book_series(installed, "aurora", "it's; rm -rf $HOME", places=1)
    first, *_ = found(shell, "aurora", status=1)
    command = shlex.split(first["remedy"].partition("for example: ")[2])
    assert command == ["kopano-admin", "--cancel-booking", "aurora", first["uids"][-1]]
    shell.ok(*command[1:])
    assert found(shell, "aurora", status=0) == []


def test_what_a_lowered_capacity_leaves_is_allowed(shell: Shell, installed: Installed) -> None:
    book_series(installed, "beamers", "u1", places=3)
    book_series(installed, "beamers", "u2", places=3)
    shell.ok("-u", "beamers", "--capacity", "1")
    first, *others = found(shell, "beamers", status=0)
    assert len(others) == 2
    assert first.pop("remedy").startswith("nothing")
    assert first == {
        "resource": "beamers",
        "kind": "over-capacity",
        "start": FIRST.isoformat(),
        "end": (FIRST + HOUR).isoformat(),
        "uid": "",
        "recurrence_id": "",
        "allowed": True,
        "problem": "2 bookings where 1 may be",
        "use": 2,
        "capacity": 1,
        "uids": ["u1", "u2"],
        "summaries": ["Stand-up", "Stand-up"],
    }
    line = shell.ok("--audit-bookings").splitlines()[1]
    assert " yes " in line
    # One that came later, when there was a single piece, had no place.
    sql(installed, "UPDATE booking SET places = 1")
    assert {one["allowed"] for one in found(shell, "beamers", status=1)} == {False}


@pytest.mark.parametrize(
    ("statement", "kind", "problem"),
    [
        (
            "UPDATE booking SET silence = ''",
            "no-reply",
            "accepted, but org@example.net got no reply",
        ),
        ("UPDATE booking SET state = 'declined', object_id = NULL", "orphan", "a declined booking"),
        ("UPDATE booking SET source = 'nonsense'", "orphan", "cannot be read any more"),
        (
            "DELETE FROM occurrence WHERE id = (SELECT min(id) FROM occurrence)",
            "orphan",
            "1 occurrence not held although booked",
        ),
    ],
)
def test_each_kind_is_shown(
    shell: Shell, installed: Installed, statement: str, kind: str, problem: str
) -> None:
    book_series(installed, "aurora", "u1", places=1)
    sql(installed, statement)
    said = found(shell, "aurora", status=1)
    assert any(one["kind"] == kind and problem in one["problem"] for one in said)
    assert {one["uid"] for one in said} == {"u1"}
    assert not any(one["allowed"] for one in said)
    result = shell("--audit-bookings")
    assert result.exit_code == 1
    assert problem in result.stdout


def test_a_rebuild_mends_what_it_is_named_for(shell: Shell, installed: Installed) -> None:
    book_series(installed, "aurora", "u1", places=1)
    book_series(installed, "aurora", "u2", rule="FREQ=DAILY;COUNT=3;INTERVAL=5", places=1)
    sql(installed, "UPDATE occurrence SET object_id = NULL")
    sql(installed, "UPDATE booking SET object_id = NULL")
    sql(installed, "DELETE FROM calendar_object WHERE uid = 'u2'")
    said = found(shell, "aurora", status=1)
    assert {one["kind"] for one in said} == {"orphan", "over-capacity"}
    orphans = [one for one in said if one["kind"] == "orphan"]
    assert {one["remedy"] for one in orphans} == {"kopano-admin --rebuild-occurrences aurora"}
    shell.ok("--rebuild-occurrences", "aurora")
    assert {one["kind"] for one in found(shell, "aurora", status=1)} == {"over-capacity"}


def test_an_orphaned_calendar_is_left_out(shell: Shell, installed: Installed) -> None:
    book_series(installed, "aurora", "u1", places=1)
    book_series(installed, "aurora", "u2", places=1)
    shell.ok("-d", "aurora")
    assert shell.json("--audit-bookings") == []


def test_a_resource_that_is_gone_hides_no_other(shell: Shell, installed: Installed) -> None:
    for name in ("aurora", "beamers"):
        book_series(installed, name, "u1")
        sql(installed, "UPDATE booking SET silence = ''")
    sql(installed, "UPDATE mailbox_store SET external_id = 'gone' WHERE owner_name = 'aurora'")
    assert {one["resource"] for one in found(shell, status=1)} == {"beamers"}
