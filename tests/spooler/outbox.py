"""What tests do with an outbox: fill it, look into it, and let time pass."""

import time
from dataclasses import dataclass

from sqlalchemy import update

from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView
from store.commit import Committer
from store.engine import Database
from store.listing import list_folder, read_mail
from store.mailboxes import INBOX, load_mailbox_by_id
from store.outbox import OutboxEntry, add_outgoing, list_outbox
from store.plan import Outgoing
from store.schema import outbox as outbox_table


def make_mail(
    rcpt_to: str, *, number: int = 1, mail_from: str = "anna@example.org"
) -> OutgoingMail:
    content = (
        f"From: anna@example.org\r\nMessage-ID: <m{number}@example.org>\r\n"
        f"Subject: Number {number}\r\n\r\n.a line with a dot\r\n..\r\n\r\nEnd of {number}\r\n"
    )
    return OutgoingMail(mail_from, rcpt_to, content.encode(), f"<m{number}@example.org>")


@dataclass
class Outbox:
    database: Database
    committer: Committer
    store_id: int

    def queue(self, *rcpt_tos: str, age: float = 1.0) -> list[OutgoingMail]:
        """Queue a mail to each; `age` is how many seconds ago that was.

        Not just now: the database's clock, which says what is due, is a coarser one.
        """
        first = len(self.entries()) + 1
        mails = [make_mail(rcpt_to, number=n) for n, rcpt_to in enumerate(rcpt_tos, first)]
        with self.database.write() as connection:
            for mail in mails:
                leaving = Outgoing("reply", f"Subject of {mail.message_id}", mail)
                add_outgoing(connection, self.store_id, leaving, time.time() - age)
        return mails

    def entries(self) -> list[OutboxEntry]:
        with self.database.read() as connection:
            return list_outbox(connection)

    def states(self) -> list[str]:
        return [entry.state for entry in self.entries()]

    def let_time_pass(self) -> None:
        """Every pause and every lease is over."""
        with self.database.write() as connection:
            connection.execute(update(outbox_table).values(next_attempt_at=0, lease_until=0))

    def notices(self) -> list[MessageView]:
        """What lies in anna's Inbox, as an IMAP client or the administrator would read it."""
        with self.database.read() as connection:
            mailbox = load_mailbox_by_id(connection, self.store_id)
            assert mailbox is not None
            inbox = mailbox.special[INBOX]
            uids = [mail.uid for mail in list_folder(connection, inbox, "Inbox")]
            blobs = self.committer.blobs
            return [MessageView(read_mail(connection, blobs, inbox, uid)) for uid in uids]
