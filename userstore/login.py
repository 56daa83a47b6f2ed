"""Logging in: the one way in for every reader of mailboxes and calendars.

Failed tries are limited: for a user from one source, for a user from all sources, and for a source with all users.
While a limit is reached the password is not looked at, and a right one is refused as well.  Tries that are under way
at the same moment are all looked at, but none of them gets in once the limit is reached.

Whether a user exists, or is active, shows neither in the answer nor in the time it takes.
"""

import logging
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address

from mailcore.address import address_key
from mailcore.audit import AUDIT, audit_line
from mailcore.log_fields import LogFields
from mailcore.settings import Settings
from store.engine import Database
from store.login_failures import (
    count_failure,
    failure_key,
    forget_failures,
    known_failures,
)
from userstore.features import has_feature, parse_features
from userstore.model import User
from userstore.plugin import UserStore

log = logging.getLogger(__name__)
audit = logging.getLogger(AUDIT)

METHOD = "User supplied password"
USER_SHARE = 5
"""How many times the tries of one source a user has from all sources together."""
SOURCE_SHARE = 10
"""How many times the tries of one user a source has with all users together: many may be behind one address."""


class Refusal(StrEnum):
    """Why somebody does not get in."""

    CREDENTIALS = "wrong name or password"
    FEATURE = "feature is off"
    TOO_MANY = "too many failed tries"


@dataclass(frozen=True, slots=True)
class LoginResult:
    """Who got in, or why nobody did: one of the two is None."""

    user: User | None
    reason: Refusal | None = None


class Login:
    """Checks names and passwords; safe to share between threads."""

    def __init__(self, plugin: UserStore, database: Database, settings: Settings) -> None:
        self._plugin = plugin
        self._database = database
        self._settings = settings.login
        self._disabled_features = parse_features(settings.userstore.disabled_features)

    def authenticate(
        self, name: str, password: str, *, program: str, source: str, feature: str = ""
    ) -> LoginResult:
        """Whether this is the password of an active user who has the feature.

        `name` is a login name, `name@company` or a mail address; `program` is the reader, for the audit line; `source`
        is the client's IP address, or empty where it has none; `feature` is one of userstore.model.FEATURES, or empty.

        The password is checked in the caller's thread, which costs some 50 ms of its processor on purpose: an event
        loop must hand the call to a thread.  Raises TemporaryError when the answer is not known.
        """
        result = self._checked(self._login_name(name), password, source, feature)
        who = {"user": name, "from": source, "program": program}
        if result.reason is None:
            ok = {"user": name, "from": source, "method": METHOD, "program": program}
            audit.info(audit_line("authenticate ok", ok))
        else:
            audit.warning(audit_line("authenticate failed", who))
            log.info("%s", LogFields({"login": "refused", **who, "reason": result.reason}))
        return result

    def _checked(self, name: str, password: str, source: str, feature: str) -> LoginResult:
        pair, limits = self._limits(name, source)
        if any(self._known_failures(limits).values()):
            return LoginResult(None, Refusal.TOO_MANY)
        # What cannot be a password takes as long as one that is wrong.  Some directories let an empty one in as
        # anonymous (RFC 4513 section 5.1.2).
        user = self._plugin.authenticate(
            name, password if _can_be_a_password(password) else secrets.token_hex()
        )
        if user is None:
            self._count(limits)
            return LoginResult(None, Refusal.CREDENTIALS)
        known = self._known_failures(limits)
        if any(known.values()):
            return LoginResult(None, Refusal.TOO_MANY)
        if feature and not has_feature(user, feature, self._disabled_features):
            return LoginResult(None, Refusal.FEATURE)
        if pair in known:
            with self._database.write() as connection:
                forget_failures(connection, pair)
        return LoginResult(user)

    def _login_name(self, name: str) -> str:
        """A login name as it is; for a mail address of a user, that user's login name."""
        if "@" not in name or any(one.name == name for one in self._plugin.by_name(name)):
            return name
        owners = [one for one in self._plugin.by_address(name) if isinstance(one, User)]
        if len(owners) != 1:
            return name
        return f"{owners[0].name}@{owners[0].company}" if owners[0].company else owners[0].name

    def _limits(self, name: str, source: str) -> tuple[str, dict[str, int]]:
        """The key of the user at the source, and how many failures each key may have; an empty source has no key."""
        tries = self._settings.login_attempts
        who, where = address_key(name), _network(source)
        pair = failure_key("pair", who, where)
        limits = {pair: tries, failure_key("user", who): tries * USER_SHARE}
        if where:
            limits[failure_key("source", where)] = tries * SOURCE_SHARE
        return pair, limits if tries else {}

    def _known_failures(self, limits: Mapping[str, int]) -> Mapping[str, bool]:
        with self._database.read() as connection:
            return known_failures(connection, limits, self._settings.login_block)

    def _count(self, limits: Mapping[str, int]) -> None:
        with self._database.write() as connection:
            settings = self._settings
            count_failure(connection, limits, settings.login_window, settings.login_block)


def _can_be_a_password(text: str) -> bool:
    with suppress(UnicodeEncodeError):
        return bool(text.encode())
    return False


def _network(source: str) -> str:
    """An IP address as one customer has it: of IPv6 that is the upper half; anything else as it is.

    >>> _network("2001:db8::1") == _network("2001:db8::ffff:2"), _network("::ffff:192.0.2.1")
    (True, '192.0.2.1')
    """
    try:
        address = ip_address(source)
    except ValueError:
        return source
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or f"{int(address) >> 64:x}/64")
