"""Groups as kopano-admin makes, changes and shows them."""

from tests.admin.shell import Installed, Shell


def test_a_group_with_everything(shell: Shell, installed: Installed) -> None:
    shell.ok("-g", "sales", "-e", "sales@example.org", "--security", "no", "--hidden", "yes")
    shell.ok("--update-group", "sales", "--add-alias", "offers@example.org")
    assert shell.json("-L") == [
        {
            "name": "Everyone",
            "address": "",
            "aliases": [],
            "security": True,
            "hidden": False,
            "company": "",
        },
        {
            "name": "sales",
            "address": "sales@example.org",
            "aliases": ["offers@example.org"],
            "security": False,
            "hidden": True,
            "company": "",
        },
    ]
    assert shell.ok("--update-group", "sales", "-U", "Sales") == "Group sales is Sales.\n"
    assert shell.ok("--update-group", "Sales", "-e", "") == "Group Sales changed.\n"
    after = shell.json("--details", "Sales", "--type", "group")
    assert (after["name"], after["address"], after["hidden"]) == ("Sales", "", True)
    shell.ok("-G", "Sales")
    assert [group["name"] for group in shell.json("-L")] == ["Everyone"]


def test_members(embedded: tuple[Shell, Installed]) -> None:
    shell, installed = embedded
    shell.ok("-g", "sales")
    shell.ok("-g", "all")
    shell.ok("-b", "anna", "-i", "sales")
    assert shell.ok("-b", "sales", "-i", "all") == "sales is in group all now.\n"
    assert shell.json("--details", "anna")["groups"] == ["Everyone", "all", "sales"]
    assert shell.json("--details", "--type", "group", "sales") == {
        "name": "sales",
        "address": "",
        "aliases": [],
        "security": True,
        "hidden": False,
        "company": "",
        "users": [
            {
                "name": "anna",
                "fullname": "Anna Berg",
                "company": "",
                "store_guid": installed.mailbox("anna").guid,
            }
        ],
        "groups": [],
    }
    shown = shell.ok("--details", "--type", "group", "all").splitlines()
    assert shown[-3:] == ["Groups (1):", "   Name   Email address", "   sales"]
    before = installed.contents()
    assert "is in sales already" in shell.refuses("-b", "anna", "-i", "sales")
    assert "cannot be in itself" in shell.refuses("-b", "all", "-i", "all")
    assert installed.contents() == before
    assert shell.ok("-B", "anna", "-i", "sales") == "anna is not in group sales any more.\n"
    assert "is not in sales" in shell.refuses("-B", "anna", "-i", "sales")
    assert shell.json("--details", "anna")["groups"] == ["Everyone"]


def test_everyone_has_everybody(embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    everyone = shell.json("--details", "--type", "group", "EVERYONE")
    assert [user["name"] for user in everyone["users"]] == ["anna", "aurora", "beamers"]
