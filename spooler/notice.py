"""Ending a mail that will never leave, and telling its owner in one transaction with that."""

import time
from datetime import UTC, datetime

from mailcore.view import MessageView
from spooler.bounce import Failure, compose_bounce
from spooler.outcome import SmtpReply
from store.commit import Committer
from store.mailboxes import INBOX, load_mailbox_by_id
from store.message import prepare_message
from store.outbox import OutboxEntry, mark_failed
from store.plan import Filing, StorePlan, Submission

# The null sender of every report (RFC 5321 section 3.6.3): whatever reads the mailbox must not
# answer it.
_TRACE = b"Return-Path: <>\r\n"


def fail_and_tell(
    committer: Committer, entry: OutboxEntry, reply: SmtpReply, *, expired: bool, hostname: str
) -> bool:
    """End the entry as failed and file a notice into its owner's Inbox: both or neither.

    False when there is no mailbox or no Inbox (the mail is ended all the same).  Safe to repeat: an entry
    whose lease is somebody else's is left alone, without a notice.  Raises TemporaryError.
    """
    database = committer.database
    mailbox = None
    if entry.store_id is not None:
        with database.read() as connection:
            mailbox = load_mailbox_by_id(connection, entry.store_id)
    inbox = mailbox.special.get(INBOX) if mailbox else None
    if mailbox is None or inbox is None:
        with database.write() as connection:
            mark_failed(connection, entry, str(reply))
        return False
    now = time.time()
    failure = _failure(entry, reply, expired=expired)
    notice = compose_bounce(
        failure, owner=mailbox.owner_name, hostname=hostname, now=datetime.fromtimestamp(now, UTC)
    )
    plan = StorePlan(mailbox.id, filings=(Filing(inbox, _TRACE, internal_date=now),))
    message = prepare_message(MessageView(notice), imap=False)
    staged = committer.stage([Submission(message, (plan,))])
    with database.write() as connection:
        if mark_failed(connection, entry, str(reply)):
            committer.apply(connection, staged)
    return True


def _failure(entry: OutboxEntry, reply: SmtpReply, *, expired: bool) -> Failure:
    return Failure(
        outbox_id=entry.id,
        mail=entry.mail,
        subject=entry.subject,
        created_at=datetime.fromtimestamp(entry.created_at, UTC),
        attempts=entry.attempts + 1,
        reply=reply,
        expired=expired,
    )
