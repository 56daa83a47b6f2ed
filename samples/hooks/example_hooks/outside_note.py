"""A note at the end of text mail from outside.

Only a message that is one plain text gets it, where plain letters can be put behind the text as they are.  All else
stays as it came: one part more in a multipart breaks signatures, and an invitation for a room would be none any more.
A DKIM signature does not survive it: have it checked before the mail comes here.
"""

from delivery.hooks import Hook
from mailcore.envelope import Envelope
from mailcore.view import MessageView

OUR_DOMAIN = "example.org"
NOTE = b"-- \r\nThis mail came from outside. Think before you click.\r\n"
_ENCODINGS = frozenset({"", "7bit", "8bit", "quoted-printable"})
_CHARSETS = ("us-ascii", "utf-8", "iso-8859-", "windows-125")
_SIGNED = b"-----BEGIN PGP "


class OutsideNote(Hook):
    """Puts the note behind the text, once."""

    def post_converting(self, message: MessageView, envelope: Envelope) -> bytes | None:
        """See Hook."""
        if not _is_from_outside(envelope) or not _takes_letters(message):
            return None
        if NOTE in message.raw or _SIGNED in message.raw:
            return None
        line_end = b"" if message.raw.endswith(b"\r\n") else b"\r\n"
        return message.raw + line_end + NOTE


def _is_from_outside(envelope: Envelope) -> bool:
    """Reports, which come from <>, are left alone."""
    domain = envelope.mail_from.rpartition("@")[2].lower()
    return bool(envelope.mail_from) and domain != OUR_DOMAIN


def _takes_letters(message: MessageView) -> bool:
    """Whether the message is one text to which ASCII can be added without encoding it."""
    root = message.root
    charset = root.params.get("charset", "us-ascii").lower()
    return (
        root.content_type == "text/plain"
        and root.disposition != "attachment"
        and root.encoding in _ENCODINGS
        and charset.startswith(_CHARSETS)
    )
