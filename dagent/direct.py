"""Direct mode: `kopano-dagent USER < mail`, one message from standard input into one mailbox.

The exit code says what the MTA has to do (sysexits.h): 0 it is ours, 64 wrong usage, 70 permanent, 75 try again.
There is no ledger: who delivers by hand twice means it.
"""

import logging
import os
import time
from collections.abc import Callable
from contextlib import closing, suppress

from dagent.wiring import Parts, open_parts
from delivery.deliver import plan_message, replies_of
from mailcore.envelope import Envelope
from mailcore.errors import MailError, TemporaryError, UsageError
from mailcore.settings import Settings
from mr_accept.worker import Worker

log = logging.getLogger(__name__)

EX_OK = 0
EX_USAGE = 64
EX_PERMANENT = 70
EX_TEMPORARY = 75
BOOKING_SECONDS = 10.0
"""How long direct delivery works on a resource's jobs itself; what is left is the daemon's."""


def deliver_directly(
    settings: Settings, user: str, sender: str, content: bytes, *, say: Callable[[str], None]
) -> int:
    """Deliver one message; return the exit code.  `say` tells the person at the terminal what went wrong."""
    try:
        with closing(open_parts(settings)) as parts:
            return _deliver(parts, user, sender, content)
    except UsageError as error:
        say(str(error))  # a mistake in our configuration: the MTA keeps the mail until it is mended
        return EX_TEMPORARY
    except MailError as error:
        say(str(error))
        return EX_PERMANENT if error.permanent else EX_TEMPORARY
    except Exception:  # the edge of the process: a bug of ours must not bounce anything
        log.exception("the message was not delivered")
        return EX_TEMPORARY


def _deliver(parts: Parts, user: str, sender: str, content: bytes) -> int:
    recipient = parts.directory.resolve(user)
    envelope = Envelope(sender, (user,), peer=f"uid {os.getuid()}", protocol="local")
    planned = plan_message(
        envelope,
        [[recipient]],
        _with_crlf(content),
        settings=parts.settings,
        hostname=parts.hostname,
        deduplicate=False,
    )
    receipts = None
    if planned.submission.plans:
        staged = parts.committer.stage([planned.submission])
        with parts.database.write() as connection:
            (receipts,) = parts.committer.apply(connection, staged)
    (reply,) = replies_of(planned, receipts)
    if not reply.positive:
        return EX_TEMPORARY
    if receipts and receipts[0].job_id is not None:
        _book(parts, recipient.mailbox.id)
    return EX_OK


def _book(parts: Parts, store_id: int) -> None:
    """Let the booker work here and now; whatever happens, the job is safe and the mail delivered."""
    worker = Worker(
        parts.committer,
        parts.directory,
        parts.settings,
        parts.hostname,
        mail_leaves=lambda: None,  # the daemon's spooler looks by itself
    )
    with suppress(TemporaryError):  # the job stays, and the daemon takes it
        worker.drain(store_id, until=time.monotonic() + BOOKING_SECONDS)


def _with_crlf(content: bytes) -> bytes:
    """A message from a pipe has LF line ends; mail in the store has CRLF.  Mail that has CRLF stays as it is."""
    first_line = content[: content.find(b"\n") + 1]
    if first_line.endswith(b"\r\n"):
        return content
    return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
