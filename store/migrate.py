"""Bringing a database to the newest schema, and refusing one that does not fit.

The embedded database and an empty server database are migrated at start.  A server database with another revision
is refused with the command to run: several hosts may use it, and only the administrator knows when all are ready.
Alembic is loaded only when something is to be done.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from mailcore.errors import TemporaryError, UsageError
from store.engine import Database
from store.schema import REVISION

_LOCK = 0x6B6F70616E6F  # one migration at a time on a shared server
MIGRATIONS = Path(__file__).with_name("migrations")


def open_database(url: str) -> Database:
    """Open the database of that URL with a schema that fits; the caller closes it.

    Raises TemporaryError, naming the database without its password, when it cannot be opened now, and UsageError
    for what an administrator has to mend.
    """
    database = Database(url)
    try:
        ensure_schema(database)
    except (TemporaryError, SQLAlchemyError) as error:
        database.close()
        shown = database.url.render_as_string(hide_password=True)
        why = getattr(error, "orig", None) or getattr(error.__cause__, "orig", None) or error
        one_line = " ".join(str(why).split())
        raise TemporaryError(f"database {shown} cannot be opened: {one_line}") from error
    except UsageError:
        database.close()
        raise
    return database


def ensure_schema(database: Database) -> None:
    """Make the schema usable at start, or raise UsageError with the command that does."""
    with database.read() as connection:
        found = current_revision(connection)
        empty = found is None and not inspect(connection).get_table_names()
    if found == REVISION:
        return
    if found is not None and found > REVISION:
        raise UsageError(
            f"the database has schema {found}, newer than this program's {REVISION}:"
            " install the version of kopano-dagent that wrote it"
        )
    if not database.embedded and not empty:
        raise UsageError(
            f"the database has schema {found or 'of another program'}, this program needs {REVISION}:"
            " stop the agents on every host and run: kopano-admin --migrate"
        )
    migrate(database)


def current_revision(connection: Connection) -> str | None:
    """The revision a database is at; None when it was never migrated."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def migrate(database: Database) -> None:
    """Upgrade to the newest revision; does nothing when the database is there already."""
    from alembic import command  # noqa: PLC0415 - slow to load, seldom needed
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with database.write() as connection:
        if not database.embedded:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
