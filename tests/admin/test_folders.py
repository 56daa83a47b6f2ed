"""Folders as kopano-admin makes, changes, deletes and restores them."""

from tests.admin.shell import Installed, Shell

RAW = b"From: ben@example.org\r\nSubject: Lunch\r\n\r\nAt noon?\r\n"


def paths(shell: Shell, name: str = "anna") -> list[str]:
    return [row["folder"] for row in shell.json("--list-folders", name) if not row["special_use"]]


def test_the_life_of_a_folder(shell: Shell, installed: Installed) -> None:
    said = shell.ok("--create-folder", "anna", "Projects/2030/May")
    assert said == "Folder Projects/2030/May created in the mailbox of anna.\n"
    assert paths(shell) == ["Projects", "Projects/2030", "Projects/2030/May"]
    shell.ok("--rename-folder", "anna", "projects/2030", "2031")
    installed.deliver("anna", RAW, folder="Projects/2031")
    size = installed.mailbox("anna").size
    assert size > 0
    shell.ok("--delete-folder", "anna@example.org", "Projects")
    assert paths(shell) == []
    assert installed.mailbox("anna").size == 0
    assert "there are: Projects (20" in shell.refuses("--restore-folder", "anna", "Project")
    assert shell.ok("--restore-folder", "anna", "PROJECTS") == "Folder PROJECTS is back.\n"
    assert paths(shell) == ["Projects", "Projects/2031", "Projects/2031/May"]
    assert installed.mailbox("anna").size == size
    assert len(shell.json("--list-mail", "anna", "--folder", "Projects/2031")) == 1


def test_a_deleted_folder_is_purged(embedded: tuple[Shell, Installed]) -> None:
    shell, installed = embedded
    shell.ok("--create-folder", "anna", "Old")
    installed.deliver("anna", RAW, folder="Old")
    shell.ok("--delete-folder", "anna", "Old")
    assert "0 mails, 0 folders" in shell.ok("--purge-softdelete", "1")
    assert "1 mail, 1 folder, 0 stores" in shell.ok("--purge-softdelete", "0")
    assert "none is deleted" in shell.refuses("--restore-folder", "anna", "Old")
    assert shell.json("--store-stats")["messages"] == 0


def test_folders_of_the_public_store(embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    shell.ok("-s")
    shell.ok("--create-folder", "public", "News")
    assert paths(shell, "public") == ["News"]
