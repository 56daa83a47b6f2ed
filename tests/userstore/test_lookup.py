"""Whom a text means: one table for every plugin, and groups that contain groups."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mailcore.errors import RecipientRefusedError
from mailcore.settings import Settings
from store.engine import Database
from store.migrate import ensure_schema
from tests.support.databases import shared_url
from tests.userstore.lookups import (
    COMPANIES,
    GROUPS,
    LOOKUPS,
    SHARED,
    SHARED_LOOKUPS,
    USERS,
    Person,
)
from tests.userstore.memory_plugin import MemoryUserStore, new_id
from userstore.db_edit import DbEditor
from userstore.everyone import WithEveryone
from userstore.lookup import find
from userstore.model import Contact, Group, Member, User
from userstore.plugin import UserStore
from userstore.plugins import open_plugin


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "memory"])
def plugin(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[UserStore]:
    """A user store in which everyone of the table exists."""
    if request.param == "memory":
        yield in_memory()
        return
    with in_database(shared_url(request, tmp_path_factory)) as users:
        yield users


def in_memory() -> UserStore:
    users = [
        User(new_id(), one.name, "", one.address, one.aliases, company=one.company)
        for one in (*USERS, *SHARED.users)
    ]
    groups = [
        Group(new_id(), one.name, one.address, one.aliases, company=one.company)
        for one in (*GROUPS, *SHARED.groups)
    ]
    contacts = [Contact(new_id(), one.name, "", one.address) for one in SHARED.contacts]
    return WithEveryone(MemoryUserStore([*users, *groups, *contacts], COMPANIES))


@contextmanager
def in_database(url: str) -> Iterator[UserStore]:
    database = Database(url)
    ensure_schema(database)
    editor = DbEditor()
    with database.write() as connection:
        for name in COMPANIES:
            editor.create_company(connection, name)
        for one in USERS:
            editor.create_user(connection, one.name, addresses(one), one.company)
        for one in GROUPS:
            editor.create_group(connection, one.name, addresses(one), one.company)
    yield open_plugin(Settings(), database).users
    database.close()


def addresses(one: Person) -> dict[str, object]:
    primary = {"address": one.address} if one.address else {}
    return {**primary, "add_aliases": one.aliases}


def label(entry: Member) -> str:
    kind = "group " if isinstance(entry, Group) else ""
    return f"{kind}{entry.name}@{entry.company}" if entry.company else f"{kind}{entry.name}"


def meant(plugin: UserStore, text: str, delimiter: str = "+") -> tuple[str, str]:
    """Whom a text means, as the table writes it, and the detail."""
    try:
        found = find(plugin, text, delimiter)
    except RecipientRefusedError as error:
        return f"{error.reply.code} {error.reply.enhanced}", ""
    return label(found.entry), found.detail


def test_the_table_is_a_table() -> None:
    texts = [text for text, _, _ in (*LOOKUPS, *SHARED_LOOKUPS)]
    assert len(texts) == len(set(texts)) >= 100


@pytest.mark.parametrize(("text", "who", "detail"), LOOKUPS)
def test_whom_a_text_means(plugin: UserStore, text: str, who: str, detail: str) -> None:
    assert meant(plugin, text) == (who, detail)


@pytest.mark.parametrize(("text", "who", "detail"), SHARED_LOOKUPS)
def test_entries_that_share_a_name_or_an_address(text: str, who: str, detail: str) -> None:
    assert meant(in_memory(), text) == (who, detail)


@pytest.mark.parametrize(
    ("text", "delimiter", "who", "detail"),
    [
        ("anna+x@example.org", "", "550 5.1.1", ""),
        ("anna-x@example.org", "-", "anna", "x"),
        ("anna+x-y@example.org", "+-", "anna", "x-y"),
        ("anna-x+y@example.org", "+-", "anna", "x+y"),
        ("-odd@example.org", "-", "-odd", ""),
        ("-odd-x@example.org", "-", "-odd", "x"),
    ],
)
def test_delimiters(text: str, delimiter: str, who: str, detail: str) -> None:
    assert meant(in_memory(), text, delimiter) == (who, detail)


@pytest.mark.parametrize(
    ("text", "says", "reply"),
    [
        ("supplier@elsewhere.example", "a contact", "a contact, who has no mailbox here"),
        ("everyone", "Everyone", "nobody can write to Everyone"),
        ("nobody@example.org", "no such user: nobody@example.org", "no such user here"),
        ("both@shared.example", "both@shared.example: pat, pia", "several recipients"),
        ("john", "john: john@Globex, john@acme", "several recipients"),
    ],
)
def test_a_refusal_says_why(text: str, says: str, reply: str) -> None:
    with pytest.raises(RecipientRefusedError, match=says) as raised:
        find(in_memory(), text, "+")
    assert reply in raised.value.reply.text
