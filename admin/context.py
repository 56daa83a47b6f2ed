"""One installation as the commands see it: settings, database, user store, directory."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from admin.zones import checked_zone
from mailcore.errors import UsageError
from mailcore.settings import Settings
from store.blobs import BlobStore
from store.engine import Database
from store.migrate import open_database
from userstore.db import DbUserStore
from userstore.features import parse_features
from userstore.model import User
from userstore.resolve import Directory, Recipient


@dataclass(frozen=True)
class Installation:
    """An open database and what is built on it."""

    settings: Settings
    database: Database

    @cached_property
    def users(self) -> DbUserStore:
        """The user store."""
        return DbUserStore(self.database)

    @cached_property
    def disabled_features(self) -> frozenset[str]:
        """The features that are off unless a user has them enabled."""
        return parse_features(self.settings.userstore.disabled_features)

    @cached_property
    def directory(self) -> Directory:
        """Resolves names and addresses to users and their mailboxes."""
        return Directory(self.users, self.database, self.disabled_features)

    @cached_property
    def blobs(self) -> BlobStore:
        """The content of mails."""
        return BlobStore(self.settings.attachment_directory, self.settings.store.large_body)

    def user(self, name: str) -> User:
        """The user of exactly that name; raises UsageError."""
        user = self.users.by_name(name)
        if user is None:
            raise UsageError(f"no user {name!r}; kopano-admin -l lists them")
        return user

    def recipient(self, name: str) -> Recipient:
        """The user and mailbox of a name or, where nobody is called that, of an address.

        Raises NoSuchRecipientError.
        """
        user = self.users.by_name(name)
        return self.directory.resolve(user.address if user and user.address else name)

    def zone_of(self, recipient: Recipient) -> ZoneInfo:
        """The zone in which a mailbox's times are written."""
        default = self.settings.userstore.default_timezone
        return ZoneInfo(checked_zone(recipient.mailbox.timezone or default))


@contextmanager
def open_installation(settings: Settings, *, migrating: bool = False) -> Iterator[Installation]:
    """Open the database, with a schema that fits unless it is about to be migrated.

    Raises TemporaryError, naming the database without its password, when it cannot be opened.
    """
    url = settings.database_url
    with closing(Database(url) if migrating else open_database(url)) as database:
        yield Installation(settings, database)
