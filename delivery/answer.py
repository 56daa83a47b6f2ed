"""The out-of-office answer to one message for one recipient, ready for the outbox."""

from dataclasses import fields
from datetime import UTC, datetime

from delivery.arrival import Arrival
from delivery.site import Site
from mailcore.address import address_key
from mailcore.inside import inside_of
from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView
from oof.acquaintance import answers_ours
from oof.compose import compose_answer
from oof.decide import Suppress, decide
from oof.recipients import Owner
from oof.settings import OofSettings
from store.mailboxes import SENT, StoredOof
from store.message import prepare_message
from store.plan import SEEN, Filing, Notice, OofClaim, Outgoing


def absence_of(stored: StoredOof | None) -> OofSettings | None:
    """What a mailbox has for out-of-office; None where nothing was ever set."""
    if stored is None:
        return None
    return OofSettings(**{field.name: getattr(stored, field.name) for field in fields(OofSettings)})


def answer(
    arrival: Arrival, oof: OofSettings | None, site: Site
) -> tuple[tuple[Outgoing, ...], str]:
    """The answer, if one is due, and the decision in a word for the log.

    It leaves only if the store finds that this sender has had none (its claim), and its copy with it.
    """
    if oof is None:
        return (), "not active"
    recipient = arrival.recipient
    user, view = recipient.user, arrival.view
    own = frozenset((*user.addresses, recipient.address))
    decision = decide(
        view,
        arrival.envelope,
        Owner(own, recipient.groups, recipient.via),
        oof,
        arrival.now,
        policy=site.oof,
        knows=lambda _: answers_ours(view, inside_of(own, site.oof.internal_domains)),
    )
    if isinstance(decision, Suppress):
        return (), decision.reason
    mail = compose_answer(
        view,
        subject=oof.subject,
        text=decision.text,
        sender=(user.fullname, user.address or recipient.address),
        to=decision.to,
        date=datetime.fromtimestamp(arrival.now, UTC),
        message_id=f"<oof.{arrival.unique}@{site.hostname}>",
    )
    claim = OofClaim(address_key(decision.to), _not_since(arrival, site))
    filed = _copy(arrival, mail) if site.settings.oof.copy_to_sentmail else None
    return (Outgoing("oof", oof.subject, mail, claim=claim, filed=filed),), "answered"


def _not_since(arrival: Arrival, site: Site) -> float:
    """The time of an earlier answer, in epoch seconds, from which on there is none now."""
    if site.settings.oof.repeat == "once-per-period":
        stored = arrival.recipient.mailbox.oof
        return stored.switched_on_at if stored is not None else 0.0
    return arrival.now - site.settings.oof.timelimit


def _copy(arrival: Arrival, mail: OutgoingMail) -> Notice | None:
    """The answer for the user's Sent Items, where that folder is ours."""
    recipient = arrival.recipient
    folder_id = recipient.mailbox.special.get(SENT)
    if folder_id is None or arrival.hop:
        return None
    message = prepare_message(MessageView(mail.content), imap=recipient.imap)
    filing = Filing(folder_id, b"", arrival.now, flags=SEEN, imap=recipient.imap)
    return Notice(message, filing)
