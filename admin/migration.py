"""Bringing the database to this version's schema."""

from admin.context import Installation
from admin.options import Options
from admin.output import say
from store.migrate import current_revision, migrate


def migrate_database(installation: Installation, _options: Options) -> None:
    """Upgrade the schema; safe to repeat."""
    with installation.database.read() as connection:
        before = current_revision(connection) or "none"
    migrate(installation.database)
    with installation.database.read() as connection:
        after = current_revision(connection)
    if before == after:
        say(f"The database has schema {after}: nothing to do.")
    else:
        say(f"The database was brought from schema {before} to {after}.")
