"""From an address to everything a delivery decision needs, with a cache that is never stale.

A cached recipient is valid as long as the directory's version in the database is the one it was read under: a
change by kopano-admin is seen by the next mail, in every process.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mailcore.address import address_key
from mailcore.errors import NoSuchRecipientError, TemporaryError
from mailcore.reply import LmtpReply
from mailcore.settings import UserStoreSettings
from store.engine import Database
from store.mailboxes import (
    DirectoryVersion,
    Mailbox,
    directory_version,
    external_id_of,
    load_mailboxes,
)
from userstore.features import has_feature, parse_features
from userstore.lookup import expand, find
from userstore.model import NO_QUOTA, Group, Quota, User
from userstore.plugin import UserStore

log = logging.getLogger(__name__)

IS_A_GROUP = LmtpReply(550, "5.1.1", "a group, not a user")
NO_MEMBERS = LmtpReply(550, "5.1.1", "the group has no members")
_MEGABYTE = 1024 * 1024
_LARGEST_CACHE = 20_000  # recipients
_CHUNK = 500  # members of a group whose mailboxes are read at once


class NoMailboxYetError(TemporaryError):
    """There is such a user, and its mailbox is still to be made."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A user and its mailbox, as one address reached it.

    `address` is as the client wrote it.  Who was reached through a group has `via`, the group's address as the client
    wrote it, and `address` is then the member's own.  `detail` is what stood behind the delimiter.  `quota` is the one
    that counts: the user's own or the default.  `groups` has the address keys of every group around the user.
    """

    address: str
    user: User
    mailbox: Mailbox
    imap: bool
    quota: Quota = NO_QUOTA
    detail: str = ""
    groups: frozenset[str] = frozenset()
    via: str = ""


class Directory:
    """Resolves recipients; safe to share between threads."""

    def __init__(self, plugin: UserStore, database: Database, settings: UserStoreSettings) -> None:
        self.plugin = plugin
        self._database = database
        self._lock = threading.Lock()
        self._version = -1
        self._cache: dict[str, tuple[Recipient, ...]] = {}
        self._cached = 0  # recipients in all entries of the cache
        self._quick_version = DirectoryVersion(database) if database.embedded else None
        self.adopt(settings)

    def adopt(self, settings: UserStoreSettings) -> None:
        """Go on with other settings."""
        with self._lock:
            self._settings = settings
            self._disabled = parse_features(settings.disabled_features)
            self._forget()

    def known(self, address: str) -> tuple[Recipient, ...] | None:
        """The recipients if they can be told without waiting: cached, still valid, and the database embedded."""
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
        """The one user behind an address or a name (see userstore.lookup).

        Raises RecipientRefusedError when that is certainly nobody, a group, or can be several; TemporaryError
        when the answer is not known.
        """
        (recipient, *others) = self.recipients(address)
        if others or recipient.via:
            raise NoSuchRecipientError(f"{address} is a group, not a user", IS_A_GROUP)
        return recipient

    def recipients(self, address: str) -> tuple[Recipient, ...]:
        """Everyone behind an address or a name: one user, or the members of a group, each of them once.

        Who has no mailbox yet is left out of a group.  Errors as for `resolve`; a group without members is refused.
        """
        with self._database.read() as connection:
            version = directory_version(connection)
        with self._lock:
            if version != self._version:
                self._forget()
                self._version = version
            known = self._cache.get(address)
        if known is not None:
            return known
        settings = self._settings
        found = find(self.plugin, address, settings.recipient_delimiter)
        if isinstance(found.entry, Group):
            recipients = self._members(address, found.entry)
        else:
            recipients = (self._one(address, found.entry, detail=found.detail),)
        with self._lock:
            if version == self._version and settings is self._settings:
                self._remember(address, recipients)
        return recipients

    def by_store(self, store_id: int) -> Recipient:
        """The owner of a mailbox, as its primary address reaches it; errors as for `resolve`."""
        with self._database.read() as connection:
            external_id = external_id_of(connection, store_id)
        user = self.plugin.by_external_id(external_id) if external_id else None
        if not isinstance(user, User):
            raise NoSuchRecipientError(f"mailbox {store_id} has no owner")
        return self.by_user(user)

    def by_user(self, user: User) -> Recipient:
        """A user's mailbox, as its primary address reaches it; raises TemporaryError where it has none yet."""
        return self._one(user.address, user)

    def _members(self, address: str, group: Group) -> tuple[Recipient, ...]:
        users = expand(self.plugin, group)
        if not users:
            raise NoSuchRecipientError(f"group {group.name} has no members", NO_MEMBERS)
        recipients = []
        for start in range(0, len(users), _CHUNK):
            some = users[start : start + _CHUNK]
            for user, recipient in zip(some, self._reached(some, via=address), strict=True):
                if recipient is not None:
                    recipients.append(recipient)
                else:
                    log.warning("group %s: %s has no mailbox yet", group.name, user.name)
        if not recipients:
            raise NoMailboxYetError(f"nobody in group {group.name} has a mailbox yet")
        return tuple(recipients)

    def _one(self, address: str, user: User, *, detail: str = "") -> Recipient:
        (recipient,) = self._reached([user])
        if recipient is None:
            raise NoMailboxYetError(f"{user.name} has no mailbox yet")
        return replace(recipient, address=address, detail=detail)

    def _reached(self, users: Sequence[User], *, via: str = "") -> Iterator[Recipient | None]:
        """Some hundred users, as their own addresses reach them; None for who has no mailbox yet."""
        with self._database.read() as connection:
            mailboxes = load_mailboxes(connection, [user.external_id for user in users])
        around = self.plugin.groups_of_each(users)
        for user in users:
            groups = around[user.external_id]
            mailbox = mailboxes.get(user.external_id)
            if mailbox is None:
                yield None
                continue
            yield Recipient(
                address=user.address or user.name,
                user=user,
                mailbox=mailbox,
                imap=has_feature(user, "imap", self._disabled),
                quota=default_quota(self._settings) if user.quota is None else user.quota,
                groups=frozenset(address_key(one) for group in groups for one in group.addresses),
                via=via,
            )

    def _forget(self) -> None:
        self._cache.clear()
        self._cached = 0

    def _remember(self, address: str, recipients: tuple[Recipient, ...]) -> None:
        """Keep an answer, and let the oldest ones go for it; one that is too large is not kept."""
        if address in self._cache or len(recipients) > _LARGEST_CACHE:
            return
        self._cache[address] = recipients
        self._cached += len(recipients)
        while self._cached > _LARGEST_CACHE:
            self._cached -= len(self._cache.pop(next(iter(self._cache))))


def default_quota(settings: UserStoreSettings) -> Quota:
    """The quota of users who have none of their own."""
    megabytes = (settings.quota_warn, settings.quota_soft, settings.quota_hard)
    return Quota(*(size * _MEGABYTE for size in megabytes))
