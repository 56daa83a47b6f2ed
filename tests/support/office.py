"""An installation with three people, a group and the postman of the LMTP edge, in this process."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from dagent.store_postman import StorePostman
from dagent.wiring import Parts, open_parts
from delivery.hooks import Hooks
from delivery.site import open_site
from mailcore.envelope import Envelope
from mailcore.reply import LmtpReply
from mailcore.settings import Settings, StoreSettings
from store.listing import ListedMail, list_folder, read_mail
from store.mailboxes import Mailbox, create_mailbox, load_mailbox
from store.outbox import OutboxEntry, list_outbox
from store.personal import add_rule
from store.writer import GroupCommitWriter
from userstore.db_edit import DbEditor
from userstore.model import User

MAIL = b"From: carla@example.net\r\nTo: anna@example.org\r\nSubject: Lunch\r\n\r\nAt noon?\r\n"
SENDER = "carla@example.net"


class Office:
    """An installation with anna, ben and the group sales, and its postman; `close` ends it."""

    def __init__(self, data: Path, database: str = "") -> None:
        self.settings = Settings(store=StoreSettings(data=str(data), database=database))
        self.parts: Parts = open_parts(self.settings)
        self.users: dict[str, User] = {}
        editor = DbEditor()
        with self.parts.database.write() as connection:
            for name in ("anna", "ben"):
                address = f"{name}@example.org"
                user = editor.create_user(connection, name, {"address": address})
                create_mailbox(connection, user.external_id, name)
                self.users[name] = user
            group = editor.create_group(connection, "sales", {"address": "sales@example.org"})
            for user in self.users.values():
                editor.add_member(connection, group.external_id, user.external_id)
        self.writer = GroupCommitWriter(self.parts.committer, wake=lambda _: None)
        self.postman = StorePostman(
            self.parts.database, self.parts.directory, self.writer, self.parts.site
        )

    def close(self) -> None:
        self.writer.stop()
        self.postman.close()
        self.parts.close()

    def configure(self, hooks: Hooks | None = None, **sections: Any) -> None:
        settings = replace(self.settings, **sections)
        self.postman.site = open_site(settings, "mx.example.org", hooks)

    def resolve(self, address: str, size: int | None = 0) -> Any:
        return asyncio.run(self.postman.resolve(address, size))

    def deliver(self, *addresses: str, raw: bytes = MAIL, sender: str = SENDER) -> list[LmtpReply]:
        async def session() -> list[LmtpReply]:
            found = [await self.postman.resolve(address, len(raw)) for address in addresses]
            return list(await self.postman.deliver(Envelope(sender, addresses), found, raw))

        # Each run has a loop of its own, and the postman knows the first one only.
        self.postman._handover = None
        return asyncio.run(session())

    def mailbox(self, external_id: str) -> Mailbox:
        with self.parts.database.read() as connection:
            found = load_mailbox(connection, external_id)
        assert found is not None
        return found

    def mails(self, name: str, path: str = "Inbox") -> list[ListedMail]:
        return self.mails_of(self.mailbox(self.users[name].external_id), path)

    def mails_of(self, mailbox: Mailbox, path: str) -> list[ListedMail]:
        folder = mailbox.folder_of(path)
        if folder is None:
            return []
        with self.parts.database.read() as connection:
            return list(list_folder(connection, folder, path))

    def read(self, name: str, uid: int = 1) -> bytes:
        mailbox = self.mailbox(self.users[name].external_id)
        with self.parts.database.read() as connection:
            return read_mail(connection, self.parts.committer.blobs, mailbox.folders["Inbox"], uid)

    def outbox(self) -> list[OutboxEntry]:
        with self.parts.database.read() as connection:
            return list_outbox(connection)

    def change(self, name: str, **values: Any) -> None:
        with self.parts.database.write() as connection:
            DbEditor().update_user(connection, self.users[name].external_id, values)

    def rule(self, name: str, document: str) -> None:
        store_id = self.mailbox(self.users[name].external_id).id
        with self.parts.database.write() as connection:
            add_rule(connection, store_id, 1, True, 1, document)
