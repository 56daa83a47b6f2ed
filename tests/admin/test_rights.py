"""Rights as kopano-admin sets and lists them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin.rights import WORDS, parse_rights, words_of
from store.rights import ALL, NOTHING, Accessor, Right, rights_on
from tests.admin.shell import Installed, Shell

FREE_BUSY = {
    "folder": None,
    "calendar": "Calendar",
    "subject": "Everyone",
    "subject_id": "everyone",
    "rights": ["free-busy"],
}


@given(st.integers(0, int(ALL)).map(Right))
def test_words_are_read_as_they_are_written(rights: Right) -> None:
    assert parse_rights(",".join(words_of(rights)) or "none") == rights


def test_the_short_words() -> None:
    assert parse_rights("all") == ALL
    assert parse_rights("none") == NOTHING
    assert parse_rights(",".join(WORDS)) == ALL


def test_what_is_set_is_listed_and_holds(shell: Shell, installed: Installed) -> None:
    shell.ok("-g", "sales")
    assert shell.json("--list-rights", "anna") == [FREE_BUSY]
    said = shell.ok("--set-rights", "anna", "sales", "read,visible", "--folder", "inbox")
    assert said.splitlines() == [
        "Rights of sales on Inbox of anna: read, visible.",
        "Inbox has a list of its own now: what was granted around it does not hold there.",
    ]
    assert len(shell.ok("--set-rights", "anna", "aurora", "all").splitlines()) == 1
    granted = shell.json("--list-rights", "anna")
    assert [(one["folder"], one["calendar"], one["subject"]) for one in granted] == [
        (None, None, "aurora"),
        (None, "Calendar", "Everyone"),
        ("Inbox", None, "sales"),
    ]
    assert shell.json("--list-rights", "anna", "--folder", "Inbox") == granted[2:]
    assert shell.json("--list-rights", "anna", "--calendar") == granted[1:2]
    mailbox = installed.mailbox("anna")
    aurora = Accessor(granted[0]["subject_id"], frozenset({granted[0]["subject_id"]}))
    with installed.database.read() as connection:
        assert rights_on(connection, aurora, mailbox.id, mailbox.folders["Drafts"]) == ALL
        assert rights_on(connection, aurora, mailbox.id, mailbox.folders["Inbox"]) == NOTHING
    assert shell.ok("--list-rights", "anna").splitlines()[1].startswith("(the whole mailbox)")


def test_none_takes_them_away(embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    shell.ok("--set-rights", "anna", "aurora", "read", "--calendar", "Calendar")
    said = shell.ok("--set-rights", "anna", "aurora", "none", "--calendar")
    assert said == "Rights of aurora on Calendar of anna: none.\n"
    assert shell.json("--list-rights", "anna") == [FREE_BUSY]
    shell.ok("--set-rights", "anna", "EVERYONE", "none", "--calendar")
    assert shell.json("--list-rights", "anna") == []


def test_a_group_for_mail_only_gets_none(embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    shell.ok("-g", "sales", "--security", "no")
    said = shell.refuses("--set-rights", "anna", "sales", "read")
    assert said.endswith("--update-group sales --security yes changes that")


def test_those_of_a_deleted_folder_are_not_listed(embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    shell.ok("--create-folder", "anna", "Projects")
    shell.ok("--set-rights", "anna", "aurora", "read", "--folder", "Projects")
    shell.ok("--delete-folder", "anna", "Projects")
    assert shell.json("--list-rights", "anna") == [FREE_BUSY]
    shell.ok("--restore-folder", "anna", "Projects")
    assert len(shell.json("--list-rights", "anna")) == 2


def test_who_is_deleted_loses_them(embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    shell.ok("--set-rights", "anna", "aurora", "read")
    shell.ok("-d", "aurora")
    assert shell.json("--list-rights", "anna") == [FREE_BUSY]


@pytest.mark.parametrize("action", ["--list-rights", "--list-folders", "--list-mail"])
def test_public_is_the_public_store(embedded: tuple[Shell, Installed], action: str) -> None:
    shell, _ = embedded
    assert "kopano-admin -s makes it" in shell.refuses(action, "public")
    shell.ok("-s")
    shell.json(action, "public")
