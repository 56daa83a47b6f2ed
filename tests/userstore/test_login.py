"""Logging in: who gets in, who does not, and that nothing tells an outsider why."""

import logging
import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import delete, func, select, update

from mailcore.settings import LoginSettings, Settings
from store.engine import Database
from store.schema import login_failure
from tests.support.mailboxes import open_database
from tests.userstore.memory_plugin import MemoryUserStore
from userstore.db import DbUserStore
from userstore.db_edit import DbEditor
from userstore.login import SOURCE_SHARE, USER_SHARE, Login, LoginResult, Refusal
from userstore.model import User

HERE, THERE = "192.0.2.1", "192.0.2.2"
USERS = (
    User("1", "anna", "Anna Berg", "anna@example.org", ("a.berg@example.org",)),
    User("2", "ben", "", "ben@example.org", enabled_features=frozenset({"imap"})),
    User("3", "carla", "", "carla@example.org", company="acme"),
    User("4", "dora", "", "dora@example.org", active=False),
    User("5", "emil@example.org", "", "emil@example.org"),
    User("6", "shadow", "", "", ("emil@example.org",)),
)


class CountingPlugin(MemoryUserStore):
    """Remembers what it was asked; several threads can be made to ask at the same moment."""

    def __init__(self) -> None:
        super().__init__(USERS, companies=["acme"])
        self.passwords = {user.name: "right" for user in USERS} | {"carla@acme": "right"}
        self.asked: list[tuple[str, str]] = []
        self.barrier = threading.Barrier(1)

    def authenticate(self, name: str, password: str) -> User | None:
        self.barrier.wait(30)
        self.asked.append((name, password))
        if name == "carla@acme":
            return self._of(User)[2] if password == "right" else None
        return super().authenticate(name, password)


class Door:
    """A login with few tries, and who comes to it."""

    def __init__(self, database: Database, tries: int = 3) -> None:
        self.database = database
        self.plugin = CountingPlugin()
        settings = Settings(login=LoginSettings(login_attempts=tries))
        self.login = Login(self.plugin, database, settings)

    def enter(
        self, name: str = "anna", password: str = "right", source: str = HERE, feature: str = ""
    ) -> LoginResult:
        return self.login.authenticate(
            name, password, program="imap", source=source, feature=feature
        )

    def fail(self, name: str = "anna", source: str = HERE, times: int = 1) -> None:
        for _ in range(times):
            assert self.enter(name, "wrong", source).reason == Refusal.CREDENTIALS

    def rows(self) -> int:
        with self.database.read() as connection:
            return int(
                connection.execute(select(func.count()).select_from(login_failure)).scalar_one()
            )

    def let_pass(self, seconds: float) -> None:
        older = {name: login_failure.c[name] - seconds for name in ("first_at", "last_at")}
        with self.database.write() as connection:
            connection.execute(update(login_failure).values(**older))


@pytest.fixture(scope="module")
def one_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """SQLite, which is quick to make; what the database has to do is tested on both in tests/store."""
    path = tmp_path_factory.mktemp("login") / "kopano.db"
    with open_database(f"sqlite:///{path}") as database:
        yield database


@pytest.fixture
def embedded(one_for_all: Database) -> Database:
    """The database without failures."""
    with one_for_all.write() as connection:
        connection.execute(delete(login_failure))
    return one_for_all


@pytest.fixture
def door(embedded: Database) -> Door:
    return Door(embedded)


@pytest.fixture
def audit(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO):
        yield caplog


def lines(audit: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in audit.records if record.name == "audit"]


@pytest.mark.parametrize(
    ("name", "password", "feature", "user", "reason"),
    [
        ("anna", "right", "", "anna", None),
        ("anna", "right", "outlook", "anna", None),
        ("anna", "right", "imap", None, Refusal.FEATURE),
        ("ben", "right", "imap", "ben", None),
        ("anna@example.org", "right", "", "anna", None),
        ("A.Berg@EXAMPLE.ORG", "right", "", "anna", None),
        ("carla@acme", "right", "", "carla", None),
        ("carla@example.org", "right", "", "carla", None),
        ("emil@example.org", "right", "", "emil@example.org", None),
        ("anna", "wrong", "", None, Refusal.CREDENTIALS),
        ("anna", "wrong", "imap", None, Refusal.CREDENTIALS),
        ("Anna", "right", "", None, Refusal.CREDENTIALS),
        ("nobody", "right", "", None, Refusal.CREDENTIALS),
        ("nobody@example.org", "right", "", None, Refusal.CREDENTIALS),
        ("dora", "right", "", None, Refusal.CREDENTIALS),
        ("", "", "", None, Refusal.CREDENTIALS),
        ("anna", "", "", None, Refusal.CREDENTIALS),
        ("anna", "\udcff", "", None, Refusal.CREDENTIALS),
        ("an\0na\udcff", "x" * 10**6, "", None, Refusal.CREDENTIALS),
    ],
)
def test_who_gets_in(
    door: Door, name: str, password: str, feature: str, user: str | None, reason: Refusal | None
) -> None:
    result = door.enter(name, password, feature=feature)
    assert (result.user and result.user.name, result.reason) == (user, reason)
    assert len(door.plugin.asked) == 1, "the time tells something"


@pytest.mark.parametrize("password", ["", "\udcff"])
def test_what_cannot_be_a_password_reaches_no_directory(door: Door, password: str) -> None:
    door.enter(password=password)
    ((_name, asked),) = door.plugin.asked
    assert len(asked) > 20


def test_success_that_follows_no_failure_writes_nothing(door: Door) -> None:
    assert door.enter().user
    assert door.enter(feature="imap").reason == Refusal.FEATURE
    assert door.rows() == 0


def test_too_many_tries_block_user_and_source_and_the_right_password_too(door: Door) -> None:
    door.fail(times=3)
    asked = len(door.plugin.asked)
    for password in ("right", "wrong"):
        assert door.enter(password=password) == LoginResult(None, Refusal.TOO_MANY)
    assert len(door.plugin.asked) == asked, "the password was looked at"
    assert door.enter(source=THERE).user
    assert door.enter("ben").user
    door.let_pass(901)
    assert door.enter().user


def test_tries_while_blocked_do_not_make_it_last(door: Door) -> None:
    door.fail(times=3)
    door.let_pass(890)
    assert door.enter(password="wrong").reason == Refusal.TOO_MANY
    door.let_pass(20)
    assert door.enter().user


def test_success_forgets_the_failures_of_user_and_source(door: Door) -> None:
    for _ in range(2):
        door.fail(times=2)
        assert door.enter().user


def test_feature_that_is_off_neither_counts_nor_forgets(door: Door) -> None:
    door.fail(times=2)
    for _ in range(5):
        assert door.enter(feature="imap").reason == Refusal.FEATURE
    door.fail()
    assert door.enter().reason == Refusal.TOO_MANY


def test_too_many_tries_of_one_user_from_everywhere(door: Door) -> None:
    for number in range(3 * USER_SHARE):
        door.fail(source=f"192.0.2.{number}")
    assert door.enter(source=THERE).reason == Refusal.TOO_MANY
    assert door.enter("ben").user


def test_too_many_tries_from_one_source_with_any_name(door: Door) -> None:
    for number in range(3 * SOURCE_SHARE):
        door.fail(f"nobody{number}")
    assert door.enter().reason == Refusal.TOO_MANY
    assert door.enter(source=THERE).user


def test_without_a_source_only_the_user_is_blocked(door: Door) -> None:
    for number in range(3 * SOURCE_SHARE):
        door.fail(f"nobody{number}", source="")
    assert door.enter(source="").user
    door.fail(times=3, source="")
    assert door.enter(source="").reason == Refusal.TOO_MANY


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_sources_that_are_one(door: Door, one: str, other: str, same: bool) -> None:
    door.fail(times=3, source=one)
    assert (door.enter(source=other).reason == Refusal.TOO_MANY) == same


@pytest.mark.parametrize("name", ["anna@example.org", "A.BERG@example.org", "ANNA"])
def test_spellings_of_a_name_share_their_tries(door: Door, name: str) -> None:
    door.fail(times=3, name=name)
    assert door.enter().reason == Refusal.TOO_MANY


def test_zero_attempts_is_no_limit(embedded: Database) -> None:
    door = Door(embedded, tries=0)
    door.fail(times=20)
    assert door.enter().user
    assert door.rows() == 0


def test_guesses_at_one_moment_are_all_counted(database: Database) -> None:
    door = Door(database, tries=5)
    door.plugin.barrier = threading.Barrier(20)
    results: list[LoginResult] = []

    def guess(number: int) -> None:
        results.append(door.enter(password=f"wrong{number}"))

    threads = [threading.Thread(target=guess, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [one.reason for one in results] == [Refusal.CREDENTIALS] * 20
    with database.read() as connection:
        counts = list(connection.execute(select(login_failure.c.failures)).scalars())
    assert counts == [20, 20, 20]
    assert door.enter().reason == Refusal.TOO_MANY


def test_right_password_loses_against_a_limit_reached_meanwhile(door: Door) -> None:
    real = door.plugin.authenticate

    def authenticate(name: str, password: str) -> User | None:
        if password == "right":
            door.fail(times=3)
        return real(name, password)

    door.plugin.authenticate = authenticate  # type: ignore[method-assign]
    assert door.enter().reason == Refusal.TOO_MANY


def test_audit_lines(door: Door, audit: pytest.LogCaptureFixture) -> None:
    door.enter("anna@example.org", source="")
    door.enter("x' from='\nauthenticate ok user='anna", "wrong", "192.0.2.9")
    door.fail(times=3)
    door.enter()
    failed = "authenticate failed user='anna' from='192.0.2.1' program='imap'"
    assert lines(audit) == [
        "authenticate ok user='anna@example.org' from='' method='User supplied password'"
        " program='imap'",
        r"authenticate failed user='x\' from=\'\nauthenticate ok user=\'anna'"
        " from='192.0.2.9' program='imap'",
        *[failed] * 4,
    ]


def test_log_says_why_and_never_the_password(door: Door, audit: pytest.LogCaptureFixture) -> None:
    door.fail(times=3)
    door.enter(password="s3cret")
    assert (
        'login=refused user=anna from=192.0.2.1 program=imap reason="too many failed tries"'
        in audit.text
    )
    assert "s3cret" not in audit.text


def test_db_plugin_takes_as_long_for_nobody_as_for_a_wrong_password(embedded: Database) -> None:
    with embedded.write() as connection:
        for name, active in (("anna", True), ("dora", False)):
            values = {"address": f"{name}@example.org", "password": "right", "active": active}
            DbEditor().create_user(connection, name, values)
    settings = Settings(login=LoginSettings(login_attempts=0))
    login = Login(DbUserStore(embedded), embedded, settings)

    def seconds(name: str, password: str) -> float:
        began = time.process_time()
        result = login.authenticate(name, password, program="test", source=HERE)
        assert result.reason == Refusal.CREDENTIALS
        return time.process_time() - began

    seconds("nobody", "")  # makes the hash to compare with
    kinds = [
        ("anna", "wrong"),
        ("nobody", "wrong"),
        ("nobody@example.org", "wrong"),
        ("dora", "right"),
        ("anna", ""),
        ("anna", "\udcff"),
    ]
    tries = {kind: min(seconds(*kind), seconds(*kind)) for kind in kinds}
    assert min(tries.values()) > 0.5 * max(tries.values()), tries
    assert login.authenticate("anna@example.org", "right", program="test", source=HERE).user
