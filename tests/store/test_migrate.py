"""Schema and migrations: what is brought up to date, and what is refused with the command to run."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from mailcore.errors import UsageError
from store.engine import Database
from store.migrate import MIGRATIONS, current_revision, ensure_schema, migrate
from store.schema import REVISION, counter, metadata
from tests.support.mailboxes import PostOffice

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def database(bare_database_url: str) -> Iterator[Database]:
    """Open and empty: no schema yet."""
    opened = Database(bare_database_url)
    yield opened
    opened.close()


@pytest.fixture
def server(bare_postgres_url: str) -> Iterator[Database]:
    opened = Database(bare_postgres_url)
    yield opened
    opened.close()


def run(database: Database, *statements: str) -> None:
    with database.write() as connection:
        for statement in statements:
            connection.execute(text(statement))


def stamp(database: Database, revision: str) -> None:
    run(
        database,
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
        f"INSERT INTO alembic_version VALUES ('{revision}')",
    )


def revision_of(database: Database) -> str | None:
    with database.read() as connection:
        return current_revision(connection)


def test_a_fresh_database_gets_the_schema_once(database: Database) -> None:
    assert revision_of(database) is None
    ensure_schema(database)
    assert revision_of(database) == REVISION
    office = PostOffice(database)
    mailbox = office.mailbox()
    ensure_schema(database)
    migrate(database)
    assert office.reload(mailbox.id) == mailbox


# The index over an expression is not compared; tests/store/test_mailboxes.py sees that it is there.
@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_the_migrations_give_the_tables_that_the_program_uses(post_office: PostOffice) -> None:
    def compared(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    with post_office.database.read() as connection:
        assert compared(connection) == []


def test_the_revision_of_the_program_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_no_migration_goes_back() -> None:
    versions = list((MIGRATIONS / "versions").glob("*.py"))
    assert versions
    assert not [path.name for path in versions if "def downgrade" in path.read_text()]


def test_every_counter_exists_from_the_start(empty_office: PostOffice) -> None:
    names = {row.name for row in empty_office.rows(counter)}
    assert names == {"message", "blob", "uidvalidity", "directory", "purge"}


def test_large_bodies_on_postgresql_are_not_compressed_again(server: Database) -> None:
    ensure_schema(server)
    query = text(
        "SELECT attstorage FROM pg_attribute"
        " WHERE attrelid = 'blob_content'::regclass AND attname = 'content'"
    )
    with server.read() as connection:
        assert connection.execute(query).scalar_one() in ("e", b"e")  # external


def test_a_newer_database_is_refused(database: Database) -> None:
    stamp(database, "9999")
    with pytest.raises(UsageError, match=r"schema 9999, newer than this program's .*: install"):
        ensure_schema(database)
    assert revision_of(database) == "9999"


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (
            (
                "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
                "INSERT INTO alembic_version VALUES ('0000')",
            ),
            "schema 0000",
        ),
        (("CREATE TABLE wordpress (id INTEGER)",), "schema of another program"),
    ],
    ids=["older", "foreign"],
)
def test_a_server_is_migrated_by_its_administrator_only(
    server: Database, statements: tuple[str, ...], found: str
) -> None:
    run(server, *statements)
    with pytest.raises(UsageError, match=rf"{found}.*stop the agents.*kopano-admin --migrate"):
        ensure_schema(server)
    with server.read() as connection:
        assert not inspect(connection).has_table("mailbox_store")


def test_an_embedded_database_is_migrated_at_start(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'kopano.db'}")
    run(database, "CREATE TABLE notes (id INTEGER)")
    ensure_schema(database)
    assert revision_of(database) == REVISION
    with database.read() as connection:
        assert inspect(connection).has_table("notes")
    database.close()


def test_a_migration_that_breaks_off_leaves_nothing(database: Database) -> None:
    """The last table is in the way: everything before it must be undone."""
    last = list(metadata.sorted_tables)[-1].name
    run(database, f"CREATE TABLE {last} (id INTEGER)")
    with pytest.raises(Exception, match="exists"):
        migrate(database)
    with database.read() as connection:
        assert set(inspect(connection).get_table_names()) == {last}


def test_two_agents_that_start_at_once_on_an_empty_server(bare_postgres_url: str) -> None:
    code = (
        "import sys; from store.engine import Database; from store.migrate import ensure_schema;"
        " ensure_schema(Database(sys.argv[1]))"
    )
    command = [sys.executable, "-c", code, bare_postgres_url]
    agents = [
        subprocess.Popen(command, cwd=ROOT, env=os.environ, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ends = [(agent.communicate(timeout=60)[1], agent.returncode) for agent in agents]
    assert ends == [("", 0), ("", 0)]
