"""What an administrator may set of a user or a group of the db plugin, checked and as columns.  Pure.

Everything raises UsageError with the thing and the fix.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from mailcore.address import address_key
from mailcore.errors import UsageError
from mailcore.path import ArgumentSyntaxError, parse_path_argument
from userstore.everyone import RESERVED_NAMES
from userstore.features import parse_features
from userstore.model import (
    EQUIPMENT,
    NO_QUOTA,
    RESOURCE_TYPES,
    Group,
    Member,
    Quota,
    User,
)
from userstore.passwords import hash_password

_NAME = re.compile(r"[\w.@+$&=~!%^{}-][\w.@+$&=~!%^{} -]*\Z")
_LONGEST_NAME = 64
_LONGEST_ADDRESS = 254  # RFC 5321 section 4.5.3.1.3, without the angle brackets
_AS_IT_IS = ("fullname", "admin_level", "active", "hidden", "resource_type")
_ADDRESSES = ("address", "add_aliases", "remove_aliases")
_OF_A_USER = {*_AS_IT_IS, *_ADDRESSES, "name", "password", "capacity", "enable", "disable", "quota"}
_OF_A_GROUP = {*_ADDRESSES, "name", "hidden", "security"}


def check_name(kind: str, name: str) -> None:
    """Refuse what cannot be the name of a `kind`: user, group or company."""
    if not _NAME.match(name) or name.endswith(" ") or len(name) > _LONGEST_NAME:
        raise UsageError(
            f"{kind} name {name!r}: expected 1 to 64 letters, digits or . _ - + @, and blanks only within"
        )
    if address_key(name) in RESERVED_NAMES:
        raise UsageError(f"{kind} name {name!r}: is reserved; choose another one")


def check_company_name(name: str) -> None:
    """Refuse what cannot be the name of a company: it is written behind the @ of user@company."""
    check_name("company", name)
    if "@" in name:
        raise UsageError(f"company name {name!r}: expected a name without @")


def user_columns(user: User, values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of `account` that `values` (userstore.editor) change; name and addresses are not among them."""
    _check_known("user", values, _OF_A_USER)
    columns = {name: values[name] for name in _AS_IT_IS if name in values}
    columns |= _resource_columns(user, values)
    columns |= _feature_columns(user, values)
    if "quota" in values:
        columns |= _quota_columns(values["quota"])
    if "password" in values:
        columns["password"] = hash_password(values["password"])
    return columns


def group_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of `user_group` that `values` (userstore.editor) change; name and addresses are not among them."""
    _check_known("group", values, _OF_A_GROUP)
    return {name: values[name] for name in ("hidden", "security") if name in values}


def addresses_after(owner: Member, values: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The primary address and the aliases that `owner` has after a change, each spelt as RCPT would read it."""
    aliases = {address_key(alias): alias for alias in owner.aliases}
    for alias in values.get("remove_aliases", ()):
        if aliases.pop(address_key(alias), None) is None:
            raise UsageError(f"alias {alias}: {owner.name} has none such; --details shows them")
    primary = owner.address
    if "address" in values:
        wanted = values["address"]
        primary = "" if isinstance(owner, Group) and not wanted else _checked_address(wanted)
    for alias in values.get("add_aliases", ()):
        written = _checked_alias(alias)
        if address_key(written) in {*aliases, address_key(primary)}:
            raise UsageError(f"address {alias} is taken by {owner.name}")
        aliases[address_key(written)] = written
    if address_key(primary) in aliases:
        raise UsageError(
            f"address {primary} is taken by {owner.name}, as an alias: remove that first"
        )
    return primary, tuple(aliases.values())


def _check_known(kind: str, values: Mapping[str, Any], known: Collection[str]) -> None:
    unknown = set(values) - set(known)
    if unknown:
        raise UsageError(f"a {kind} has no {', '.join(sorted(unknown))}")


def _checked_alias(alias: str) -> str:
    """An address, or `@` and a domain for all mail to it that is nobody's."""
    if alias.startswith("@"):
        return _checked_address(f"any{alias}").removeprefix("any")
    return _checked_address(alias)


def _checked_address(address: str) -> str:
    refusal = f"address {address!r}: expected something like anna@example.org"
    try:
        path = parse_path_argument("TO", f"TO:<{address}>")
        too_long = len(address.encode()) > _LONGEST_ADDRESS
    except (ArgumentSyntaxError, UnicodeEncodeError) as error:
        raise UsageError(refusal) from error
    local, _, domain = path.address.rpartition("@")
    routed = address.startswith("@")  # a source route, which the path no longer shows
    if too_long or routed or path.parameters or not local or not domain:
        raise UsageError(refusal)
    return path.address


def _resource_columns(user: User, values: Mapping[str, Any]) -> dict[str, Any]:
    kind = values.get("resource_type", user.resource_type)
    if kind and kind not in RESOURCE_TYPES:
        raise UsageError(f"resource type {kind!r}: expected room or equipment")
    if "capacity" not in values:
        return {} if kind == EQUIPMENT else {"capacity": 1}
    if kind != EQUIPMENT:
        raise UsageError(
            "a capacity is only for equipment (-n equipment): a room or a person is booked once at a time"
        )
    if values["capacity"] < 1:
        raise UsageError(f"capacity {values['capacity']}: expected 1 or more")
    return {"capacity": values["capacity"]}


def _feature_columns(user: User, values: Mapping[str, Any]) -> dict[str, Any]:
    enable = parse_features(" ".join(values.get("enable", ())))
    disable = parse_features(" ".join(values.get("disable", ())))
    if not enable and not disable:
        return {}
    if enable & disable:
        raise UsageError(f"feature {', '.join(enable & disable)}: both enabled and disabled")
    return {
        "enabled_features": " ".join(sorted((user.enabled_features | enable) - disable)),
        "disabled_features": " ".join(sorted((user.disabled_features | disable) - enable)),
    }


def _quota_columns(quota: Quota | None) -> dict[str, Any]:
    limits = quota or NO_QUOTA
    if min(limits.warn, limits.soft, limits.hard) < 0:
        raise UsageError(f"quota {limits}: expected octets that are not negative, 0 for no limit")
    return {
        "quota_override": quota is not None,
        "quota_warn": limits.warn,
        "quota_soft": limits.soft,
        "quota_hard": limits.hard,
    }
