"""Looking into mailboxes."""

import hashlib

import pytest

from store.plan import FLAGGED, SEEN
from tests.admin.shell import Installed, Shell

PLAIN = (
    b"From: Ben Okoro <ben@example.org>\r\n"
    b"To: anna@example.org, carla@example.org\r\n"
    b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"Message-ID: <1@example.org>\r\n"
    b"\r\n"
    b"\x80\xff bytes that are no text, and a bare \r or \n\r\n"
)
TRACE = b"Return-Path: <>\r\n"


def test_listing_a_folder(shell: Shell, installed: Installed) -> None:
    installed.deliver("anna", PLAIN, internal_zone=120, flags=SEEN | FLAGGED, imap=True)
    assert shell.json("--list-mail", "anna", "--folder", "inbox") == [
        {
            "uid": 1,
            "folder": "Inbox",
            "flags": ["\\Seen", "\\Flagged"],
            "size": len(TRACE + PLAIN),
            "date": "2030-01-01T02:00:00+02:00",
            "from": "ben@example.org",
            "to": "anna@example.org, carla@example.org",
            "subject": "Grüße",
            "message_id": "<1@example.org>",
            "has_imap_copy": True,
        }
    ]


def test_without_a_folder_all_are_listed(shell: Shell, installed: Installed) -> None:
    installed.deliver("anna", PLAIN, folder="Junk E-mail")
    installed.deliver("anna", PLAIN)
    listed = shell.json("--list-mail", "anna@example.org")
    assert [(mail["folder"], mail["uid"]) for mail in listed] == [("Inbox", 1), ("Junk E-mail", 1)]
    assert not listed[0]["has_imap_copy"]
    assert shell.json("--list-mail", "aurora") == []
    assert shell.json("--list-mail", "anna", "--folder", "Drafts") == []


def test_the_plain_listing(shell: Shell, installed: Installed) -> None:
    installed.deliver("anna", PLAIN)
    heading, line = shell.ok("--list-mail", "anna").splitlines()
    assert heading.split() == ["UID", "Folder", "Flags", "Size", "Date", "From", "To", "Subject"]
    assert line.startswith("1    Inbox ")
    assert line.endswith("Grüße")


def test_showing_gives_the_exact_bytes(shell: Shell, installed: Installed) -> None:
    installed.deliver("anna", PLAIN)
    installed.deliver("anna", b"Subject: junk\r\n\r\n", folder="Junk E-mail")
    assert shell("--show-mail", "anna", "1").stdout_bytes == TRACE + PLAIN
    junk = shell("--show-mail", "anna", "1", "--folder", "Junk E-mail")
    assert junk.stdout_bytes == TRACE + b"Subject: junk\r\n\r\n"


def test_a_body_in_the_attachment_directory_is_found(embedded: tuple[Shell, Installed]) -> None:
    shell, installed = embedded
    body = hashlib.shake_256(b"seed").digest(100_000).hex().encode() + b"\r\n"
    raw = b"Content-Type: application/octet-stream\r\n\r\n" + body
    attachments = shell.data / "attachments"
    Installed(installed.database, attachments).deliver("anna", raw)
    assert any(path.is_file() for path in attachments.rglob("*"))
    assert shell("--show-mail", "anna", "1").stdout_bytes == TRACE + raw


def test_folders_with_their_fill(shell: Shell, installed: Installed) -> None:
    installed.deliver("anna", PLAIN)
    installed.deliver("anna", PLAIN)
    folders = {row["folder"]: row for row in shell.json("--list-folders", "anna")}
    assert folders["Inbox"] == {
        "folder": "Inbox",
        "special_use": "\\Inbox",
        "mails": 2,
        "bytes": 2 * len(TRACE + PLAIN),
    }
    assert folders["Deleted Items"]["mails"] == 0
    assert shell.ok("--list-folders", "anna").splitlines()[0].split()[0] == "Folder"


@pytest.mark.parametrize("imap", [False, True])
def test_figures_of_the_whole_store(shell: Shell, installed: Installed, imap: bool) -> None:
    installed.deliver("anna", PLAIN, imap=imap)
    installed.deliver("aurora", PLAIN, imap=imap)
    figures = shell.json("--store-stats")
    assert figures["mails"] == figures["messages"] == 2
    assert figures["blobs"] == 1 + imap
    assert figures["references"] == 2 + 2 * imap
    assert figures["bytes"] == 2 * len(TRACE + PLAIN)
    assert 0 < figures["stored_bytes"] < 1000
    assert shell.ok("--store-stats").startswith("Mails:")
