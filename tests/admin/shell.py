"""kopano-admin as a test types it: the real command against a real database."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from sqlalchemy import select

from admin.main import command
from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView
from store.blobs import BlobStore
from store.commit import Committer
from store.engine import Database
from store.mailboxes import Mailbox, load_mailbox
from store.message import prepare_message
from store.plan import Filing, NewJob, Outgoing, StorePlan, Submission
from store.schema import metadata
from userstore.db import DbUserStore


@dataclass
class Shell:
    """Runs commands against one database; `environment` is what the process would see."""

    url: str
    data: Path
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.environment = {"DAGENT_DATA": str(self.data), "DAGENT_STORE_DATABASE": self.url}

    def __call__(self, *words: str, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(
            command, list(words), input=stdin, env=self.environment, prog_name="kopano-admin"
        )

    def ok(self, *words: str, stdin: str | bytes | None = None) -> str:
        result = self(*words, stdin=stdin)
        assert result.exit_code == 0, (words, result.stderr, result.exception)
        assert not result.stderr
        return result.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.ok(*words, "--json"))

    def refuses(self, *words: str, stdin: str | None = None) -> str:
        """Run what must fail with exit code 1 and one line; return that line."""
        result = self(*words, stdin=stdin)
        assert result.exit_code == 1, (words, result.stdout, result.exception)
        assert not result.stdout
        prefix, _, text = result.stderr.partition(": ")
        assert prefix == "kopano-admin"
        assert text.count("\n") == 1
        return text.strip()


class Installed:
    """The database behind a Shell, for putting in what only other programs write."""

    def __init__(self, database: Database, attachments: Path | None = None) -> None:
        self.database = database
        self.committer = Committer(database, BlobStore(attachments, 65536))

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""
        with self.database.read() as connection:
            return {
                table.name: sorted(
                    (tuple(row) for row in connection.execute(select(table))), key=repr
                )
                for table in metadata.sorted_tables
            }

    def mailbox(self, name: str) -> Mailbox:
        (user,) = DbUserStore(self.database).by_name(name)
        with self.database.read() as connection:
            mailbox = load_mailbox(connection, user.external_id)
        assert mailbox is not None
        return mailbox

    def commit(self, raw: bytes, plans: Sequence[StorePlan], *, imap: bool = False) -> None:
        message = prepare_message(MessageView(raw), imap=imap)
        staged = self.committer.stage([Submission(message, tuple(plans))])
        with self.database.write() as connection:
            self.committer.apply(connection, staged)

    def deliver(self, name: str, raw: bytes, *, folder: str = "Inbox", **filing: Any) -> None:
        mailbox = self.mailbox(name)
        filed = Filing(mailbox.folders[folder], b"Return-Path: <>\r\n", 1_893_456_000.0, **filing)
        self.commit(raw, [StorePlan(mailbox.id, (filed,))], imap=filed.imap)

    def queue_job(self, name: str, raw: bytes) -> None:
        mailbox = self.mailbox(name)
        job = NewJob("org@example.net", "aurora@example.org", "<j@x>", "Kickoff", raw, b"")
        self.commit(raw, [StorePlan(mailbox.id, job=job)])

    def queue_mail(self, name: str, raw: bytes) -> None:
        mailbox = self.mailbox(name)
        mail = OutgoingMail("aurora@example.org", "org@example.net", raw, "<o@x>")
        self.commit(raw, [StorePlan(mailbox.id, outgoing=(Outgoing("reply", "Accepted", mail),))])
