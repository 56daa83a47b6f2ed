"""Mail that leaves: an envelope of one recipient and the finished bytes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A finished message for the outbox.

    `mail_from` is the envelope sender, empty for the null sender `<>`; `rcpt_to` is one address;
    `content` is the whole RFC 5322 message with CRLF line ends; `message_id` is its Message-ID with brackets.
    """

    mail_from: str
    rcpt_to: str
    content: bytes
    message_id: str
