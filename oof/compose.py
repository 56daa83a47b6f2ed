"""The out-of-office answer as a message (RFC 3834 section 3)."""

import re
from binascii import b2a_qp
from datetime import datetime
from email.utils import format_datetime

from mailcore.charset import one_line
from mailcore.header_text import header_mailbox, header_text, threading_fields
from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView
from oof.settings import DEFAULT_SUBJECT, OofSettings

_LONGEST_SUBJECT = 200  # characters of our subject, and of the original that is repeated behind it
_LINE_END = re.compile(r"\r\n|\r|\n")


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
    subject = _subject(settings.subject or DEFAULT_SUBJECT, view.subject)
    head = [
        f"From: {header_mailbox(*sender)}",
        f"To: {header_mailbox('', to)}",
        f"Subject: {header_text(subject, 'Subject')}",
        f"Date: {format_datetime(date)}",
        f"Message-ID: {message_id}",
        *threading_fields(view.message_id, _thread(view)),
        "Auto-Submitted: auto-replied",
        "X-Kopano-Vacation: yes",
        "X-Auto-Response-Suppress: All",
        "Precedence: bulk",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
    ]
    header = "".join(f"{field}\r\n" for field in head).encode("utf-8", "replace")
    return OutgoingMail("", to, header + b"\r\n" + _body(settings.message), message_id)


def _subject(own: str, original: str) -> str:
    ours, theirs = (" ".join(one_line(text).split())[:_LONGEST_SUBJECT] for text in (own, original))
    return f"{ours} [{theirs}]" if theirs else ours


def _thread(view: MessageView) -> str:
    return view.header("References") or view.header("In-Reply-To") or ""


def _body(message: str) -> bytes:
    """The text with CRLF line ends, in lines of any length, encoded so that no relay has to touch it."""
    lines = _LINE_END.split(message.removesuffix("\n"))
    text = "".join(f"{line}\r\n" for line in lines)
    return b2a_qp(text.encode("utf-8", "replace"), istext=True)
