"""A database with mailboxes in it, and the shortest way to put mail there.

A post office may share its database with other tests: each mailbox that it makes is new.
"""

import itertools
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, select

from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView
from store.blobs import BlobStore
from store.commit import Committer
from store.engine import Database
from store.listing import read_mail
from store.mailboxes import Mailbox, create_mailbox, load_mailbox_by_id, update_mailbox
from store.message import prepare_message
from store.migrate import ensure_schema
from store.plan import Filing, NewJob, OofClaim, Outgoing, Receipt, StorePlan, Submission
from store.schema import folder, mailbox_store
from userstore.model import User
from userstore.resolve import Recipient

NOW = 1_893_456_000.0  # 2030-01-01 00:00 UTC
TRACE = b"Return-Path: <ben@example.net>\r\n"
RAW = b"From: ben@example.net\r\nSubject: Lunch\r\n\r\nAt noon?\r\n"

_numbers = itertools.count(1)


@contextmanager
def open_database(url: str) -> Iterator[Database]:
    """Open a database with the schema in it for the time of the `with` block."""
    database = Database(url)
    try:
        ensure_schema(database)
        yield database
    finally:
        database.close()


class PostOffice:
    """A database and a committer; large bodies are files when `attachments` is given."""

    def __init__(
        self, database: Database, attachments: Path | None = None, large: int = 65_536
    ) -> None:
        self.database = database
        self.blobs = BlobStore(attachments, large)
        self.committer = Committer(database, self.blobs)

    def mailbox(self, **settings: object) -> Mailbox:
        """Make a mailbox; `settings` are columns of its row."""
        owner = f"user{next(_numbers)}-{secrets.token_hex(3)}"
        with self.database.write() as connection:
            store_id = create_mailbox(connection, f"test:{owner}", owner)
            if settings:
                update_mailbox(connection, store_id, settings)
        return self.reload(store_id)

    def reload(self, store_id: int) -> Mailbox:
        """The mailbox as it is now."""
        with self.database.read() as connection:
            found = load_mailbox_by_id(connection, store_id)
        assert found is not None
        return found

    def commit(self, *submissions: Submission) -> list[tuple[Receipt, ...]]:
        """Commit a batch in one transaction."""
        staged = self.committer.stage(submissions)
        with self.database.write() as connection:
            return self.committer.apply(connection, staged)

    def deliver(self, mailbox: Mailbox, raw: bytes = RAW, **filed: Any) -> Receipt:
        """File one message; `filed` as for `plan`."""
        return self.commit(submission(raw, plan(mailbox, **filed)))[0][0]

    def queue(self, mailbox: Mailbox, raw: bytes = RAW) -> int:
        """Put one message before the booker and return the job's id."""
        job = NewJob("ben@example.net", "room@example.org", "<j@x>", "Kickoff", raw, TRACE)
        receipt = self.commit(submission(raw, StorePlan(mailbox.id, job=job)))[0][0]
        assert receipt.job_id is not None
        return receipt.job_id

    def send(self, mailbox: Mailbox, **leaving: Any) -> None:
        """Put one mail into the outbox; `leaving` as for `outgoing`."""
        self.commit(submission(RAW, StorePlan(mailbox.id, outgoing=(outgoing(**leaving),))))

    def read(self, mailbox: Mailbox, uid: int, path: str = "Inbox") -> bytes:
        """The bytes of one mail, its trace headers included."""
        with self.database.read() as connection:
            return read_mail(connection, self.blobs, mailbox.folders[path], uid)

    def rows(self, table: Table, *where: Any) -> list[Any]:
        """The rows of a table that meet every condition."""
        with self.database.read() as connection:
            return list(connection.execute(select(table).where(*where)))

    def count(self, table: Table, *where: Any) -> int:
        """How many rows of a table meet every condition."""
        with self.database.read() as connection:
            query = select(func.count()).select_from(table).where(*where)
            return int(connection.execute(query).scalar_one())

    def folder(self, mailbox: Mailbox, path: str = "Inbox") -> Any:
        """The row of a folder."""
        return self.rows(folder, folder.c.id == mailbox.folders[path])[0]

    def store(self, mailbox: Mailbox) -> Any:
        """The row of a mailbox."""
        return self.rows(mailbox_store, mailbox_store.c.id == mailbox.id)[0]


def recipient_of(mailbox: Mailbox, *, imap: bool = False, **user: Any) -> Recipient:
    """The owner of a mailbox, as anna@example.org reached it; `user` are fields of a User."""
    address = user.pop("address", "anna@example.org")
    owner = User(f"test:{mailbox.id}", mailbox.owner_name, "Anna Berg", address, **user)
    return Recipient(address, owner, mailbox, imap)


def submission(raw: bytes, *plans: StorePlan, imap: bool = False) -> Submission:
    """One message with its plans."""
    return Submission(prepare_message(MessageView(raw), imap=imap), plans)


def plan(
    mailbox: Mailbox,
    paths: Sequence[str] = ("Inbox",),
    *,
    key: bytes | None = None,
    trace: bytes = TRACE,
    imap: bool = False,
) -> StorePlan:
    """A plan that files into the folders `paths`; `key` is that of the ledger."""
    filings = tuple(Filing(mailbox.folders[path], trace, NOW, imap=imap) for path in paths)
    return StorePlan(mailbox.id, filings, ledger_key=key)


def outgoing(
    rcpt_to: str = "ben@example.net", *, kind: str = "reply", claim: OofClaim | None = None
) -> Outgoing:
    """A mail for the outbox."""
    mail = OutgoingMail("", rcpt_to, b"Subject: Re\r\n\r\nYes.\r\n", "<r@x>")
    return Outgoing(kind, "Re", mail, claim=claim)
