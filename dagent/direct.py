"""Direct mode: `kopano-dagent USER... < mail`, one message into the mailboxes of those who are named.

The exit code says what the MTA has to do (sysexits.h): 0 it is ours, 64 wrong usage, 70 permanent, 75 try again.  It
is one code for all recipients, so it is all or nothing: whoever reads anything but 0 knows that nobody has the mail,
except by a next hop, which keeps what it has taken.  There is no ledger: who delivers by hand twice means it.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import parsedate_to_datetime

from dagent.raw_log import RawLog
from dagent.wiring import Parts, open_parts
from delivery.arrival import Foreign, Wish
from delivery.deliver import Planned, plan_message, replies_of
from delivery.dry_run import Outcome, outcomes_of
from delivery.hop_session import NextHops
from delivery.next_hop import hand_over
from delivery.places import find_places, wanted_places
from mailcore.envelope import Envelope
from mailcore.errors import MailError, TemporaryError, UsageError
from mailcore.reply import LmtpReply
from mailcore.settings import Settings
from mailcore.view import MessageView
from mr_accept.worker import Worker
from store.plan import Receipt
from userstore.resolve import Recipient

log = logging.getLogger(__name__)

EX_OK = 0
EX_USAGE = 64
EX_PERMANENT = 70
EX_TEMPORARY = 75
BOOKING_SECONDS = 10.0
"""How long direct delivery works on a resource's jobs itself; what is left is the daemon's."""


@dataclass(frozen=True, slots=True)
class Request:
    """What one call asks for; `now` sets the delivery time to now instead of the newest Received header's."""

    users: tuple[str, ...]
    sender: str = ""
    wish: Wish = field(default_factory=Wish)
    now: bool = False
    strip_domain: bool = False


class _NotDeliveredError(Exception):
    """Rolls the transaction back: one of the recipients cannot be served."""


def deliver_directly(
    settings: Settings, request: Request, content: bytes, *, say: Callable[[str], None]
) -> int:
    """Deliver one message; return the exit code.  `say` tells the person at the terminal what went wrong."""
    return _at_the_edge(lambda: _deliver_in(settings, request, content, say), say)


def explain_directly(
    settings: Settings,
    request: Request,
    content: bytes,
    *,
    say: Callable[[str], None],
    show: Callable[[Sequence[Outcome]], None],
) -> int:
    """Show what delivering would do, and do nothing; return the exit code that it would end with."""

    def explain() -> int:
        with closing(open_parts(settings)) as parts:
            planned = _plan(parts, request, content)
            outcomes = outcomes_of(parts.database, planned)
        show(outcomes)
        return _exit_code([outcome.reply for outcome in outcomes])

    return _at_the_edge(explain, say)


def _at_the_edge(act: Callable[[], int], say: Callable[[str], None]) -> int:
    try:
        return act()
    except UsageError as error:
        say(str(error))  # a mistake in our configuration: the MTA keeps the mail until it is mended
        return EX_TEMPORARY
    except MailError as error:
        say(str(error))
        return EX_PERMANENT if error.permanent else EX_TEMPORARY
    except Exception:  # the edge of the process: a bug of ours must not bounce anything
        log.exception("the message was not delivered")
        return EX_TEMPORARY


def _deliver_in(
    settings: Settings, request: Request, content: bytes, say: Callable[[str], None]
) -> int:
    with closing(open_parts(settings)) as parts:
        planned = _plan(parts, request, content)
        if _servable(planned):
            planned = hand_over(planned, NextHops(parts.hostname), parts.database)
        receipts = _commit(parts, planned)
        replies = replies_of(planned, receipts)
        RawLog().keep(planned, content, replies)
        for user, reply in zip(request.users, replies, strict=True):
            if not reply.positive:
                say(f"{user}: {reply}")
        for plan, receipt in zip(planned.submission.plans, receipts or (), strict=False):
            if receipt is not None and receipt.job_id is not None:
                _book(parts, plan.store_id)
        return _exit_code(replies)


def _exit_code(replies: Sequence[LmtpReply]) -> int:
    """Permanent where one recipient is: nobody has the mail, and trying again cannot change that."""
    codes = [reply.code for reply in replies if not reply.positive]
    if not codes:
        return EX_OK
    return EX_PERMANENT if max(codes) >= 500 else EX_TEMPORARY


def _plan(parts: Parts, request: Request, content: bytes) -> Planned:
    users = [
        user.rpartition("@")[0] or user if request.strip_domain else user for user in request.users
    ]
    addresses = [parts.directory.recipients(user) for user in users]
    envelope = Envelope(request.sender, tuple(users), peer=f"uid {os.getuid()}", protocol="local")
    message = with_crlf(content)
    wish = request.wish
    if not request.now:
        wish = replace(wish, delivered_at=_received_at(MessageView(message)))
    return plan_message(
        envelope,
        addresses,
        message,
        parts.site,
        deduplicate=False,
        wish=wish,
        foreign=_foreign(parts, [one for some in addresses for one in some], wish),
    )


def _foreign(parts: Parts, recipients: Sequence[Recipient], wish: Wish) -> dict[int, Foreign]:
    """Folders elsewhere that this message may need, by mailbox."""
    return {
        one.mailbox.id: find_places(
            parts.database,
            parts.directory,
            one,
            wanted_places(one, parts.settings.delivery, wish),
        )
        for one in recipients
    }


def _servable(planned: Planned) -> bool:
    """Whether nobody is refused, as far as planning can tell."""
    plans = [plan for own in planned.plans for plan in own]
    return all(plan is not None and plan.reply.positive for plan in plans)


def _commit(parts: Parts, planned: Planned) -> Sequence[Receipt | None] | None:
    """Commit for everybody or, where one cannot be served, for nobody; then only the full have a receipt."""
    if not (_servable(planned) and planned.submission.plans):
        return None
    staged = parts.committer.stage([planned.submission])
    receipts: Sequence[Receipt | None] = ()
    try:
        with parts.database.write() as connection:
            (receipts,) = parts.committer.apply(connection, staged)
            if any(receipt.over_quota for receipt in receipts):
                raise _NotDeliveredError
    except _NotDeliveredError:
        return [one if one and one.over_quota else None for one in receipts]
    return receipts


def _book(parts: Parts, store_id: int) -> None:
    """Let the booker work here and now; whatever happens, the job is safe and the mail delivered."""
    worker = Worker(
        parts.committer,
        parts.directory,
        parts.settings,
        parts.hostname,
        mail_leaves=lambda: None,  # the daemon's spooler looks by itself
    )
    try:
        worker.drain(store_id, until=time.monotonic() + BOOKING_SECONDS)
    except TemporaryError as error:
        log.warning("the booking is left to the daemon: %s", error)
    except Exception:  # the mail is ours already: any exit code but 0 would bring it twice
        log.exception("the booking is left to the daemon")


def _received_at(view: MessageView) -> float | None:
    """When the last MTA took the message (epoch seconds), by the newest Received header; None when unknown."""
    date = (view.header("Received") or "").rpartition(";")[2].strip()
    try:
        moment = parsedate_to_datetime(date) if date else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return _epoch(moment)


def _epoch(moment: datetime | None) -> float | None:
    """An instant with its zone in epoch seconds; None for one without, and for one before 1970 or far ahead."""
    if moment is None or moment.tzinfo is None:
        return None
    seconds = moment.timestamp()
    return seconds if 0 <= seconds <= time.time() + 86_400 else None


def with_crlf(content: bytes) -> bytes:
    """A message from a pipe has LF line ends; mail in the store has CRLF.  Mail that has CRLF stays as it is.

    The line `From ...` with which a message begins in a mailbox file is not part of it.
    """
    if content.startswith(b"From "):
        content = content[content.find(b"\n") + 1 :]
    first_line = content[: content.find(b"\n") + 1]
    if first_line.endswith(b"\r\n"):
        return content
    return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
