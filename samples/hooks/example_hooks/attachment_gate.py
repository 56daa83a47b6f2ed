"""A gate for attachments by their names: what Windows runs at a click is refused, what may carry macros goes to junk.

Names inside forwarded messages count; those inside archives are not looked at.  This is no virus scanner.
"""

import logging
from collections.abc import Iterator

from delivery.hooks import GO_ON, Hook, Verdict
from mailcore.envelope import Envelope
from mailcore.reply import LmtpReply
from mailcore.view import MessageView
from userstore.model import User

log = logging.getLogger(__name__)

REFUSED = frozenset({"bat", "cmd", "com", "cpl", "exe", "hta", "js", "lnk", "msi", "scr", "vbs"})
DOUBTFUL = frozenset({"docm", "dotm", "iso", "pptm", "xlam", "xlsm", "xltm"})


class AttachmentGate(Hook):
    """Refuses with 550 5.7.1, so that the sender hears of it, or files as junk."""

    def pre_delivery(self, message: MessageView, envelope: Envelope, user: User) -> Verdict:  # noqa: ARG002 - as in Hook
        """See Hook."""
        endings = set(_endings(message))
        if refused := sorted(endings & REFUSED):
            text = f"attachments whose names end in .{refused[0]} are not taken here"
            return Verdict(reply=LmtpReply(550, "5.7.1", text))
        return Verdict(junk=True) if endings & DOUBTFUL else GO_ON

    def post_delivery(
        self, message: MessageView, envelope: Envelope, user: User, reply: LmtpReply
    ) -> None:
        """See Hook."""
        if reply.enhanced == "5.7.1":
            log.info("%r from <%s> to %s", message.subject, envelope.mail_from, user.name)


def _endings(message: MessageView) -> Iterator[str]:
    """What stands behind the last dot of each file's name; Windows ignores dots and blanks at the end."""
    for part in message.root.walk():
        _, dot, ending = part.filename.rstrip(". ").rpartition(".")
        if dot:
            yield ending.lower()
