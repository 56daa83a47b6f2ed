"""Wiring: the parts of a process, made from settings.  Nothing here decides anything."""

import socket
from dataclasses import dataclass

from mailcore.settings import Settings
from store.blobs import BlobStore
from store.commit import Committer
from store.engine import Database
from store.migrate import open_database
from userstore.db import DbUserStore
from userstore.features import parse_features
from userstore.resolve import Directory


@dataclass(frozen=True, slots=True)
class Parts:
    """What every process that touches the store needs."""

    settings: Settings
    hostname: str
    database: Database
    committer: Committer
    directory: Directory

    def close(self) -> None:
        """Give back every connection."""
        self.directory.close()
        self.database.close()


def open_parts(settings: Settings) -> Parts:
    """Open the database (migrating it where that is ours to do) and what stands on it.

    Raises UsageError for what an administrator has to mend, TemporaryError when the database cannot be reached.
    """
    database = open_database(settings.database_url)
    blobs = BlobStore(settings.attachment_directory, settings.store.large_body)
    disabled = parse_features(settings.userstore.disabled_features)
    return Parts(
        settings=settings,
        hostname=settings.lmtp.hostname or socket.gethostname(),
        database=database,
        committer=Committer(database, blobs),
        directory=Directory(DbUserStore(database), database, disabled),
    )
