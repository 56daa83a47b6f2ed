"""A resource's rules for booking: setting and showing them (manual, chapter 8.7)."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from admin.context import Installation
from admin.files import read_text_file
from admin.options import Options
from admin.output import print_json, print_table, say, yes_no
from dagent.audit_log import setup_audit
from mailcore.audit import AUDIT, audit_line
from mailcore.errors import UsageError
from mr_accept.holidays import holidays_of
from mr_accept.model import UnreadableError
from mr_accept.policies import default_policy
from mr_accept.policy import BookingPolicy
from mr_accept.policy_text import (
    OF_USERS,
    is_of_file,
    key_called,
    meaning_of,
    policy_keys,
    read_policy,
    read_value,
    write_value,
)
from store.booking_policies import load_policy_values, save_policy_values
from store.calendars import lock_calendar
from userstore.resolve import Recipient

audit = logging.getLogger(AUDIT)

_LONGEST_SHOWN = 60  # characters of a value in the table
_PEOPLE = ("book_in_policy", "book_out_of_policy")
_EXAMPLE = "for example lead_time_minutes=120 work_hours=08:00-18:00"


def set_policy(installation: Installation, options: Options) -> None:
    """Set some rules of a resource, all of them or, where one is wrong, none."""
    name = str(options.set_policy)
    recipient = installation.recipient(name)
    if not options.words:
        raise UsageError(f"--set-policy {name}: expected KEY=VALUE, {_EXAMPLE}")
    asked = dict(_asked_for(options.words))
    if installation.settings.audit.audit_log_enabled:
        setup_audit(installation.settings, "kopano-admin")
    with installation.database.write() as connection:
        # The lock: what is set together is checked together, and no decision sees half of it.
        lock_calendar(connection, recipient.mailbox.id)
        before = load_policy_values(connection, recipient.mailbox.id)
        changes = _changes(installation, asked, before, recipient.user.company)
        after = {key: text for key, text in {**before, **changes}.items() if text is not None}
        policy = read_policy(after, default_policy(recipient, installation.settings))
        save_policy_values(connection, recipient.mailbox.id, changes)
    said = {key: "default" if text is None else text for key, text in changes.items()}
    audit.info(audit_line("policy changed", {"user": name, "by": os.getuid(), **said}))
    shown = ", ".join(f"{key}={_short(key, text)}" for key, text in said.items())
    say(f"Policy of {recipient.user.name}: {shown}.")
    _hint(recipient, policy)


def _asked_for(words: tuple[str, ...]) -> list[tuple[str, str]]:
    """The keys and values that were typed; raises UsageError for what is neither, or given twice."""
    asked: list[tuple[str, str]] = []
    for word in words:
        key, equals, text = word.partition("=")
        if not equals:
            raise UsageError(f"{word!r}: expected KEY=VALUE, {_EXAMPLE}")
        if key in dict(asked):
            raise UsageError(f"{key} is given twice")
        asked.append((key, text))
    return asked


def _changes(
    installation: Installation,
    asked: Mapping[str, str],
    before: Mapping[str, str],
    company: str,
) -> dict[str, str | None]:
    """What is to be kept by key, None for the default; raises UsageError."""
    changes: dict[str, str | None] = {}
    for name, text in asked.items():
        # What another version has kept can be taken away, though its key is not known here.
        key = name if name in before and not text.strip() else key_called(name)
        if key in changes:
            raise UsageError(f"{key} is given twice")
        changes[key] = _kept(installation, key, text, company) if text.strip() else None
    return changes


def _kept(installation: Installation, key: str, text: str, company: str) -> str:
    """A value in the form in which it is kept; the text of a file where `@FILE` stands for it."""
    if is_of_file(key) and text.startswith("@"):
        name = text[1:]
        try:
            return write_value(key, read_value(key, read_text_file(name)))
        except UsageError as error:
            raise UsageError(f"{key}={text}: {error}") from error
    value = read_value(key, text)
    if key in _PEOPLE:
        _check_people(installation, key, value, company)
    return write_value(key, value)


def _check_people(
    installation: Installation, key: str, names: tuple[str, ...], company: str
) -> None:
    """Refuse a name that nobody has in the resource's company: after a slip of the pen nobody would be let in."""
    for name in names:
        called = () if "@" in name else installation.users.by_name(name)
        if "@" not in name and not any(one.company == company for one in called):
            where = f" in company {company}" if company else ""
            raise UsageError(f"{key}: no user or group {name!r}{where}; an address has an @")


def show_policy(installation: Installation, options: Options) -> None:
    """Print every rule of a resource with its value, and what else bears on its bookings."""
    recipient = installation.recipient(str(options.show_policy))
    with installation.database.read() as connection:
        stored = load_policy_values(connection, recipient.mailbox.id)
    policy = ShownPolicy(recipient, default_policy(recipient, installation.settings), stored)
    if options.json:
        print_json(policy.record())
        return
    print_table(("Rule", "Value", "Default", "Meaning"), policy.rows())
    for key, error in policy.errors.items():
        say(f"{key} cannot be read, and nothing is booked: {error}")
    if not policy.errors:
        _hint(recipient, read_policy(stored, policy.defaults))


@dataclass(frozen=True)
class ShownPolicy:
    """The rules of a resource beside their defaults; `stored` is what has been set, as text by key."""

    recipient: Recipient
    defaults: BookingPolicy
    stored: Mapping[str, str]

    @cached_property
    def errors(self) -> dict[str, str]:
        """What is stored and cannot be read, by key, and why."""
        errors: dict[str, str] = {}
        for key, text in self.stored.items():
            try:
                read_value(key, text)
            except UsageError as error:
                errors[key] = str(error)
        return errors

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Key, value, the default where that differs, and the meaning."""
        rows = []
        for key in policy_keys():
            default = write_value(key, getattr(self.defaults, key))
            value = self.stored.get(key, default)
            differs = _short(key, default) if value != default else ""
            rows.append((key, _short(key, value), differs, meaning_of(key)))
        rows += [
            (key, self._own(key), "", f"kopano-admin -u {self.recipient.user.name} {option}")
            for key, option in OF_USERS.items()
        ]
        return rows

    def record(self) -> dict[str, Any]:
        """Everything by its name, for programs; what is not set is null."""
        keys = policy_keys()
        read = {
            key: read_value(key, text)
            for key, text in self.stored.items()
            if key not in self.errors
        }
        defaults = {key: getattr(self.defaults, key) for key in keys}
        return {
            "resource": self.recipient.user.name,
            **{key: self._of_user(key) for key in OF_USERS},
            "policy": {key: _plain(key, value) for key, value in {**defaults, **read}.items()},
            "defaults": {key: _plain(key, value) for key, value in defaults.items()},
            "set": sorted(self.stored),
            "errors": self.errors,
        }

    def _of_user(self, key: str) -> bool | int | str:
        user, mailbox = self.recipient.user, self.recipient.mailbox
        value: bool | int | str = user.capacity if key == "capacity" else getattr(mailbox, key)
        return value

    def _own(self, key: str) -> str:
        value = self._of_user(key)
        return yes_no(value) if isinstance(value, bool) else str(value) or "default"


def _plain(key: str, value: Any) -> Any:
    """A value as JSON has it: hours as text, days and names as lists."""
    if isinstance(value, frozenset):
        return write_value(key, value).split(",")
    if key == "work_hours":
        return write_value(key, value) or None
    return list(value) if isinstance(value, tuple) else value


def _short(key: str, text: str) -> str:
    """A value for a table."""
    if not text:
        return "none"
    if key == "holidays":
        return _days_off(text)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _days_off(text: str) -> str:
    """How many days are off in this year and the next, and from when to when."""
    year = datetime.now(UTC).year
    try:
        days = sorted(holidays_of(text, year, year + 1))
    except UnreadableError:
        return "UNREADABLE"
    if not days:
        return f"no days off in {year} and {year + 1}"
    return f"{len(days)} days off, {days[0]} ... {days[-1]}"


def _hint(recipient: Recipient, policy: BookingPolicy) -> None:
    """Say what else has to be set before the rules have an effect."""
    name = recipient.user.name
    if not recipient.mailbox.mr_accept:
        say(f"{name} does not answer meeting requests: kopano-admin -u {name} --mr-accept yes")
    if policy.enforce_capacity and not policy.seats:
        say(f"{name} has no seats to count: kopano-admin --set-policy {name} seats=N")
    limited = policy.max_conflicts is not None or policy.max_conflict_percent is not None
    if limited and not policy.decline_conflict:
        say(f"{name} declines no conflicts: kopano-admin -u {name} --mr-decline-conflict yes")
