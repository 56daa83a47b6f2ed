"""Whether a rule may answer a mail: with a reply, or with a report that it was refused (RFC 3834 section 2)."""

from collections.abc import Collection

from mailcore.address import address_key
from mailcore.automatic import why_automatic, why_robot
from mailcore.envelope import Envelope
from mailcore.view import MessageView


def may_reply(view: MessageView, envelope: Envelope, own_addresses: Collection[str]) -> str | None:
    """None where a rule may reply to the envelope sender, else the reason, in words, why it must not.

    People get a reply; the null sender, robots, oneself and automatic mail get none.
    """
    return _about_sender(envelope.mail_from, own_addresses) or why_automatic(view) or None


def may_refuse(envelope: Envelope, own_addresses: Collection[str]) -> str | None:
    """None where a report of refusal may go to the envelope sender, else the reason, in words, why it must not.

    Nobody reads one that goes to the null sender or a robot (RFC 3464 section 2), and nobody refuses his own mail.
    """
    return _about_sender(envelope.mail_from, own_addresses) or None


def _about_sender(sender: str, own_addresses: Collection[str]) -> str:
    if sender and address_key(sender) in set(map(address_key, own_addresses)):
        return "own address"
    return why_robot(sender)
