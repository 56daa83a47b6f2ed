"""The command lines of the manual (chapter 8.1 to 8.3, 8.7 and 8.8), typed as they are printed there.

What stands between <> is filled in, and what stands between [] is typed as well.
"""

import re
import shlex

import pytest

from tests.admin.shell import Installed, Shell

FILLED_IN = {
    "<user name>": "mary",
    "<new username>": "maria",
    "<new password>": "'tall ladder'",
    "<password>": "secret",
    "<email>": "mary@kopano.com",
    "<full name>": "'Mary Jones'",
    "<administrator>": "1",
    "<user>": "john",
    "<delegate>": "helpdesk",
    "<resource name>": "beamer",
    "no/yes": "yes",
}
CREATE = r"""
/usr/sbin/kopano-admin -c <user name> \
        -p <password> \
        -e <email> \
        -f <full name> \
        -a <administrator>
"""
UPDATE = r"""
/usr/sbin/kopano-admin -u <user name> \
                                                [-U <new username>] \
                                                [-p <new password>] \
                                                [-e <email>] \
                                                [-f <full name>] \
                                                [-a no/yes]
"""
NON_ACTIVE = "kopano-admin -c -u <user name> -e <email> -f <full name> -n 1"
GROUPS = """
kopano-admin -c john -p secret -f "John Doe" -e "john.doe@kopano.com"
kopano-admin -g administration
kopano-admin -b john -i administration
"""
HELPDESK = "kopano-admin -c helpdesk -e helpdesk@kopano.com"


def words_of(printed: str) -> list[list[str]]:
    """What the shell makes of some printed command lines, without the program's name."""
    for placeholder, value in FILLED_IN.items():
        printed = printed.replace(placeholder, value)
    lines = re.sub(r"\\\n", " ", printed).translate(str.maketrans("", "", "[]"))
    commands = [shlex.split(line) for line in lines.splitlines() if line.strip()]
    assert all(words[0].endswith("kopano-admin") for words in commands)
    return [words[1:] for words in commands]


def typed(shell: Shell, printed: str) -> str:
    """Run printed commands that must succeed; what they print."""
    return "".join(shell.ok(*words) for words in words_of(printed))


@pytest.fixture
def office(embedded: tuple[Shell, Installed]) -> Shell:
    shell, _ = embedded
    typed(shell, GROUPS)
    typed(shell, HELPDESK)
    return shell


def test_8_1_the_public_store(shell: Shell) -> None:
    assert typed(shell, "/usr/sbin/kopano-admin -s") == "Public store created.\n"
    again = shell.refuses("-s")
    assert again == "there is a public store of SYSTEM already; there can only be one"
    everyone = {right["subject"]: right for right in shell.json("--list-rights", "public")}[
        "Everyone"
    ]
    assert {"read", "create", "edit", "delete"} <= set(everyone["rights"])
    assert "owner" not in everyone["rights"]


def test_8_2_1_listing(office: Shell) -> None:
    users = typed(office, "kopano-admin -l").splitlines()
    assert [line.split()[0] for line in users[1:]] == [
        "anna",
        "aurora",
        "beamers",
        "helpdesk",
        "john",
    ]
    groups = typed(office, "kopano-admin -L").splitlines()
    assert [line.split()[0] for line in groups[1:]] == ["Everyone", "administration"]


def test_8_2_2_details_of_a_user(office: Shell) -> None:
    assert fields(typed(office, "kopano-admin --details john")) == [
        ("Name", "john"),
        ("Full name", "John Doe"),
        ("Email address", "john.doe@kopano.com"),
        ("Aliases", ""),
        ("Active", "yes"),
        ("Administrator", "no"),
        ("Address Book", "visible"),
        ("Features", "mobile; outlook"),
        ("Store", office.json("--details", "john")["store_guid"]),
        ("Store size", "0.00 MB"),
        ("Auto-accept meeting requests", "no"),
        ("Out-Of-Office", "disabled"),
        ("Current user store quota settings", ""),
        ("Quota overrides", "no"),
        ("Warning level", "unlimited"),
        ("Soft level", "unlimited"),
        ("Hard level", "unlimited"),
        ("Groups (2)", ""),
        ("Everyone", ""),
        ("administration", ""),
    ]


def fields(printed: str) -> list[tuple[str, str]]:
    """The fields of a listing of details, in their order."""
    parts = (line.partition(":") for line in printed.splitlines())
    return [(name.strip(), value.strip()) for name, _, value in parts]


def test_8_2_2_details_of_a_group(office: Shell) -> None:
    for command in ("-g sales", "-b john -i sales", "-b helpdesk -i sales"):
        office.ok(*command.split())
    name, address, book, security, users, heading, *members = typed(
        office, "kopano-admin --details --type group sales"
    ).splitlines()
    assert name.split() == ["Name:", "sales"]
    assert address.split() == ["Email", "address:"]
    assert book.split() == ["Address", "book:", "Visible"]
    assert security.split() == ["Security:", "yes"]
    assert users == "Users (2):"
    assert heading.split() == ["Username", "Fullname", "Homeserver", "Store"]
    assert [(line.split()[0], line.split()[-1]) for line in members] == [
        (user, office.json("--details", user)["store_guid"]) for user in ("helpdesk", "john")
    ]
    assert office.json(*shlex.split("--details --type group sales"))["users"][1]["name"] == "john"


def test_8_2_3_a_deleted_users_store_is_found_hooked_and_removed(office: Shell) -> None:
    guid = office.json("--details", "helpdesk")["store_guid"]
    johns = office.json("--details", "john")["store_guid"]
    office.ok("-d", "helpdesk")
    part, heading, store, empty, users = typed(
        office, "/usr/sbin/kopano-admin --list-orphans"
    ).splitlines()
    assert part == "Stores without users:"
    assert re.split(r"\s\s+", heading.strip()) == [
        "Store guid",
        "Guessed username",
        "Last modified",
        "Store size",
    ]
    assert re.fullmatch(rf"    {guid}  helpdesk +\d{{4}}/\d\d/\d\d \d\d:\d\d  0KB", store)
    assert (empty, users) == ("", "Users without stores (0):")

    hook = f"/usr/sbin/kopano-admin --hook-store {guid} -u <user>"
    assert f"{johns}, which was there before, is an orphan now" in typed(office, hook)
    assert office.json("--details", "john")["store_guid"] == guid
    assert [one["guid"] for one in office.json("--list-orphans")["stores"]] == [johns]

    typed(office, f"/usr/sbin/kopano-admin --remove-store {johns}")
    (orphan,) = office.json("--list-orphans")["stores"]
    assert (orphan["guid"], orphan["deleted"]) == (johns, True)
    office.ok("--purge-softdelete", "30")
    assert len(office.json("--list-orphans")["stores"]) == 1
    assert "1 store;" in office.ok("--purge-softdelete", "0")
    assert office.json("--list-orphans") == {"stores": [], "users": []}


def test_8_2_3_without_a_user_the_public_store_is_hooked(office: Shell) -> None:
    office.ok("-s")
    guid = office.json("--details", "--type", "company")["store_guid"]
    assert guid in office.ok("--unhook-store", "--type", "company")
    assert office.json("--details", "--type", "company")["store_guid"] is None
    assert "everybody" in typed(office, f"/usr/sbin/kopano-admin --hook-store {guid}")
    assert office.json("--details", "--type", "company")["store_guid"] == guid


def test_8_2_3_users_without_stores(office: Shell) -> None:
    office.ok("--unhook-store", "john")
    assert office.ok("--list-orphans").splitlines()[-2:] == [
        "Users without stores (1):",
        "    john",
    ]
    assert office.json("--list-orphans")["users"] == [{"name": "john", "company": ""}]
    assert "none; --create-store" in office.ok("--details", "john")
    office.ok("--create-store", "-u", "john")
    assert office.json("--list-orphans")["users"] == []


def test_8_3_1_creating(shell: Shell) -> None:
    assert typed(shell, CREATE) == "User mary created.\n"
    details = shell.json("--details", "mary")
    assert (details["address"], details["fullname"]) == ("mary@kopano.com", "Mary Jones")
    assert (details["admin_level"], details["active"]) == (1, True)


def test_8_3_2_a_non_active_user(shell: Shell) -> None:
    assert typed(shell, NON_ACTIVE) == "User mary created.\n"
    assert shell.json("--details", "mary")["active"] is False


def test_8_3_3_and_4_updating_and_deleting(embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    typed(shell, NON_ACTIVE)
    assert typed(shell, UPDATE) == "User mary is maria.\n"
    details = shell.json("--details", "maria")
    assert (details["name"], details["admin_level"]) == ("maria", 1)
    (words,) = words_of("/usr/sbin/kopano-admin -d <user name>")
    assert "no user 'mary'" in shell.refuses(*words)
    assert shell.ok("-d", "maria").startswith("User maria deleted.")


def test_8_3_5_send_as(office: Shell) -> None:
    typed(office, "kopano-admin --add-sendas john -u helpdesk")
    assert ("Send-as", "john") in fields(typed(office, "kopano-admin --details helpdesk"))
    assert "Send-as" not in office.ok("--details", "john")
    assert [one["name"] for one in office.json("--list-sendas", "helpdesk")] == ["john"]
    assert "already" in office.refuses("--add-sendas", "john", "-u", "helpdesk")
    typed(office, "kopano-admin --remove-sendas <user> -u <delegate>")
    assert office.json("--list-sendas", "helpdesk") == []


def test_8_3_6_groups(shell: Shell) -> None:
    assert typed(shell, GROUPS) == (
        "User john created.\nGroup administration created.\njohn is in group administration now.\n"
    )
    assert shell.json("--details", "john")["groups"] == ["Everyone", "administration"]
    rights = shell.json("--list-rights", "john")
    assert [(one["calendar"], one["subject"], one["rights"]) for one in rights] == [
        ("Calendar", "Everyone", ["free-busy"])
    ]


def test_8_7_2_features(office: Shell) -> None:
    typed(office, "kopano-admin -u john --enable-feature imap")
    typed(office, "kopano-admin -u john --disable-feature pop3")
    details = office.json("--details", "john")
    assert (details["enabled_features"], details["disabled_features"]) == (["imap"], ["pop3"])


def test_8_8_resources(office: Shell) -> None:
    office.ok("-c", "beamer", "-e", "beamer@kopano.com", "-n", "equipment", "--capacity", "5")
    for option in ("--mr-accept", "--mr-decline-conflict", "--mr-decline-recurring"):
        typed(office, f"kopano-admin -u <resource name> {option} yes")
    details = office.json("--details", "beamer")
    switches = ("mr_accept", "mr_decline_conflict", "mr_decline_recurring")
    assert all(details[name] for name in switches)
    assert (details["type"], details["capacity"]) == ("equipment", 5)
    office.ok("--set-rights", "beamer", "administration", "read,create,edit", "--calendar")
    granted = {one["subject"]: one for one in office.json("--list-rights", "beamer")}
    assert granted["administration"]["rights"] == ["read", "create", "edit"]
