"""The out-of-office answer as a message (RFC 3834 section 3)."""

from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, formataddr

from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView
from oof.settings import DEFAULT_SUBJECT, OofSettings

_LONGEST_SUBJECT = 200  # characters of the original subject that are repeated
_REFERENCES = 20  # Message-IDs kept of a long thread


def compose_answer(
    view: MessageView,
    settings: OofSettings,
    *,
    sender: tuple[str, str],
    to: str,
    date: datetime,
    message_id: str,
) -> OutgoingMail:
    """Compose the answer from `sender` (name, address) to the return path `to`.

    The envelope sender is null, so that nothing answers back.  `date` is aware.
    """
    answer = EmailMessage(policy=SMTP if (to + sender[1]).isascii() else SMTPUTF8)
    answer["From"] = formataddr(sender)
    answer["To"] = to
    answer["Subject"] = _subject(settings.subject or DEFAULT_SUBJECT, view.subject)
    answer["Date"] = format_datetime(date)
    answer["Message-ID"] = message_id
    if view.message_id:
        answer["In-Reply-To"] = view.message_id
        answer["References"] = " ".join(_references(view))
    answer["Auto-Submitted"] = "auto-replied"
    answer["X-Kopano-Vacation"] = "yes"
    answer["X-Auto-Response-Suppress"] = "All"
    answer["Precedence"] = "bulk"
    answer.set_content(settings.message, cte="quoted-printable")
    return OutgoingMail("", to, answer.as_bytes(), message_id)


def _subject(own: str, original: str) -> str:
    ours = " ".join(own.split())
    theirs = " ".join(original.split())[:_LONGEST_SUBJECT]
    return f"{ours} [{theirs}]" if theirs else ours


def _references(view: MessageView) -> Sequence[str]:
    earlier = (view.header("References") or view.header("In-Reply-To") or "").split()
    return [*earlier[-_REFERENCES:], view.message_id]
