"""Whom an administrator means by a name.

Case counts, as at the log-in.  `anna@acme` is anna in the company acme, and so is `anna` where `-I acme` was given.
Without a company it is the one who is in none; where there is no such one, the only one of that name.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from mailcore.address import address_key
from mailcore.errors import UsageError
from userstore.everyone import EVERYONE, is_everyone
from userstore.model import Company, Group, Member, User
from userstore.plugin import UserStore

_Named = TypeVar("_Named", User, Group)


def find_named(users: UserStore, name: str, company: Company | None) -> Sequence[Member]:
    """The users and groups that a name can mean, in a company where one is given."""
    named = _called(users, name)
    if company is not None:
        return _in_company(named, company.name)
    local, _, of = name.rpartition("@")
    if not named and local:
        return _in_company(_called(users, local), of)
    return _in_company(named, "") or named


def split_name(users: UserStore, name: str) -> tuple[str, Company | None]:
    """The name and the company of somebody new: `anna@acme`, where there is a company acme, is anna in it."""
    local, _, of = name.rpartition("@")
    company = find_company(users, of) if local else None
    return (local, company) if company else (name, None)


def find_company(users: UserStore, name: str) -> Company | None:
    """The company of that name, without case."""
    key = address_key(name)
    return next((one for one in users.companies() if address_key(one.name) == key), None)


def only_one(name: str, named: Iterable[_Named]) -> _Named | None:
    """The one that is left, or None; raises UsageError, with the candidates, where there are several."""
    found = list(named)
    if len(found) > 1:
        candidates = ", ".join(sorted(map(shown, found)))
        raise UsageError(
            f"{name!r} can be {candidates}: write one of these, or give its company by -I"
        )
    return found[0] if found else None


def shown(member: Member) -> str:
    """The name by which a user or group is found again, with the company it is in.

    >>> shown(Group("dbgroup:1", "sales", company="acme"))
    'sales@acme'
    """
    return f"{member.name}@{member.company}" if member.company else member.name


def _called(users: UserStore, name: str) -> list[Member]:
    return [one for one in users.by_name(name) if one.name == name or _is_everyone(one, name)]


def _is_everyone(member: Member, name: str) -> bool:
    return is_everyone(member.external_id) and address_key(name) == EVERYONE


def _in_company(members: Iterable[Member], company: str) -> list[Member]:
    key = address_key(company)
    return [one for one in members if address_key(one.company) == key]
