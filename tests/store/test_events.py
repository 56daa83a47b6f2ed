"""Directory events: in order, one at a time, under a lease, at least once."""

import threading

import pytest
from sqlalchemy import delete, update

from mailcore.settings import RetentionSettings
from store.engine import Database
from store.events import (
    DONE,
    EVENT_VARIABLES,
    FAILED,
    PENDING,
    DirectoryEvent,
    add_event,
    finish_event,
    finish_same,
    lease_event,
    list_events,
    release_event,
    renew_event,
)
from store.prune import prune
from store.schema import directory_event
from tests.support.databases import wait_for_a_waiting_lock
from tests.support.mailboxes import PostOffice

LEASE = 60.0


@pytest.fixture
def database(post_office: PostOffice) -> Database:
    """The shared database without events."""
    with post_office.database.write() as connection:
        connection.execute(delete(directory_event))
    return post_office.database


def add(database: Database, *users: str) -> list[int]:
    with database.write() as connection:
        return [add_event(connection, "createuser", {"KOPANO_USER": user}) for user in users]


def taken(database: Database) -> DirectoryEvent:
    event = lease_event(database, LEASE)
    assert event is not None
    return event


def listed(database: Database) -> list[DirectoryEvent]:
    with database.read() as connection:
        return list_events(connection)


def let_leases_run_out(database: Database) -> None:
    with database.write() as connection:
        connection.execute(update(directory_event).values(lease_until=0))


def test_an_event_is_written_with_the_change_or_not_at_all(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as connection:
        add_event(connection, "createuser", {"KOPANO_USER": "anna"})
        raise RuntimeError
    assert listed(database) == []


@pytest.mark.parametrize("name", EVENT_VARIABLES)
def test_variables_come_back_as_an_environment_takes_them(database: Database, name: str) -> None:
    (variable,) = EVENT_VARIABLES[name]
    with database.write() as connection:
        add_event(connection, name, {variable: "a\0b='ü\udcff\n"})
    event = taken(database)
    assert (event.name, event.variables) == (name, {variable: "ab='ü?\n"})
    assert event.state == PENDING


@pytest.mark.parametrize(
    "variables", [{}, {"KOPANO_GROUP": "x"}, {"KOPANO_USER": "x", "LD_PRELOAD": "y"}]
)
def test_other_variables_are_refused(database: Database, variables: dict[str, str]) -> None:
    with database.write() as connection, pytest.raises(ValueError, match="createuser"):
        add_event(connection, "createuser", variables)


def test_one_at_a_time_in_order(database: Database) -> None:
    ids = add(database, "anna", "ben")
    first = taken(database)
    assert first.id == ids[0]
    assert lease_event(database, LEASE) is None, "the second may not overtake"
    assert finish_event(database, first, DONE, "fine")
    second = taken(database)
    assert second.id == ids[1]
    assert finish_event(database, second, FAILED, "broken")
    assert lease_event(database, LEASE) is None
    assert [(e.state, e.output) for e in listed(database)] == [(DONE, "fine"), (FAILED, "broken")]
    assert all(e.finished_at and e.finished_at >= e.created_at for e in listed(database))


def test_what_is_released_or_has_run_out_is_taken_again(database: Database) -> None:
    (event_id,) = add(database, "anna")
    release_event(database, taken(database))
    lost = taken(database)
    let_leases_run_out(database)
    again = taken(database)
    assert lost.id == again.id == event_id
    assert not finish_event(database, lost, DONE, "")
    assert not renew_event(database, lost, LEASE)
    release_event(database, lost)
    assert lease_event(database, LEASE) is None, "it is still held"
    assert renew_event(database, again, LEASE)
    assert finish_event(database, again, DONE, "")
    assert not finish_event(database, again, FAILED, "")
    assert [event.state for event in listed(database)] == [DONE]


def test_renewing_holds_a_lease_for_longer(database: Database) -> None:
    add(database, "anna")
    event = taken(database)
    let_leases_run_out(database)
    assert renew_event(database, event, LEASE)
    assert lease_event(database, LEASE) is None


def test_the_end_of_a_long_output_is_kept(database: Database) -> None:
    add(database, "anna")
    assert finish_event(database, taken(database), DONE, "x" * 10_000 + "\0end")
    (event,) = listed(database)
    assert event.output.endswith("xend")
    assert len(event.output) < 5000


def test_events_without_scripts_end_together(database: Database) -> None:
    add(database, "anna", "ben")
    with database.write() as connection:
        add_event(connection, "creategroup", {"KOPANO_GROUP": "staff"})
    add(database, "carla")
    assert finish_same(database, taken(database)) == 3
    assert [event.state for event in listed(database)] == [DONE, DONE, PENDING, DONE]
    assert taken(database).name == "creategroup"


def test_of_two_who_ask_at_once_one_gets_it(post_office: PostOffice, database: Database) -> None:
    """On PostgreSQL the second waits for the first's row lock and then finds the lease taken."""
    add(database, "anna")
    if database.embedded:
        events = [lease_event(database, LEASE) for _ in range(2)]
        assert [event is not None for event in events] == [True, False]
        return
    found: list[DirectoryEvent | None] = []
    other = threading.Thread(target=lambda: found.append(lease_event(database, LEASE)))
    with database.write() as connection:
        connection.execute(update(directory_event).values(lease_until=2**40, lease_token="first"))
        other.start()
        wait_for_a_waiting_lock(database)
    other.join(30)
    assert found == [None]


def test_finished_events_are_forgotten_after_the_retention_of_jobs(database: Database) -> None:
    add(database, "anna", "ben", "carla", "dora")
    now = 1_893_456_000.0
    for state, finished_at in ((DONE, now - 21), (FAILED, now - 21), (DONE, now - 20)):
        event = taken(database)
        assert finish_event(database, event, state, "")
        with database.write() as connection:
            changed = update(directory_event).where(directory_event.c.id == event.id)
            connection.execute(changed.values(finished_at=finished_at))
    prune(database, RetentionSettings(jobs=20.0), now)
    kept = [(event.variables["KOPANO_USER"], event.state) for event in listed(database)]
    assert kept == [("carla", DONE), ("dora", PENDING)]
