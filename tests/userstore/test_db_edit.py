"""Groups, companies, delegates and quotas of the db plugin, and what its editor refuses."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from mailcore.errors import UsageError
from store.engine import Database
from store.mailboxes import create_mailbox, directory_version
from store.schema import counter, metadata, permission
from userstore.db import DbUserStore
from userstore.db_edit import DbEditor
from userstore.everyone import everyone_of
from userstore.model import Company, Group, Quota, User

editor = DbEditor()
MEGABYTE = 1024 * 1024


class Town:
    """A database and its editor, each change in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.users = DbUserStore(database)

    def do(self, change: Callable[..., Any], *arguments: Any) -> Any:
        with self.database.write() as connection:
            return change(connection, *arguments)

    def user(self, name: str, company: str = "", **values: Any) -> User:
        made: User = self.do(editor.create_user, name, values, company)
        return made

    def group(self, name: str, company: str = "", **values: Any) -> Group:
        made: Group = self.do(editor.create_group, name, values, company)
        return made

    def company(self, name: str) -> Company:
        made: Company = self.do(editor.create_company, name)
        return made

    def rows(self) -> list[tuple[Any, ...]]:
        """Every row but the counters, of which a change raises one before it looks."""
        with self.database.read() as connection:
            tables = [table for table in metadata.sorted_tables if table is not counter]
            return [tuple(row) for table in tables for row in connection.execute(select(table))]


@pytest.fixture
def town(database: Database) -> Town:
    return Town(database)


def test_a_group_is_found_by_everything_it_has(town: Town) -> None:
    made = town.group("Sales", address="sales@example.org", add_aliases=["verkauf@example.org"])
    assert made == Group(
        made.external_id, "Sales", "sales@example.org", ("verkauf@example.org",), security=True
    )
    assert made.external_id.startswith("dbgroup:")
    assert made.addresses == ("sales@example.org", "verkauf@example.org")
    for found in (
        town.users.by_name("sales"),
        town.users.by_address("SALES@example.org"),
        town.users.by_address("verkauf@example.org"),
        [town.users.by_external_id(made.external_id)],
        list(town.users.groups()),
    ):
        assert found == [made]


def test_a_group_changes(town: Town) -> None:
    made = town.group("sales", address="sales@example.org", add_aliases=["s@example.org"])
    values = {"name": "Sales", "hidden": True, "security": False, "address": ""}
    changed = town.do(editor.update_group, made.external_id, values)
    assert changed == Group(
        made.external_id, "Sales", "", ("s@example.org",), security=False, hidden=True
    )


def test_users_and_groups_share_names_and_addresses(town: Town) -> None:
    anna = town.user("anna", address="anna@example.org")
    sales = town.group("sales", address="sales@example.org")
    for change, *arguments in (
        (editor.create_group, "anna", {}),
        (editor.create_user, "sales", {}),
        (editor.update_user, anna.external_id, {"name": "sales"}),
        (editor.update_group, sales.external_id, {"name": "anna"}),
    ):
        with pytest.raises(UsageError, match="exists already"):
            town.do(change, *arguments)
    for change, *arguments in (
        (editor.create_group, "staff", {"address": "Anna@example.org"}),
        (editor.update_user, anna.external_id, {"add_aliases": ["SALES@example.org"]}),
    ):
        with pytest.raises(UsageError, match="is taken by"):
            town.do(change, *arguments)


def test_members_come_and_go(town: Town) -> None:
    sales, staff = town.group("sales"), town.group("staff")
    anna, ben = town.user("anna"), town.user("ben")
    for group, member in ((staff, sales), (staff, ben), (staff, anna), (sales, anna)):
        town.do(editor.add_member, group.external_id, member.external_id)
    assert town.users.members(staff) == [anna, ben, sales]
    assert town.users.groups_of(anna) == [sales, staff]
    town.do(editor.remove_member, sales.external_id, anna.external_id)
    town.do(editor.remove_member, staff.external_id, anna.external_id)
    assert town.users.members(staff) == [ben, sales]
    assert town.users.groups_of(anna) == town.users.members(sales) == []


def test_delegates_come_and_go(town: Town) -> None:
    helpdesk, anna, ben = town.user("helpdesk"), town.user("anna"), town.user("ben")
    for delegate in (ben, anna):
        town.do(editor.add_send_as, helpdesk.external_id, delegate.external_id)
    assert town.users.senders_as(helpdesk) == [anna, ben]
    assert town.users.senders_as(anna) == []
    town.do(editor.remove_send_as, helpdesk.external_id, anna.external_id)
    assert town.users.senders_as(helpdesk) == [ben]


@pytest.mark.parametrize(
    ("action", "who", "whom", "says"),
    [
        ("add_member", "sales", "sales", "cannot be in itself"),
        ("add_member", "sales", "ben", "ben is in sales already"),
        ("add_member", "sales", "inner", "inner is in sales already"),
        ("add_member", "anna", "ben", "no such group db:"),
        ("add_member", "everyone", "ben", "Everyone is every user"),
        ("add_member", "sales", "everyone", "Everyone is every user"),
        ("remove_member", "sales", "anna", "anna is not in sales"),
        ("remove_member", "everyone", "anna", "Everyone is every user"),
        ("add_send_as", "anna", "anna", "anyway"),
        ("add_send_as", "anna", "ben", "ben may send as anna already"),
        ("add_send_as", "anna", "sales", "no such user dbgroup:"),
        ("add_send_as", "anna", "nobody", "no such user nobody"),
        ("remove_send_as", "ben", "anna", "anna may not send as ben"),
    ],
)
def test_what_cannot_be_joined_or_parted(
    town: Town, action: str, who: str, whom: str, says: str
) -> None:
    people = {name: town.user(name).external_id for name in ("anna", "ben")}
    people |= {name: town.group(name).external_id for name in ("sales", "inner")}
    people |= {"everyone": everyone_of().external_id}
    town.do(editor.add_member, people["sales"], people["ben"])
    town.do(editor.add_member, people["sales"], people["inner"])
    town.do(editor.add_send_as, people["anna"], people["ben"])
    before = town.rows()
    with pytest.raises(UsageError, match=says):
        town.do(getattr(editor, action), people[who], people.get(whom, whom))
    assert town.rows() == before


def test_every_change_is_announced(town: Town) -> None:
    """Each raises the directory's version, which is what every cache looks at."""

    def version() -> int:
        with town.database.read() as connection:
            return directory_version(connection)

    acme, sales = town.company("acme"), town.group("sales").external_id
    anna, ben = (town.user(name).external_id for name in ("anna", "ben"))
    for change, *arguments in (
        (editor.create_user, "carl", {}),
        (editor.update_user, anna, {"fullname": "Anna"}),
        (editor.create_group, "staff", {}),
        (editor.update_group, sales, {"hidden": True}),
        (editor.add_member, sales, anna),
        (editor.remove_member, sales, anna),
        (editor.add_send_as, anna, ben),
        (editor.remove_send_as, anna, ben),
        (editor.create_company, "globex"),
        (editor.rename_company, acme.external_id, "Acme"),
        (editor.delete_company, acme.external_id),
        (editor.delete_group, sales),
        (editor.delete_user, anna),
    ):
        before = version()
        town.do(change, *arguments)
        assert version() > before, change.__name__


@pytest.mark.parametrize("name", ["everyone", "Everyone", "EVERYONE", "SYSTEM", "system"])
def test_names_that_are_reserved(town: Town, name: str) -> None:
    anna, sales = town.user("anna"), town.group("sales")
    for change, *arguments in (
        (editor.create_user, name, {}),
        (editor.create_group, name, {}),
        (editor.create_company, name),
        (editor.update_user, anna.external_id, {"name": name}),
        (editor.update_group, sales.external_id, {"name": name}),
    ):
        with pytest.raises(UsageError, match="reserved"):
            town.do(change, *arguments)


@pytest.mark.parametrize("name", [" anna", "anna ", "an\tna", "anna\n", "an/na", "n" * 65])
def test_what_is_no_name(town: Town, name: str) -> None:
    for create in (editor.create_user, editor.create_group):
        with pytest.raises(UsageError, match="expected 1 to 64 letters"):
            town.do(create, name, {"address": "anna@example.org"})
    with pytest.raises(UsageError, match="expected 1 to 64 letters"):
        town.do(editor.create_company, name)


def test_everyone_cannot_be_changed(town: Town) -> None:
    acme = town.company("acme")
    for everyone in (everyone_of(), everyone_of(acme)):
        for change, *arguments in (
            (editor.update_group, everyone.external_id, {"hidden": True}),
            (editor.delete_group, everyone.external_id),
        ):
            with pytest.raises(UsageError, match="Everyone is every user"):
                town.do(change, *arguments)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"fullname": "Sales"}, "a group has no fullname"),
        ({"password": "x", "quota": None}, "a group has no password, quota"),
        ({"address": "sales"}, "expected something like"),
        ({"add_aliases": ["@"]}, "expected something like"),
        ({"add_aliases": ["@two words"]}, "expected something like"),
        ({"add_aliases": ["sales@example.org SIZE=3"]}, "expected something like"),
        ({"address": "@example.org"}, "expected something like"),
        ({"address": "@example.net:sales@example.org"}, "expected something like"),
        ({"add_aliases": ["@example.net:sales@example.org"]}, "expected something like"),
        ({"address": "\ud800@example.org"}, "expected something like"),
        ({"remove_aliases": ["x@example.org"]}, "sales has none such"),
    ],
)
def test_what_a_group_cannot_be(town: Town, values: Mapping[str, Any], says: str) -> None:
    made = town.group("sales")
    with pytest.raises(UsageError, match=says):
        town.do(editor.update_group, made.external_id, values)


def test_what_no_user_has(town: Town) -> None:
    with pytest.raises(UsageError, match="a user has no colour, id"):
        town.user("anna", id=7, colour="red")


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ('"anna.berg"@example.org', "anna.berg@example.org"),
        ('"anna berg"@example.org', '"anna berg"@example.org'),
        ("jörg@bücher.example", "jörg@bücher.example"),
        ("@example.org", "@example.org"),
        ("anna+x@example.org", "anna+x@example.org"),
    ],
)
def test_addresses_are_kept_as_rcpt_reads_them(town: Town, given: str, written: str) -> None:
    assert town.user("anna", add_aliases=[given]).aliases == (written,)


def test_an_alias_is_not_the_address_too(town: Town) -> None:
    anna = town.user("anna", add_aliases=["a@example.org"])
    with pytest.raises(UsageError, match="as an alias: remove that first"):
        town.do(editor.update_user, anna.external_id, {"address": "A@example.org"})


def test_a_quota_of_ones_own_and_back(town: Town) -> None:
    anna = town.user("anna")
    assert anna.quota is None
    own = Quota(450 * MEGABYTE, 500 * MEGABYTE, 5_000_000 * MEGABYTE)
    assert town.do(editor.update_user, anna.external_id, {"quota": own}).quota == own
    assert town.do(editor.update_user, anna.external_id, {"hidden": True}).quota == own
    assert town.do(editor.update_user, anna.external_id, {"quota": Quota()}).quota == Quota()
    assert town.do(editor.update_user, anna.external_id, {"quota": None}).quota is None
    with pytest.raises(UsageError, match="not negative"):
        town.do(editor.update_user, anna.external_id, {"quota": Quota(hard=-1)})


def test_hidden_users(town: Town) -> None:
    assert town.user("anna", hidden=True).hidden
    assert not town.user("ben").hidden


def test_names_are_given_once_in_a_company(town: Town) -> None:
    town.company("Acme")
    town.company("globex")
    everywhere = [town.user("john", company) for company in ("", "acme", "globex")]
    assert [one.company for one in everywhere] == ["", "Acme", "globex"]
    assert sorted(one.external_id for one in town.users.by_name("JOHN")) == sorted(
        one.external_id for one in everywhere
    )
    for company in ("", "ACME"):
        with pytest.raises(UsageError, match="user 'john' exists already"):
            town.group("john", company)
    with pytest.raises(UsageError, match="no such company 'initech'"):
        town.user("jane", "initech")


def test_companies_are_listed_and_renamed(town: Town) -> None:
    globex, acme = town.company("globex"), town.company("acme")
    assert acme.external_id.startswith("dbcompany:")
    assert town.users.companies() == [acme, globex]
    town.user("john", "acme")
    renamed = town.do(editor.rename_company, acme.external_id, "Acme Inc")
    assert renamed == Company(acme.external_id, "Acme Inc")
    (john,) = town.users.by_name("john")
    assert john.company == "Acme Inc"
    assert town.do(editor.rename_company, acme.external_id, "ACME INC").name == "ACME INC"
    for change, *arguments in (
        (editor.rename_company, acme.external_id, "Globex"),
        (editor.create_company, "GLOBEX"),
    ):
        with pytest.raises(UsageError, match="exists already"):
            town.do(change, *arguments)
    for name in ("", "a@b", "x" * 65):
        with pytest.raises(UsageError, match="company name"):
            town.do(editor.create_company, name)


def test_a_company_in_use_stays(town: Town) -> None:
    acme = town.company("acme")
    john, jane = town.user("john", "acme"), town.user("jane", "acme")
    crew = town.group("crew", "acme")
    with pytest.raises(UsageError, match="acme has 2 users and 1 groups; delete them first"):
        town.do(editor.delete_company, acme.external_id)
    for user in (john, jane):
        town.do(editor.delete_user, user.external_id)
    town.do(editor.delete_group, crew.external_id)
    town.do(editor.delete_company, acme.external_id)
    assert town.users.companies() == []
    for change, *arguments in (
        (editor.delete_company, acme.external_id),
        (editor.rename_company, acme.external_id, "new"),
    ):
        with pytest.raises(UsageError, match="no such company"):
            town.do(change, *arguments)


def test_what_is_gone_leaves_nothing_behind(town: Town) -> None:
    owner, acme = town.user("owner"), town.company("acme")
    store_id = town.do(create_mailbox, owner.external_id, "owner")
    before = town.rows()
    anna, sales, staff = town.user("anna"), town.group("sales"), town.group("staff")
    for group, member in ((sales, anna), (staff, sales), (sales, owner), (staff, anna)):
        town.do(editor.add_member, group.external_id, member.external_id)
    town.do(editor.add_send_as, owner.external_id, anna.external_id)
    town.do(editor.add_send_as, anna.external_id, owner.external_id)
    for subject in (anna.external_id, sales.external_id):
        town.do(_permit, store_id, subject)
    town.do(editor.delete_user, anna.external_id)
    assert town.users.members(sales) == [owner]
    town.do(editor.delete_group, sales.external_id)
    assert town.users.members(staff) == []
    town.do(editor.delete_group, staff.external_id)
    assert town.rows() == before
    town.do(_permit, store_id, everyone_of(acme).external_id)
    town.do(editor.delete_company, acme.external_id)
    with town.database.read() as connection:
        assert set(connection.execute(select(permission.c.subject)).scalars()) == {"everyone"}


def _permit(connection: Connection, store_id: int, subject: str) -> None:
    connection.execute(
        insert(permission), [{"store_id": store_id, "subject": subject, "rights": 1}]
    )
