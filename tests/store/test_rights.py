"""Rights: the nearest place that says anything decides, and the owner is not asked."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from mailcore.errors import UsageError
from store.folders import add_path, delete_folder
from store.mailboxes import Mailbox, create_mailbox
from store.rights import ALL, NOTHING, Accessor, Granted, Right, grant, list_rights, rights_on
from store.schema import calendar
from tests.support.mailboxes import NOW, PostOffice

BEN = Accessor("test:ben", frozenset({"test:ben", "group:sales", "everyone"}))
PATHS = ("Projects", "Projects/2030", "Projects/2030/May", "Lists")
SUBJECTS = ("test:ben", "group:sales", "group:other", "everyone", "everyone:c1")


@pytest.fixture
def mailbox(post_office: PostOffice) -> Mailbox:
    made = post_office.mailbox()
    with post_office.database.write() as connection:
        for path in PATHS:
            add_path(connection, made.id, path)
    return post_office.reload(made.id)


def calendar_of(office: PostOffice, mailbox: Mailbox) -> int:
    return int(office.rows(calendar, calendar.c.store_id == mailbox.id)[0].id)


def give(
    office: PostOffice, mailbox: Mailbox, subject: str, rights: Right, path: str | None = None
) -> None:
    folder_id = None if path is None else mailbox.folders[path]
    with office.database.write() as connection:
        grant(connection, mailbox.id, subject, rights, folder_id)


def of(
    office: PostOffice, mailbox: Mailbox, path: str | None = None, accessor: Accessor = BEN
) -> Right:
    folder_id = None if path is None else mailbox.folders[path]
    with office.database.read() as connection:
        return rights_on(connection, accessor, mailbox.id, folder_id)


def test_by_default_only_free_and_busy_times_are_told(
    post_office: PostOffice, mailbox: Mailbox
) -> None:
    calendar_id = calendar_of(post_office, mailbox)
    with post_office.database.read() as connection:
        assert rights_on(connection, BEN, mailbox.id, calendar_id=calendar_id) == Right.FREE_BUSY
        stranger = Accessor("test:x", frozenset({"test:x", "everyone:c1"}))
        assert rights_on(connection, stranger, mailbox.id, calendar_id=calendar_id) == NOTHING
    assert [of(post_office, mailbox, path) for path in (None, "Inbox")] == [NOTHING, NOTHING]


def test_the_free_and_busy_times_of_a_company(post_office: PostOffice) -> None:
    with post_office.database.write() as connection:
        store_id = create_mailbox(connection, "test:in-a-company", "cara", "everyone:c1")
        query = select(calendar.c.id).where(calendar.c.store_id == store_id)
        calendar_id = connection.execute(query).scalar_one()
        own = Accessor("test:x", frozenset({"test:x", "everyone:c1"}))
        assert rights_on(connection, own, store_id, calendar_id=calendar_id) == Right.FREE_BUSY
        assert rights_on(connection, BEN, store_id, calendar_id=calendar_id) == NOTHING


def test_owners_and_administrators_are_not_asked(post_office: PostOffice, mailbox: Mailbox) -> None:
    owner = Accessor(f"test:{mailbox.owner_name}", frozenset())
    administrator = Accessor("test:root", frozenset(), everything=True)
    for accessor in (owner, administrator):
        assert of(post_office, mailbox, None, accessor) == ALL
        assert of(post_office, mailbox, "Projects/2030", accessor) == ALL


def test_a_folder_without_a_list_takes_that_of_its_parent(
    post_office: PostOffice, mailbox: Mailbox
) -> None:
    give(post_office, mailbox, "everyone", Right.VISIBLE)
    give(post_office, mailbox, "group:sales", Right.READ | Right.VISIBLE, "Projects")
    give(post_office, mailbox, "test:ben", Right.CREATE, "Projects")
    give(post_office, mailbox, "group:other", Right.READ, "Projects/2030/May")
    sales = Right.READ | Right.VISIBLE | Right.CREATE
    assert [of(post_office, mailbox, path) for path in (None, *PATHS)] == [
        Right.VISIBLE,
        sales,
        sales,
        NOTHING,  # it has a list, and nobody there is Ben
        Right.VISIBLE,
    ]


def test_a_grant_takes_the_place_of_the_last(post_office: PostOffice, mailbox: Mailbox) -> None:
    for rights in (Right.READ, Right.CREATE):
        give(post_office, mailbox, "test:ben", rights, "Lists")
    assert of(post_office, mailbox, "Lists") == Right.CREATE
    give(post_office, mailbox, "test:ben", Right.EDIT)
    with post_office.database.read() as connection:
        calendar_id = calendar_of(post_office, mailbox)
        assert list_rights(connection, mailbox.id) == [
            Granted("test:ben", Right.EDIT),
            Granted("everyone", Right.FREE_BUSY, calendar_id=calendar_id),
            Granted("test:ben", Right.CREATE, folder_id=mailbox.folders["Lists"]),
        ]
    give(post_office, mailbox, "test:ben", NOTHING, "Lists")
    assert of(post_office, mailbox, "Lists") == Right.EDIT


def test_places_that_are_not_there(post_office: PostOffice, mailbox: Mailbox) -> None:
    other = post_office.mailbox()
    give(post_office, mailbox, "everyone", Right.READ)
    with post_office.database.write() as connection:
        for wrong in (
            {"folder_id": other.folders["Inbox"]},
            {"calendar_id": calendar_of(post_office, other)},
        ):
            with pytest.raises(UsageError, match=f"not in mailbox {mailbox.id}; name a"):
                grant(connection, mailbox.id, "everyone", Right.READ, **wrong)
            assert rights_on(connection, BEN, mailbox.id, **wrong) == NOTHING
        delete_folder(connection, mailbox.folders["Lists"], NOW)
        assert rights_on(connection, BEN, mailbox.id, mailbox.folders["Lists"]) == NOTHING
        assert rights_on(connection, BEN, 10**9) == NOTHING


@dataclass
class Naive:
    """The rule as the documentation has it, over plain dictionaries."""

    lists: dict[str | None, dict[str, Right]] = field(default_factory=dict)

    def rights(self, path: str | None, subjects: frozenset[str]) -> Right:
        while not self.lists.get(path):
            if path is None:
                return NOTHING
            path = path.rpartition("/")[0] or None
        found = NOTHING
        for subject, rights in self.lists[path].items():
            found |= rights if subject in subjects else NOTHING
        return found


grants = st.lists(
    st.tuples(
        st.sampled_from([None, *PATHS]),
        st.sampled_from(SUBJECTS),
        st.integers(0, 255).map(Right) | st.just(NOTHING),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(grants=grants, subjects=st.frozensets(st.sampled_from(SUBJECTS)))
def test_the_answer_is_that_of_a_naive_model(
    post_office: PostOffice,
    grants: list[tuple[str | None, str, Right]],
    subjects: frozenset[str],
) -> None:
    naive = Naive()
    accessor = Accessor("test:nobody", subjects)
    with post_office.database.write() as connection:
        store_id = create_mailbox(connection, f"test:naive-{id(naive)}-{len(grants)}", "naive")
        ids: dict[str | None, int | None] = {None: None}
        ids |= {path: add_path(connection, store_id, path) for path in PATHS}
        for path, subject, rights in grants:
            grant(connection, store_id, subject, rights, ids[path])
            naive.lists.setdefault(path, {})[subject] = rights
            if not rights:
                del naive.lists[path][subject]
        for path, folder_id in ids.items():
            expected = naive.rights(path, subjects)
            assert rights_on(connection, accessor, store_id, folder_id) == expected, path
        connection.rollback()
