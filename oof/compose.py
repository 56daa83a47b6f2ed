"""The out-of-office answer as a message (RFC 3834 section 3).

Its text goes as format=flowed (RFC 3676), so that its paragraphs fit every screen.  A text that is HTML goes as it is,
beside its words in plain text.
"""

import re
from binascii import b2a_qp
from datetime import datetime
from email.utils import format_datetime

from mailcore.charset import one_line
from mailcore.header_text import header_mailbox, header_text, threading_fields
from mailcore.html_text import is_html, text_of_html
from mailcore.mime_writing import make_boundary, multipart_entity
from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView
from oof.flowed import flow
from oof.settings import DEFAULT_SUBJECT

_LONGEST_SUBJECT = 200  # characters of our subject, and of the original that is repeated behind it
_LINE_END = re.compile(r"\r\n|\r|\n")


def compose_answer(
    view: MessageView,
    *,
    subject: str,
    text: str,
    sender: tuple[str, str],
    to: str,
    date: datetime,
    message_id: str,
) -> OutgoingMail:
    """Compose the answer from `sender` (name, address) to the return path `to`.

    The envelope sender is null, so that nothing answers back.  `date` is aware.
    """
    head = [
        f"From: {header_mailbox(*sender)}",
        f"To: {header_mailbox('', to)}",
        f"Subject: {header_text(_subject(subject or DEFAULT_SUBJECT, view.subject), 'Subject')}",
        f"Date: {format_datetime(date)}",
        f"Message-ID: {message_id}",
        *threading_fields(view.message_id, _thread(view)),
        "Auto-Submitted: auto-replied",
        "X-Kopano-Vacation: yes",
        "X-Auto-Response-Suppress: All",
        "Precedence: bulk",
        "MIME-Version: 1.0",
    ]
    header = "".join(f"{field}\r\n" for field in head).encode("utf-8", "replace")
    return OutgoingMail("", to, header + _entity(text), message_id)


def _subject(own: str, original: str) -> str:
    ours, theirs = (" ".join(one_line(text).split())[:_LONGEST_SUBJECT] for text in (own, original))
    return f"{ours} [{theirs}]" if theirs else ours


def _thread(view: MessageView) -> str:
    return view.header("References") or view.header("In-Reply-To") or ""


def _entity(text: str) -> bytes:
    """The text as a MIME entity: its fields, a blank line, its body."""
    if not is_html(text):
        return _part("text/plain; charset=utf-8; format=flowed", flow(text))
    html = _part("text/html; charset=utf-8", text)
    plain = _part("text/plain; charset=utf-8; format=flowed", flow(text_of_html(text)))
    return multipart_entity("alternative", (plain, html), make_boundary(plain, html))


def _part(content_type: str, text: str) -> bytes:
    """A text with CRLF line ends, in lines of any length, encoded so that no relay has to touch it."""
    lines = _LINE_END.split(text.removesuffix("\n"))
    body = "".join(f"{line}\r\n" for line in lines).encode("utf-8", "replace")
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    return head.encode() + b2a_qp(body, istext=True)
