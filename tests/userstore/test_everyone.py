"""Everyone, beside what a plugin knows."""

import pytest

from tests.userstore.memory_plugin import MemoryUserStore, new_id
from userstore.everyone import WithEveryone, everyone_of, is_everyone
from userstore.model import Group, User

ANNA = User(new_id(), "anna", "", "anna@example.org")
BEN = User(new_id(), "ben", "", "ben@example.org")
JOHN = User(new_id(), "john", "", "john@acme.example", company="acme")
SALES = Group(new_id(), "sales")
CREW = Group(new_id(), "crew", company="acme")
EVERYONE = everyone_of()


@pytest.fixture
def one_company() -> WithEveryone:
    """A user store where nobody is in a company."""
    plugin = MemoryUserStore([ANNA, BEN, SALES])
    plugin.put(SALES, ANNA)
    return WithEveryone(plugin)


@pytest.fixture
def companies() -> WithEveryone:
    return WithEveryone(MemoryUserStore([ANNA, JOHN, SALES, CREW], ["acme", "globex"]))


def test_everyone_is_every_user(one_company: WithEveryone) -> None:
    assert Group("everyone", "Everyone") == EVERYONE
    assert one_company.members(EVERYONE) == [ANNA, BEN]
    assert one_company.groups_of(ANNA) == [EVERYONE, SALES]
    assert one_company.groups_of(BEN) == [EVERYONE]
    assert one_company.by_name("EVERYONE") == [EVERYONE]
    assert one_company.by_external_id("everyone") == EVERYONE
    assert list(one_company.groups()) == list(one_company.groups("")) == [EVERYONE, SALES]


def test_each_company_has_its_own(companies: WithEveryone) -> None:
    acme, globex = map(everyone_of, companies.companies())
    assert acme.external_id == f"everyone:{companies.companies()[0].external_id}"
    assert acme.company == "acme"
    assert companies.members(acme) == [JOHN]
    assert companies.members(globex) == []
    assert companies.members(EVERYONE) == [ANNA]
    assert companies.groups_of(JOHN) == [acme]
    assert companies.by_name("everyone") == [EVERYONE, acme, globex]
    assert companies.by_external_id(acme.external_id) == acme
    assert list(companies.groups()) == [EVERYONE, acme, globex, CREW, SALES]
    assert list(companies.groups("acme")) == [acme, CREW]
    assert list(companies.groups("")) == [EVERYONE, SALES]


@pytest.mark.parametrize(
    ("external_id", "expected"),
    [
        ("everyone", True),
        ("everyone:dbcompany:7", True),
        ("everyone:ldap:0-1", True),
        ("everyones", False),
        ("dbgroup:1", False),
        ("ldap:everyone", False),
    ],
)
def test_its_ids(external_id: str, expected: bool) -> None:
    assert is_everyone(external_id) is expected


def test_all_else_is_the_plugins(one_company: WithEveryone) -> None:
    assert one_company.by_address("anna@example.org") == [ANNA]
    assert one_company.by_address("everyone") == []
    assert one_company.by_external_id(BEN.external_id) == BEN
    assert one_company.by_external_id("everyone:gone") is None
    assert list(one_company.users()) == [ANNA, BEN]
    assert one_company.senders_as(ANNA) == []
    assert one_company.authenticate("anna", "x") is None
