"""Companies: who is meant by a name, and what comes and goes with a company."""

from typing import Any

import pytest
from sqlalchemy import select

from store.schema import mailbox_store, permission
from tests.admin.shell import Installed, Shell


@pytest.fixture
def two(embedded: tuple[Shell, Installed]) -> Shell:
    """Two companies: john is in both, eva in one; anna and the resources are in none."""
    shell, _ = embedded
    shell.ok("--create-company", "acme")
    shell.ok("--create-company", "globex")
    shell.ok("-c", "john", "-I", "acme", "-e", "john@acme.example")
    shell.ok("-c", "john@globex", "-e", "john@globex.example")
    shell.ok("-c", "eva", "-I", "GLOBEX", "-e", "eva@globex.example")
    shell.ok("-g", "sales@acme")
    return shell


def test_without_one_nothing_of_them_is_seen(embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    for words in (
        ("-l",),
        ("-L",),
        ("--details", "anna"),
        ("--details", "--type", "group", "everyone"),
    ):
        assert "ompany" not in shell.ok(*words)
    assert shell.json("--list-companies") == []


def test_a_company_comes_and_goes_with_its_public_store(shell: Shell, installed: Installed) -> None:
    assert shell.ok("--create-company", "acme") == "Company acme created, with a public store.\n"
    (company,) = shell.json("--list-companies")
    assert company["name"] == "acme"
    assert "exists already" in shell.refuses("--create-company", "ACME")
    shell.ok("-c", "john", "-I", "acme", "-e", "john@acme.example")
    before = installed.contents()
    assert "has 1 users and 0 groups" in shell.refuses("--delete-company", "acme")
    assert installed.contents() == before
    shell.ok("--update-company", "acme", "-U", "globex")
    assert shell.json("--details", "john@globex")["company"] == "globex"
    shell.ok("-d", "john@globex")
    said = shell.ok("--delete-company", "globex")
    assert said == f"Company globex deleted. The public store {company['store_guid']} is kept.\n"
    assert {(one["name"], one["public"]) for one in shell.json("--list-orphans")["stores"]} == {
        ("john", False),
        ("globex", True),
    }


@pytest.mark.parametrize(
    ("words", "address"),
    [
        (("john", "-I", "acme"), "john@acme.example"),
        (("john@acme",), "john@acme.example"),
        (("john@GLOBEX",), "john@globex.example"),
        (("eva",), "eva@globex.example"),
        (("anna",), "anna@example.org"),
        (("john@globex.example",), "john@globex.example"),
    ],
)
def test_who_is_meant(two: Shell, words: tuple[str, ...], address: str) -> None:
    assert two.json("--details", *words)["address"] == address


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-u", "john", "-f", "J"), "'john' can be john@acme, john@globex: write one of these"),
        (("--details", "john"), "can be john@acme, john@globex"),
        (("--list-mail", "john"), "can be john@acme, john@globex"),
        (("-d", "eva@acme"), "no user 'eva@acme'"),
        (("-d", "eva", "-I", "acme"), "no user 'eva' in company acme; kopano-admin -l -I acme"),
        (("--list-mail", "eva", "-I", "acme"), "no user 'eva' in company acme"),
        (("--details", "eva", "-I", "acme"), "no user or group 'eva' in company acme"),
        (("-d", "anna", "-I", "acme"), "no user 'anna' in company acme"),
        (("-G", "sales", "-I", "globex"), "no group 'sales' in company globex; kopano-admin -L"),
        (("-c", "john@acme", "-e", "new@acme.example"), "exists already"),
        (("-c", "eva@acme", "-e", "eva@globex.example"), "taken by eva"),
    ],
)
def test_who_is_not_meant(two: Shell, words: tuple[str, ...], says: str) -> None:
    assert says in two.refuses(*words)


def test_who_is_in_no_company_goes_first(two: Shell) -> None:
    two.ok("-c", "john", "-e", "john@example.org")
    assert two.json("--details", "john")["address"] == "john@example.org"


def test_listings_of_a_company(two: Shell) -> None:
    assert [user["name"] for user in two.json("-l", "-I", "globex")] == ["eva", "john"]
    groups = [(group["name"], group["company"]) for group in two.json("-L", "-I", "acme")]
    assert groups == [("Everyone", "acme"), ("sales", "acme")]
    assert two.json("--user-count", "-I", "globex")["total"] == 2
    assert two.json("--user-count")["total"] == 6
    assert two.ok("-l").splitlines()[0].split()[-1] == "Company"
    assert [line.split()[-1] for line in two.ok("--list-companies").splitlines()[1:]] == [
        company["store_guid"] for company in two.json("--list-companies")
    ]
    details = two.json("--details", "--type", "company", "acme")
    assert (details["name"], details["users"], details["groups"]) == ("acme", 1, 2)


def test_everyone_is_that_of_the_owners_company(two: Shell) -> None:
    (free_busy,) = two.json("--list-rights", "john@acme")
    assert free_busy["subject"] == "Everyone@acme"
    two.ok("--set-rights", "john@acme", "everyone", "read", "--folder", "Inbox")
    assert {one["subject"] for one in two.json("--list-rights", "john@acme")} == {"Everyone@acme"}
    two.ok("--set-rights", "public", "everyone", "read", "-I", "acme")
    (public,) = two.json("--list-rights", "public", "-I", "acme")
    assert (public["subject"], public["rights"]) == ("Everyone@acme", ["read"])


def test_a_store_that_is_made_later_is_of_the_company_too(
    two: Shell, embedded: tuple[Shell, Installed]
) -> None:
    two.ok("--unhook-store", "eva")
    two.ok("--create-store", "-u", "eva")
    (free_busy,) = two.json("--list-rights", "eva")
    assert free_busy["subject"] == "Everyone@globex"


def test_the_public_store_of_a_company_is_hooked_again(two: Shell) -> None:
    acme: dict[str, Any] = two.json("--list-companies")[0]
    two.ok("--unhook-store", "acme", "--type", "company")
    assert two.json("--list-companies")[0]["store_guid"] is None
    two.ok("-s", "-I", "acme")
    new = two.json("--list-companies")[0]["store_guid"]
    assert new not in {None, acme["store_guid"]}
    two.ok("--hook-store", acme["store_guid"], "-I", "acme")
    assert two.json("--list-companies")[0] == acme
    assert [one["guid"] for one in two.json("--list-orphans")["stores"]] == [new]


def test_deleting_a_company_forgets_its_everyone(
    two: Shell, embedded: tuple[Shell, Installed]
) -> None:
    _, installed = embedded
    two.ok("-d", "john@acme")
    two.ok("-G", "sales@acme")
    two.ok("--delete-company", "acme")
    query = select(permission.c.subject).join(
        mailbox_store, mailbox_store.c.id == permission.c.store_id
    )
    with installed.database.read() as connection:
        subjects = set(connection.execute(query).scalars())
    assert len(subjects) == 2  # everyone of no company, and of globex
