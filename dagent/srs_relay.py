"""Reports that come back to an envelope sender we have rewritten: they go on to whom the address stands for.

They leave with the null sender, whatever they came with, so that nothing can go round (RFC 3834 section 3.3).  A repeat
of such a mail leaves twice: there is no mailbox whose ledger could know it.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from delivery.site import Site
from delivery.trace import received_header
from mailcore.envelope import Envelope
from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView
from store.plan import Outgoing


@dataclass(frozen=True, slots=True)
class PassingOn:
    """An address of ours that stands for somebody elsewhere, `original`."""

    address: str
    original: str


def passing_on(site: Site, address: str, now: float) -> PassingOn | None:
    """Whom a rewritten address stands for, at `now` in epoch seconds; None where it is none of ours.

    Raises NoSuchRecipientError for one that is forged, damaged or too old.
    """
    original = None if site.srs is None else site.srs.original_recipient(address, now)
    return None if original is None else PassingOn(address, original)


def compose_passing(
    envelope: Envelope, content: bytes, targets: Sequence[PassingOn], hostname: str, now: float
) -> tuple[Outgoing, ...]:
    """The mails that go on, one for each target, with our Received before them."""
    queue_id = secrets.token_hex(6)
    date = datetime.fromtimestamp(int(now), UTC)
    received = received_header(envelope, hostname=hostname, queue_id=queue_id, date=date)
    view = MessageView(content)
    mails = [OutgoingMail("", one.original, received + content, view.message_id) for one in targets]
    return tuple(Outgoing("srs", view.subject, mail) for mail in mails)
