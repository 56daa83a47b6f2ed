"""Listing users, and showing one (manual, chapter 8.2.1 and 8.2.2)."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from admin.context import Installation
from admin.options import Options
from admin.output import iso_time, megabytes, print_json, print_pairs, print_table, yes_no
from store.mailboxes import StoredOof
from store.schema import mailbox_store
from userstore.features import features_of
from userstore.model import EQUIPMENT, User
from userstore.resolve import Recipient

_LEVELS = ("no", "yes", "yes (system)")


def list_users(installation: Installation, options: Options) -> None:
    """Print every user and resource, by name."""
    users = installation.users.users()
    query = select(mailbox_store.c.external_id).where(mailbox_store.c.mr_accept)
    with installation.database.read() as connection:
        accepting = set(connection.execute(query).scalars())
    if options.json:
        print_json([_user_record(user, user.external_id in accepting) for user in users])
        return
    print_table(
        ("Name", "Full name", "Email address", "Type", "Active", "Auto-accept"),
        [
            (
                user.name,
                user.fullname,
                user.address,
                kind_of(user),
                yes_no(user.active),
                yes_no(user.external_id in accepting),
            )
            for user in users
        ],
    )


def show_details(installation: Installation, options: Options) -> None:
    """Print everything that is set for one user."""
    recipient = installation.recipient(str(options.details))
    details = Details(
        recipient=recipient,
        features=features_of(recipient.user, installation.disabled_features),
        timezone=recipient.mailbox.timezone or installation.settings.userstore.default_timezone,
    )
    if options.json:
        print_json(details.record())
    else:
        print_pairs(details.pairs())


def kind_of(user: User) -> str:
    """What a user is, in one word: user, room or equipment."""
    return user.resource_type or "user"


def _user_record(user: User, mr_accept: bool) -> dict[str, Any]:
    return {
        "name": user.name,
        "fullname": user.fullname,
        "address": user.address,
        "active": user.active,
        "type": kind_of(user),
        "mr_accept": mr_accept,
    }


@dataclass(frozen=True, slots=True)
class Details:
    """A user with what holds for it now; `timezone` is its own or the default."""

    recipient: Recipient
    features: tuple[str, ...]
    timezone: str

    def record(self) -> dict[str, Any]:
        """Everything by its name, for programs."""
        user, mailbox = self.recipient.user, self.recipient.mailbox
        return {
            **_user_record(user, mailbox.mr_accept),
            "aliases": list(user.aliases),
            "admin_level": user.admin_level,
            "capacity": user.places,
            "timezone": self.timezone,
            "features": list(self.features),
            "enabled_features": sorted(user.enabled_features),
            "disabled_features": sorted(user.disabled_features),
            "store_guid": mailbox.guid,
            "store_size": mailbox.size,
            "mr_decline_conflict": mailbox.mr_decline_conflict,
            "mr_decline_recurring": mailbox.mr_decline_recurring,
            "out_of_office": bool(mailbox.oof and mailbox.oof.enabled),
        }

    def pairs(self) -> list[tuple[str, str]]:
        """The same in the manual's words and order."""
        user, mailbox = self.recipient.user, self.recipient.mailbox
        return [
            ("Name", user.name),
            ("Full name", user.fullname),
            ("Email address", user.address),
            ("Aliases", "; ".join(user.aliases)),
            ("Active", yes_no(user.active)),
            ("Administrator", _LEVELS[user.admin_level]),
            ("Address Book", "visible"),
            ("Features", "; ".join(self.features)),
            *self._resource_pairs(),
            ("Store", mailbox.guid),
            ("Store size", megabytes(mailbox.size)),
            *self._booking_pairs(),
            ("Out-Of-Office", _oof_text(mailbox.oof)),
        ]

    def _resource_pairs(self) -> list[tuple[str, str]]:
        user, zone = self.recipient.user, ("Timezone", self.timezone)
        if not user.resource_type:
            return [zone] if self.recipient.mailbox.timezone else []
        capacity = str(user.places) if user.resource_type == EQUIPMENT else "1 (a room)"
        return [("Type", user.resource_type), ("Capacity", capacity), zone]

    def _booking_pairs(self) -> list[tuple[str, str]]:
        mailbox = self.recipient.mailbox
        pairs = [("Auto-accept meeting requests", yes_no(mailbox.mr_accept))]
        if mailbox.mr_accept:
            pairs += [
                ("Decline conflicting meetings", yes_no(mailbox.mr_decline_conflict)),
                ("Decline recurring meetings", yes_no(mailbox.mr_decline_recurring)),
            ]
        return pairs


def _oof_text(oof: StoredOof | None) -> str:
    """On or off, with the window where there is one (UTC).

    >>> _oof_text(StoredOof(True, "", "", None, 0.0, 0.0))
    'enabled until 1970-01-01T00:00:00+00:00'
    """
    if oof is None or not oof.enabled:
        return "disabled"
    begins = f" from {iso_time(oof.starts_at)}" if oof.starts_at is not None else ""
    ends = f" until {iso_time(oof.ends_at)}" if oof.ends_at is not None else ""
    return f"enabled{begins}{ends}"
