"""From an address to everything a delivery decision needs, with a cache that is never stale.

A cached recipient is valid as long as the directory's version in the database is the one it was read under: a
change by kopano-admin is seen by the next mail, in every process.
"""

import threading
from collections.abc import Collection
from dataclasses import dataclass

from mailcore.errors import NoSuchRecipientError, TemporaryError
from store.engine import Database
from store.mailboxes import (
    DirectoryVersion,
    Mailbox,
    directory_version,
    external_id_of,
    load_mailbox,
)
from userstore.features import has_feature
from userstore.model import User
from userstore.plugin import UserStore

_LARGEST_CACHE = 20_000


@dataclass(frozen=True, slots=True)
class Recipient:
    """A user and its mailbox, as one address reached it (`address` as the client wrote it)."""

    address: str
    user: User
    mailbox: Mailbox
    imap: bool


class Directory:
    """Resolves recipients; safe to share between threads."""

    def __init__(
        self, plugin: UserStore, database: Database, disabled_features: Collection[str]
    ) -> None:
        self.plugin = plugin
        self._database = database
        self._disabled = frozenset(disabled_features)
        self._lock = threading.Lock()
        self._version = -1
        self._cache: dict[str, Recipient] = {}
        self._quick_version = DirectoryVersion(database) if database.embedded else None

    def known(self, address: str) -> Recipient | None:
        """The recipient if it can be told without waiting: cached, still valid, and the database embedded."""
        if self._quick_version is None:
            return None
        version = self._quick_version.read()
        with self._lock:
            return self._cache.get(address) if version == self._version else None

    def close(self) -> None:
        """Give back what `known` holds open."""
        if self._quick_version is not None:
            self._quick_version.close()

    def resolve(self, address: str) -> Recipient:
        """The recipient behind an address or a user name.

        Raises NoSuchRecipientError when it certainly does not exist, TemporaryError when that is not known.
        """
        with self._database.read() as connection:
            version = directory_version(connection)
        with self._lock:
            if version != self._version:
                self._cache.clear()
                self._version = version
            known = self._cache.get(address)
        if known is not None:
            return known
        user = self.plugin.by_address(address) if "@" in address else self.plugin.by_name(address)
        if user is None:
            raise NoSuchRecipientError(f"no such user: {address}")
        recipient = self._recipient(address, user)
        with self._lock:
            if version == self._version and len(self._cache) < _LARGEST_CACHE:
                self._cache[address] = recipient
        return recipient

    def by_store(self, store_id: int) -> Recipient:
        """The owner of a mailbox, as its primary address reaches it; errors as for `resolve`."""
        with self._database.read() as connection:
            external_id = external_id_of(connection, store_id)
        user = self.plugin.by_external_id(external_id) if external_id else None
        if user is None:
            raise NoSuchRecipientError(f"mailbox {store_id} has no owner")
        return self._recipient(user.address, user)

    def _recipient(self, address: str, user: User) -> Recipient:
        with self._database.read() as connection:
            mailbox = load_mailbox(connection, user.external_id)
        if mailbox is None:
            raise TemporaryError(f"{user.name} has no mailbox yet")
        return Recipient(address, user, mailbox, has_feature(user, "imap", self._disabled))
