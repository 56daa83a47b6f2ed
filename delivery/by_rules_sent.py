"""The mail that a user's rules send: what is passed on, replies, reports; each checked before it is composed."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from delivery.arrival import Arrival
from delivery.filing import inbox
from delivery.site import Site
from mailcore.address import address_key
from mailcore.dsn import compose_refusal
from mailcore.headers import Mailbox
from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView
from rules.actions import Action, Bounce, Delegate, Forward, ForwardAsAttachment, Redirect, Reply
from rules.answer import may_refuse, may_reply
from rules.compose import Dispatch
from rules.compose_forward import compose_attached, compose_forward
from rules.compose_notice import compose_notice
from rules.compose_redirect import compose_delegate, compose_redirect
from rules.compose_reply import compose_reply
from rules.forward import check_target
from store.message import prepare_message
from store.plan import Filing, Notice, OofClaim, Outgoing

_SENDS: dict[type, tuple[str, Callable[..., OutgoingMail]]] = {
    Forward: ("forward", compose_forward),
    ForwardAsAttachment: ("forward", compose_attached),
    Redirect: ("redirect", compose_redirect),
    Delegate: ("delegate", compose_delegate),
}
"""The kind in the outbox and the composer of each action that passes mail on."""
_OWN_SENDER = (Forward, ForwardAsAttachment)


class Sender:
    """Composes what the rules of one user send for one message.

    `remarks` say what was not sent, and why; `kept_back` is true when a target did not get the mail.
    """

    def __init__(self, arrival: Arrival, site: Site) -> None:
        self._arrival = arrival
        self._site = site
        self._targets: list[str] = []
        self.kept_back = False
        self.outgoing: list[Outgoing] = []
        self.notices: list[Notice] = []
        self.remarks: list[str] = []

    def pass_on(self, action: Action) -> None:
        """Forward, redirect or delegate to every target that is allowed."""
        if not isinstance(action, Forward | ForwardAsAttachment | Redirect | Delegate):
            raise TypeError(f"no rule can ask for {action!r}")
        kind, compose = _SENDS[type(action)]
        for target in action.to:
            if not self._allowed(target):
                continue
            self._targets.append(target)
            mail_from = self._arrival.envelope.mail_from
            if self._site.srs is not None and not isinstance(action, _OWN_SENDER):
                mail_from = self._site.srs.envelope_sender(mail_from, target, self._arrival.now)
            mail = compose(self._arrival.view, self._dispatch(target, kind), mail_from=mail_from)
            self.outgoing.append(Outgoing(kind, self._arrival.view.subject, mail))

    def reply(self, action: Reply) -> None:
        """Answer the sender, if that is a person who has written to us, and has not had this answer lately.

        A program that answers our answer, and says in no header that it is one, would never end
        (RFC 3834 section 2: not more than one response to the same sender within some days).
        """
        view, envelope = self._arrival.view, self._arrival.envelope
        why_not = may_reply(view, envelope, self._arrival.recipient.user.addresses)
        if why_not:
            self.remarks.append(f"no reply to <{envelope.mail_from}>: {why_not}")
            return
        dispatch = self._dispatch(envelope.mail_from, "reply")
        mail = compose_reply(view, dispatch, subject=action.subject, text=action.text)
        subject = action.subject or view.subject
        claim = self._claim(action, envelope.mail_from)
        self.outgoing.append(Outgoing("answer", subject, mail, claim=claim))

    def bounce(self, action: Bounce) -> bool:
        """Refuse the message; False where nobody can be told, and then it stays."""
        arrival, envelope = self._arrival, self._arrival.envelope
        why_not = may_refuse(envelope, arrival.recipient.user.addresses)
        if why_not:
            self.remarks.append(f"not bounced to <{envelope.mail_from}>: {why_not}")
            return False
        mail = compose_refusal(
            arrival.view,
            recipient=arrival.recipient.address,
            reason=action.reason,
            to=envelope.mail_from,
            hostname=self._site.hostname,
            date=self._date,
            message_id=self._message_id("bounce"),
        )
        self.outgoing.append(Outgoing("bounce", arrival.view.subject, mail))
        return True

    def _claim(self, action: Reply, sender: str) -> OofClaim:
        """The right to send this text to this sender once; a blank tells it from those of out-of-office."""
        digest = hashlib.sha256(f"{action.subject}\n{action.text}".encode()).hexdigest()
        since = self._arrival.now - self._site.settings.oof.timelimit
        return OofClaim(f"{digest[:16]} {address_key(sender)}", since)

    def _allowed(self, target: str) -> bool:
        arrival = self._arrival
        delimiter = self._site.settings.userstore.recipient_delimiter
        refusal = check_target(
            target,
            view=arrival.view,
            envelope=arrival.envelope,
            own_addresses=(
                *arrival.recipient.user.addresses,
                *_with_detail_of(target, arrival.recipient.user.addresses, delimiter),
                arrival.recipient.address,
            ),
            earlier=self._targets,
            policy=self._site.forward,
        )
        if refusal is None:
            return True
        self.remarks.append(f"not passed on to {target}: {refusal.reason}")
        self.kept_back = True
        if refusal.notify:
            self.notices.append(self._notice(target))
        return False

    def _notice(self, target: str) -> Notice:
        content = compose_notice(
            self._arrival.view,
            self._dispatch(target, "notice"),
            hostname=self._site.hostname,
            subject_template=self._site.settings.rules.forward_whitelist_domain_subject,
        )
        recipient = self._arrival.recipient
        message = prepare_message(MessageView(content), imap=recipient.imap)
        place = inbox(recipient.mailbox)
        return Notice(
            message,
            Filing(place, b"Return-Path: <>\r\n", self._arrival.now, imap=recipient.imap),
        )

    def _dispatch(self, to: str, kind: str) -> Dispatch:
        user = self._arrival.recipient.user
        return Dispatch(
            owner=Mailbox(user.fullname, self._arrival.delivered_to),
            to=to,
            date=self._date,
            message_id=self._message_id(kind),
            trace=self._arrival.trace,
        )

    def _message_id(self, kind: str) -> str:
        number = len(self.outgoing) + len(self.notices)
        return f"<{kind}.{self._arrival.unique}.{number}@{self._site.hostname}>"

    @property
    def _date(self) -> datetime:
        return datetime.fromtimestamp(self._arrival.now, UTC)


def _with_detail_of(target: str, addresses: Iterable[str], delimiter: str) -> Iterator[str]:
    """The target, if it is one of `addresses` with a detail."""
    local, _, domain = target.rpartition("@")
    length = next((i for i, letter in enumerate(local) if i and letter in delimiter), 0)
    plain = address_key(f"{local[:length]}@{domain}")
    if length and plain in map(address_key, addresses):
        yield target
