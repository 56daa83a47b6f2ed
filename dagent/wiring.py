"""Wiring: the parts of a process, made from settings.  Nothing here decides anything."""

import socket
from dataclasses import dataclass

from delivery.hooks import load_hooks
from delivery.site import Site, open_site
from mailcore.settings import Settings
from store.blobs import BlobStore
from store.commit import Committer
from store.engine import Database
from store.migrate import open_database
from userstore.plugins import open_plugin
from userstore.resolve import Directory


@dataclass(frozen=True, slots=True)
class Parts:
    """What every process that touches the store needs."""

    settings: Settings
    hostname: str
    database: Database
    committer: Committer
    directory: Directory
    site: Site

    def close(self) -> None:
        """Give back every connection."""
        self.directory.close()
        self.database.close()


def open_parts(settings: Settings) -> Parts:
    """Open the database (migrating it where that is ours to do) and what stands on it.

    Raises UsageError for what an administrator has to mend, TemporaryError when the database cannot be reached.
    """
    hooks = load_hooks(settings.delivery.hooks, settings.delivery.hook_failure)
    hostname = settings.lmtp.hostname or socket.gethostname()
    site = open_site(settings, hostname, hooks)
    database = open_database(settings.database_url)
    blobs = BlobStore(settings.attachment_directory, settings.store.large_body)
    users = open_plugin(settings, database).users
    return Parts(
        settings=settings,
        hostname=hostname,
        database=database,
        committer=Committer(database, blobs),
        directory=Directory(users, database, settings.userstore),
        site=site,
    )
