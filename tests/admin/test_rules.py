"""Rules: listing, adding, deleting."""

import json
from pathlib import Path

import pytest

from store.mailboxes import create_folder, directory_version
from tests.admin.shell import Installed, Shell

RULE = {"name": "lists", "when": {"header": "List-Id", "contains": "x"}, "then": ["mark-read"]}


def test_rules_are_added_behind_the_others(
    shell: Shell, installed: Installed, tmp_path: Path
) -> None:
    file = tmp_path / "rule.json"
    file.write_text("\ufeff" + json.dumps(RULE), encoding="utf-8")
    assert shell.ok("--add-rule", "anna", str(file)) == "Rule 1 (lists) added for anna.\n"
    second = {"name": "zwölf", "then": ["delete"]}
    shell.ok("--add-rule", "anna", "-", stdin=json.dumps(second, ensure_ascii=False))
    assert shell.json("--list-rules", "anna") == [
        {"id": 1, "sequence": 1, "enabled": True, "version": 1, "rule": RULE},
        {"id": 2, "sequence": 2, "enabled": True, "version": 1, "rule": second},
    ]
    assert shell.json("--list-rules", "aurora") == []
    assert len(shell.ok("--list-rules", "anna").splitlines()) == 3


def test_deliveries_see_a_rule_at_once(shell: Shell, installed: Installed) -> None:
    versions = []
    for words, stdin in [
        (("--add-rule", "anna", "-"), json.dumps(RULE)),
        (("--delete-rule", "anna", "1"), None),
    ]:
        shell.ok(*words, stdin=stdin)
        with installed.database.read() as connection:
            versions.append(directory_version(connection))
    assert versions[0] < versions[1]
    assert installed.mailbox("anna").rules == ()


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("", "not valid JSON"),
        ("[]", "expected a JSON object"),
        ('{"name": "x"}', "then"),
        ('{"name": "x", "then": ["shred"]}', "shred"),
        ('{"name": "x", "then": ["delete"], "wenn": {}}', "unknown wenn"),
        ('{"name": "x", "then": [{"move": "Lists"}]}', "no folder 'Lists'; there are: Inbox"),
    ],
)
def test_what_is_no_rule_is_refused(
    embedded: tuple[Shell, Installed], document: str, says: str
) -> None:
    shell, installed = embedded
    before = installed.contents()
    assert says in shell.refuses("--add-rule", "anna", "-", stdin=document)
    assert installed.contents() == before


def test_a_file_that_is_no_text_is_refused(
    embedded: tuple[Shell, Installed], tmp_path: Path
) -> None:
    shell, _ = embedded
    file = tmp_path / "rule.json"
    file.write_bytes(b'{"name": "\xff"}')
    assert "is not UTF-8 text (octet 10)" in shell.refuses("--add-rule", "anna", str(file))


def test_a_rule_may_name_any_folder_of_the_mailbox(embedded: tuple[Shell, Installed]) -> None:
    shell, installed = embedded
    with installed.database.write() as connection:
        create_folder(connection, installed.mailbox("anna").id, "Lists")
    shell.ok("--add-rule", "anna", "-", stdin='{"name": "x", "then": [{"move": "Lists"}]}')


def test_a_rule_of_somebody_else_is_not_deleted(embedded: tuple[Shell, Installed]) -> None:
    shell, installed = embedded
    shell.ok("--add-rule", "anna", "-", stdin=json.dumps(RULE))
    assert "no rule 1" in shell.refuses("--delete-rule", "aurora", "1")
    assert len(installed.mailbox("anna").rules) == 1
