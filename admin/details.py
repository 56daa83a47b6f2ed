"""Showing one user, group or company (manual, chapter 8.2.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from admin.companies import show_company
from admin.context import Installation
from admin.group_details import show_group
from admin.listings import user_record
from admin.naming import shown
from admin.options import Options
from admin.output import iso_time, megabytes, print_json, print_pairs, yes_no
from mailcore.charset import one_line
from mailcore.errors import UsageError
from store.mailboxes import Mailbox, StoredOof, load_mailbox
from userstore.features import features_of
from userstore.lookup import find
from userstore.model import EQUIPMENT, Group, Quota, User
from userstore.resolve import default_quota

_LEVELS = ("no", "yes", "yes (system)")
_NAMES_INDENT = " " * 14


def show_details(installation: Installation, options: Options) -> None:
    """Print everything that is set for one user, or as --type says."""
    if options.type == "company":
        show_company(installation, options)
    elif options.type == "group":
        show_group(installation, options)
    else:
        _show_user(installation, options)


def _show_user(installation: Installation, options: Options) -> None:
    user = _user_meant(installation, str(options.details))
    with installation.database.read() as connection:
        mailbox = load_mailbox(connection, user.external_id)
    settings = installation.settings.userstore
    details = Details(
        user=user,
        mailbox=mailbox,
        features=features_of(user, installation.disabled_features),
        timezone=(mailbox and mailbox.timezone) or settings.default_timezone,
        quota=default_quota(settings) if user.quota is None else user.quota,
        groups=installation.users.groups_of(user),
        delegates=installation.users.senders_as(user),
    )
    if options.json:
        print_json(details.record())
        return
    print_pairs(details.pairs())
    click.echo("Current user store quota settings:")
    print_pairs(details.quota_pairs(), indent="    ")
    click.echo(f"Groups ({len(details.groups)}):")
    for group in details.groups:
        click.echo(f"{_NAMES_INDENT}{one_line(group.name)}")


def _user_meant(installation: Installation, name: str) -> User:
    """The user of that name or address; one without mailbox too.  Raises UsageError and NoSuchRecipientError."""
    member = installation.member(name) if installation.company else installation.find_member(name)
    if member is None:
        delimiter = installation.settings.userstore.recipient_delimiter
        member = find(installation.users, name, delimiter).entry
    if isinstance(member, Group):
        raise UsageError(f"{name} is a group: --details --type group {shown(member)} shows it")
    return member


@dataclass(frozen=True, slots=True)
class Details:
    """A user with what holds for it now; `timezone` and `quota` are its own or the default."""

    user: User
    mailbox: Mailbox | None
    features: tuple[str, ...]
    timezone: str
    quota: Quota
    groups: Sequence[Group]
    delegates: Sequence[User]

    def record(self) -> dict[str, Any]:
        """Everything by its name, for programs."""
        user, mailbox, quota = self.user, self.mailbox, self.quota
        return {
            **user_record(user, mailbox is not None and mailbox.mr_accept),
            "aliases": list(user.aliases),
            "hidden": user.hidden,
            "admin_level": user.admin_level,
            "capacity": user.places,
            "timezone": self.timezone,
            "features": list(self.features),
            "enabled_features": sorted(user.enabled_features),
            "disabled_features": sorted(user.disabled_features),
            "send_as": [shown(one) for one in self.delegates],
            "store_guid": mailbox.guid if mailbox else None,
            "store_size": mailbox.size if mailbox else None,
            "deliver_via": mailbox.deliver_via if mailbox else "",
            "mr_decline_conflict": mailbox is not None and mailbox.mr_decline_conflict,
            "mr_decline_recurring": mailbox is not None and mailbox.mr_decline_recurring,
            "out_of_office": bool(mailbox and mailbox.oof and mailbox.oof.enabled),
            "quota_override": user.quota is not None,
            "quota_warn": quota.warn,
            "quota_soft": quota.soft,
            "quota_hard": quota.hard,
            "groups": [group.name for group in self.groups],
        }

    def pairs(self) -> list[tuple[str, str]]:
        """The same in the manual's words and order, up to the quota."""
        user = self.user
        return [
            ("Name", user.name),
            *([("Company", user.company)] if user.company else []),
            ("Full name", user.fullname),
            ("Email address", user.address),
            ("Aliases", "; ".join(user.aliases)),
            ("Active", yes_no(user.active)),
            ("Administrator", _LEVELS[user.admin_level]),
            ("Address Book", "hidden" if user.hidden else "visible"),
            ("Features", "; ".join(self.features)),
            *([("Send-as", "; ".join(map(shown, self.delegates)))] if self.delegates else []),
            *self._resource_pairs(),
            *(_mailbox_pairs(self.mailbox) if self.mailbox else _NO_STORE),
        ]

    def quota_pairs(self) -> list[tuple[str, str]]:
        """The quota in the manual's words."""
        return [
            ("Quota overrides", yes_no(self.user.quota is not None)),
            ("Warning level", _level(self.quota.warn)),
            ("Soft level", _level(self.quota.soft)),
            ("Hard level", _level(self.quota.hard)),
        ]

    def _resource_pairs(self) -> list[tuple[str, str]]:
        user, zone = self.user, ("Timezone", self.timezone)
        if not user.resource_type:
            return [zone] if self.mailbox and self.mailbox.timezone else []
        capacity = str(user.places) if user.resource_type == EQUIPMENT else "1 (a room)"
        return [("Type", user.resource_type), ("Capacity", capacity), zone]


_NO_STORE = [("Store", "none; --create-store makes one, --hook-store gives an orphan")]


def _mailbox_pairs(mailbox: Mailbox) -> list[tuple[str, str]]:
    pairs = [
        ("Store", mailbox.guid),
        ("Store size", megabytes(mailbox.size)),
        *([("Mail goes to", mailbox.deliver_via)] if mailbox.deliver_via else []),
        ("Auto-accept meeting requests", yes_no(mailbox.mr_accept)),
    ]
    if mailbox.mr_accept:
        pairs += [
            ("Decline conflicting meetings", yes_no(mailbox.mr_decline_conflict)),
            ("Decline recurring meetings", yes_no(mailbox.mr_decline_recurring)),
        ]
    return [*pairs, ("Out-Of-Office", _oof_text(mailbox.oof))]


def _level(octets: int) -> str:
    return megabytes(octets) if octets else "unlimited"


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
