"""Rules: listing, adding, deleting."""

import json
from pathlib import Path

import pytest

from admin.rules import in_words
from rules.model import LARGEST_SEQUENCE, parse_rule
from store.mailboxes import create_folder, directory_version
from store.personal import add_rule
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
    common = {"enabled": True, "version": 1, "error": "", "reported": False}
    words = "list-id contains 'x': mark as read"
    assert shell.json("--list-rules", "anna") == [
        {"id": 1, "sequence": 1, "name": "lists", "words": words, "rule": RULE, **common},
        {
            "id": 2,
            "sequence": 2,
            "name": "zwölf",
            "words": "always: delete",
            "rule": second,
            **common,
        },
    ]
    assert shell.json("--list-rules", "aurora") == []
    assert len(shell.ok("--list-rules", "anna").splitlines()) == 3


def test_deliveries_see_a_rule_at_once(shell: Shell, installed: Installed) -> None:
    versions = []
    for words, stdin in [
        (("--add-rule", "anna", "-"), json.dumps(RULE)),
        (("--disable-rule", "anna", "1"), None),
        (("--enable-rule", "anna", "1"), None),
        (("--delete-rule", "anna", "1"), None),
    ]:
        shell.ok(*words, stdin=stdin)
        with installed.database.read() as connection:
            versions.append(directory_version(connection))
    assert versions == sorted(set(versions))
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


@pytest.mark.parametrize("action", ["--delete-rule", "--enable-rule", "--disable-rule"])
def test_a_rule_that_is_not_there(embedded: tuple[Shell, Installed], action: str) -> None:
    shell, installed = embedded
    shell.ok("--add-rule", "anna", "-", stdin=json.dumps(RULE))
    before = installed.contents()
    assert "no rule 1 in this mailbox" in shell.refuses(action, "aurora", "1")
    assert "no rule 2 in this mailbox" in shell.refuses(action, "anna", "2")
    assert installed.contents() == before


def test_the_document_says_where_a_rule_runs_and_whether(
    embedded: tuple[Shell, Installed],
) -> None:
    shell, _ = embedded
    last = {"sequence": LARGEST_SEQUENCE, "name": "last", "then": ["stop"]}
    early = {"sequence": 5, "enabled": False, "name": "early", "then": ["stop"]}
    for document in (last, early, RULE):
        shell.ok("--add-rule", "anna", "-", stdin=json.dumps(document))
    listed = shell.json("--list-rules", "anna")
    assert [(one["sequence"], one["enabled"], one["name"]) for one in listed] == [
        (5, False, "early"),
        (LARGEST_SEQUENCE, True, "last"),
        (LARGEST_SEQUENCE, True, "lists"),
    ]
    shell.ok("--enable-rule", "anna", "2")
    assert shell.ok("--disable-rule", "anna", "1") == "Rule 1 is disabled.\n"
    listed = shell.json("--list-rules", "anna")
    assert [one["enabled"] for one in listed] == [True, False, True]


def test_a_rule_that_cannot_be_read_is_listed(embedded: tuple[Shell, Installed]) -> None:
    shell, installed = embedded
    with installed.database.write() as connection:
        number = installed.mailbox("anna").id
        add_rule(connection, number, 1, True, 1, '{"name": "old", "then": ["shred"]}')
        add_rule(connection, number, 2, True, 1, "{")
    first, second = shell.json("--list-rules", "anna")
    assert (first["name"], first["rule"]) == ("old", {"name": "old", "then": ["shred"]})
    assert first["error"].startswith("rule 'old': then[0]: ")
    assert (second["name"], second["rule"], second["words"]) == ("", "{", "")
    lines = shell.ok("--list-rules", "anna").splitlines()
    assert "UNREADABLE: rule 'old': then[0]: " in lines[1]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"then": ["delete"], "stop": True}, "always: delete; stop"),
        (
            {"when": {"not": {"any": ["to-me", "list"]}}, "then": ["flag"], "only_when_oof": True},
            "while out of office, not (to-me or list): flag",
        ),
        (
            {
                "when": {"all": ["to-me", {"any": ["list", {"larger_than": 5}]}]},
                "then": [{"tag": "x"}],
            },
            "to-me and (list or size gt 5): tag as x",
        ),
    ],
)
def test_a_rule_in_words(document: dict[str, object], words: str) -> None:
    assert in_words(parse_rule(json.dumps({"name": "r", **document}))) == words
