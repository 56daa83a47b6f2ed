"""Groups in groups, in any shape: who is in one, and in which someone is, as a naive computation says it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from mailcore.settings import Settings
from store.engine import Database
from tests.userstore.memory_plugin import MemoryUserStore, new_id
from userstore.db_edit import DbEditor
from userstore.lookup import expand
from userstore.model import Group, Member, User
from userstore.plugin import UserStore
from userstore.plugins import open_plugin

Edges = frozenset[tuple[int, int]]
"""Pairs of a group and a member of it; numbers from `MOST` on are users, smaller ones groups."""

MOST = 5
graphs: st.SearchStrategy[Edges] = st.frozensets(
    st.tuples(st.integers(0, MOST - 1), st.integers(0, 2 * MOST - 1)).filter(lambda e: e[0] != e[1])
)


def within(edges: Edges, group: int) -> set[int]:
    """The users in a group: pairs are joined until nothing new comes."""
    reached = {member for one, member in edges if one == group}
    while True:
        more = reached | {member for one, member in edges if one in reached}
        if more == reached:
            return {one for one in reached if one >= MOST}
        reached = more


def check(plugin: UserStore, people: list[Member], edges: Edges) -> None:
    """Everyone is in exactly the groups that the naive computation says, from both sides."""
    groups, users = people[:MOST], people[MOST:]
    inside: dict[str, set[str]] = {}
    for number, group in enumerate(groups):
        assert isinstance(group, Group)
        found = [one.external_id for one in expand(plugin, group)]
        assert len(found) == len(set(found))
        assert set(found) == {people[one].external_id for one in within(edges, number)}
        inside[group.external_id] = set(found)
    for user in users:
        assert isinstance(user, User)
        around = {one.external_id for one in plugin.groups_of(user)} & set(inside)
        assert around == {one for one, members in inside.items() if user.external_id in members}


@given(graphs)
def test_any_shape_in_memory(edges: Edges) -> None:
    people: list[Member] = [Group(new_id(), f"g{one}") for one in range(MOST)]
    people += [User(new_id(), f"u{one}", "", "") for one in range(MOST)]
    plugin = MemoryUserStore(people)
    for group, member in edges:
        whole = people[group]
        assert isinstance(whole, Group)
        plugin.put(whole, people[member])
    check(plugin, people, edges)


def test_any_shape_in_a_database(database: Database) -> None:
    plugin, editor = open_plugin(Settings(), database).users, DbEditor()
    people: list[Member] = []
    with database.write() as connection:
        people += [editor.create_group(connection, f"g{one}", {}) for one in range(MOST)]
        people += [editor.create_user(connection, f"u{one}", {}) for one in range(MOST)]

    @settings(max_examples=30, deadline=None)
    @given(graphs)
    def on_one_database(edges: Edges) -> None:
        with database.write() as connection:
            for group, member in edges:
                ids = people[group].external_id, people[member].external_id
                editor.add_member(connection, *ids)
        check(plugin, people, edges)
        with database.write() as connection:
            for group, member in edges:
                ids = people[group].external_id, people[member].external_id
                editor.remove_member(connection, *ids)

    on_one_database()


def test_nearer_members_come_first_and_each_once() -> None:
    outer, inner = Group(new_id(), "outer"), Group(new_id(), "inner")
    anna, ben = User(new_id(), "anna", "", ""), User(new_id(), "ben", "", "")
    plugin = MemoryUserStore([outer, inner, anna, ben])
    plugin.put(outer, inner, ben)
    plugin.put(inner, anna, ben, outer)
    assert expand(plugin, outer) == [ben, anna]
    assert expand(plugin, inner) == [anna, ben]
