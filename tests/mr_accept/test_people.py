"""Who asks: people of the directory by their addresses, and what they may do by a policy's lists."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import event

from mailcore.errors import TemporaryError
from mailcore.settings import DeliverySettings, Settings, UserStoreSettings
from mr_accept.decision import Standing
from mr_accept.people import People
from mr_accept.policy import BookingPolicy
from store.engine import Database
from store.mailboxes import create_mailbox
from store.migrate import ensure_schema
from tests.support.databases import shared_url
from tests.userstore.memory_plugin import MemoryUserStore
from userstore.db_edit import DbEditor
from userstore.model import Entry, Group, User
from userstore.plugins import open_plugin
from userstore.resolve import Directory, Recipient

editor = DbEditor()


@dataclass
class Town:
    """Two companies and who is in none.

    Anna is in board, which is in staff; Ben has no mailbox yet; Carol gets what is nobody's; Dora is in acme and its
    board.
    """

    database: Database

    def __post_init__(self) -> None:
        self.directory = Directory(
            open_plugin(Settings(), self.database).users, self.database, UserStoreSettings()
        )
        with self.database.write() as connection:
            editor.create_company(connection, "Acme")
        anna = self.user("anna", add_aliases=["Berg@example.org", "anna@example.net"])
        self.user("ben", mailbox=False, add_aliases=["benjamin@example.org"])
        self.user("carol", add_aliases=["@example.org"])
        dora = self.user("Dora", address="dora@acme.example", company="Acme")
        self.user("hall", address="hall@acme.example", company="Acme")
        self.user("room")
        board = self.group("board", anna)
        self.group("staff", board)
        self.group("board", dora, company="Acme", address="board@acme.example")

    def user(self, name: str, *, company: str = "", mailbox: bool = True, **values: Any) -> User:
        with self.database.write() as connection:
            values = {"address": f"{name}@example.org", **values}
            user = editor.create_user(connection, name, values, company)
            if mailbox:
                create_mailbox(connection, user.external_id, name)
        return user

    def group(
        self, name: str, member: User | Group, *, company: str = "", address: str = ""
    ) -> Group:
        with self.database.write() as connection:
            values = {"address": address or f"{name}@example.org"}
            group = editor.create_group(connection, name, values, company)
            editor.add_member(connection, group.external_id, member.external_id)
        return group

    def resource(self, address: str = "room@example.org") -> Recipient:
        return self.directory.resolve(address)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def town(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    with closing(Database(shared_url(request, tmp_path_factory))) as database:
        ensure_schema(database)
        opened = Town(database)
        with closing(opened.directory):
            yield opened


ANNA = {"anna@example.org", "berg@example.org", "anna@example.net"}

PERSONS = [
    ("anna@example.org", ANNA),
    ("BERG@example.org", ANNA),
    ("anna+rooms@example.org", {*ANNA, "anna+rooms@example.org"}),
    ("benjamin@example.org", {"ben@example.org", "benjamin@example.org"}),  # no mailbox yet
    ("carol@example.org", {"carol@example.org"}),
    ("carol+list@example.org", {"carol+list@example.org", "carol@example.org"}),
    ("nobody@example.org", {"nobody@example.org"}),  # Carol gets its mail, and is not it
    ("nobody+x@example.org", {"nobody+x@example.org"}),
    ("DORA@acme", {"dora@acme", "dora@acme.example"}),
    ("board@example.org", {"board@example.org"}),  # a group is no person
    ("Eve@example.com", {"eve@example.com"}),
    ("anna", {"anna"}),  # a name is no address
    ("@example.org", {"@example.org"}),
    ("", {""}),
]


@pytest.mark.parametrize(("address", "addresses"), PERSONS)
def test_all_addresses_of_one_person(town: Town, address: str, addresses: set[str]) -> None:
    assert People(town.directory).known_as(address) == addresses


def test_an_address_is_looked_up_once_for_a_message(town: Town) -> None:
    people, room = People(town.directory), town.resource()
    listed = BookingPolicy(book_in_policy=("Staff",), book_out_of_policy=("nothing",))
    queries: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        queries.append(statement)

    def ask() -> int:
        queries.clear()
        for address in ("eve@example.com", "anna@example.org"):
            people.known_as(address)
            people.standing_of(address, listed, room)
            people.is_external(address, listed, room, Settings())
        return len(queries)

    event.listen(town.database.engine, "before_cursor_execute", note)
    try:
        first, second = ask(), ask()
    finally:
        event.remove(town.database.engine, "before_cursor_execute", note)
    assert first
    assert not second


class Unreachable(MemoryUserStore):
    """A directory that is down."""

    def by_address(self, address: str) -> Sequence[Entry]:
        raise TemporaryError("the directory does not answer")


def test_what_the_directory_does_not_tell_is_not_guessed(town: Town) -> None:
    room = town.resource()
    with closing(Directory(Unreachable(), town.database, UserStoreSettings())) as directory:
        people = People(directory)
        with pytest.raises(TemporaryError):
            people.known_as("anna@example.org")
        with pytest.raises(TemporaryError):
            people.standing_of("anna@example.org", BookingPolicy(book_in_policy=("eve",)), room)


MEMBERS = [
    # the organizer, the entry, whether it means the organizer
    ("anna@example.org", "anna@example.org", True),
    ("anna@example.org", " BERG@Example.org ", True),
    ("berg@example.org", "anna", True),
    ("anna+rooms@example.org", "Anna", True),
    ("anna@example.org", "board", True),
    ("anna@example.org", "Board@Example.org", True),
    ("berg@example.org", "STAFF", True),  # around the board
    ("anna@example.org", "staff@example.org", True),
    ("anna@example.org", "Everyone", True),
    ("anna@example.org", "@EXAMPLE.org", True),
    ("anna@example.org", "@example.net", True),  # by her other address
    ("anna@example.org", "ben", False),
    ("anna@example.org", "@sub.example.org", False),
    ("anna@example.org", "example.org", False),
    ("anna@example.org", "@", False),
    ("anna@example.org", "board@acme", False),
    ("ben@example.org", "BEN", True),
    ("ben@example.org", "board", False),
    ("nobody@example.org", "carol", False),
    ("nobody@example.org", "carol@example.org", False),
    ("nobody@example.org", "@example.org", True),
    ("eve@example.com", "EVE@example.com", True),
    ("eve@example.com", "@example.com", True),
    ("eve@example.com", "eve", False),
    ("eve@example.com", "Everyone", False),
    ("eve@mail.example.com", "@example.com", False),
    # somebody of another company is meant only by a name with the company
    ("dora@acme.example", "dora", False),
    ("dora@acme.example", "Dora@ACME", True),
    ("dora@acme.example", "board", False),
    ("dora@acme.example", "board@acme", True),
    ("dora@acme.example", "board@acme.example", True),
    ("dora@acme.example", "Everyone", False),
    ("", "", False),
    ("", "@", False),
]


@pytest.mark.parametrize(("organizer", "entry", "meant"), MEMBERS)
def test_whom_an_entry_means(town: Town, organizer: str, entry: str, meant: bool) -> None:
    people, room = People(town.directory), town.resource()
    inside = BookingPolicy(book_in_policy=("somebody@example.org", entry))
    outside = BookingPolicy(book_in_policy=("somebody@example.org",), book_out_of_policy=(entry,))
    as_listed = [people.standing_of(organizer, one, room) for one in (inside, outside)]
    nobody = [Standing.NOBODY, Standing.NOBODY]
    assert as_listed == ([Standing.ALLOWED, Standing.FREE] if meant else nobody)


@pytest.mark.parametrize(
    ("organizer", "entry"), [("dora@acme.example", "DORA"), ("dora@acme.example", "board")]
)
def test_a_plain_name_means_the_resources_own_company(
    town: Town, organizer: str, entry: str
) -> None:
    people, hall = People(town.directory), town.resource("hall@acme.example")
    policy = BookingPolicy(book_in_policy=(entry,))
    assert people.standing_of(organizer, policy, hall) is Standing.ALLOWED
    assert people.standing_of("anna@example.org", policy, hall) is Standing.NOBODY


@pytest.mark.parametrize(
    ("inside", "outside", "standing"),
    [
        ((), (), Standing.ALLOWED),
        ((), ("anna",), Standing.FREE),
        ((), ("ben",), Standing.ALLOWED),
        (("anna",), ("anna",), Standing.FREE),
        (("anna",), ("ben",), Standing.ALLOWED),
        (("ben",), ("staff",), Standing.FREE),
        (("ben",), (), Standing.NOBODY),
    ],
)
def test_standing(
    town: Town, inside: tuple[str, ...], outside: tuple[str, ...], standing: Standing
) -> None:
    policy = BookingPolicy(book_in_policy=inside, book_out_of_policy=outside)
    people = People(town.directory)
    assert people.standing_of("berg@example.org", policy, town.resource()) is standing


EXTERNAL = [
    # the organizer, the domains of the settings, the lists, whether external
    ("anna@example.org", "", (), False),
    ("nobody@EXAMPLE.org", "", (), False),
    ("anna@example.net", "", (), False),  # an alias of somebody inside
    ("bob@example.net", "", (), True),
    ("bob@example.net", "example.org EXAMPLE.net", (), False),
    ("nobody@example.org", "example.net", (), True),
    ("anna@example.org", "example.net", (), False),  # by her other address
    ("bob@mail.example.org", "", (), True),
    ("eve@example.com", "", (), True),
    ("eve@example.com", "", ("@example.com",), False),
    ("eve@example.com", "", ("Eve@example.com",), False),
    ("eve@example.com", "", ("@example.net", "staff"), True),
]


@pytest.mark.parametrize(("organizer", "domains", "listed", "external"), EXTERNAL)
def test_who_is_external(
    town: Town, organizer: str, domains: str, listed: tuple[str, ...], external: bool
) -> None:
    settings = replace(Settings(), delivery=DeliverySettings(internal_domains=domains))
    for policy in (BookingPolicy(book_in_policy=listed), BookingPolicy(book_out_of_policy=listed)):
        people = People(town.directory)
        assert people.is_external(organizer, policy, town.resource(), settings) is external
