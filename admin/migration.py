"""What concerns the database as a whole: its schema, and the caches of what is in it."""

from admin.context import Installation
from admin.options import Options
from admin.output import say
from store.mailboxes import touch_directory
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


def clear_cache(installation: Installation, _options: Options) -> None:
    """Let every process read users and mailboxes anew."""
    with installation.database.write() as connection:
        touch_directory(connection)
    say("Users and mailboxes are read anew by every process.")
