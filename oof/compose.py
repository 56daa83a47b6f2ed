"""The out-of-office answer as a message (RFC 3834 section 3).

The header is written out by hand: the standard library's header objects decode encoded words in what they are
given, and so a subject that hides a line end in one becomes a field of its own.
"""

import re
from binascii import b2a_qp
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from email.header import Header
from email.utils import format_datetime

from mailcore.charset import one_line
from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView
from oof.settings import DEFAULT_SUBJECT, OofSettings

_LONGEST_SUBJECT = 200  # characters of our subject, and of the original that is repeated behind it
_LONGEST_NAME = 100  # characters
_REFERENCES = 20  # Message-IDs kept of a long thread
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
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
        f"From: {_mailbox(*sender)}",
        f"To: {_address(to)}",
        f"Subject: {_unstructured(subject, 'Subject')}",
        f"Date: {format_datetime(date)}",
        f"Message-ID: {message_id}",
        *_threading(view),
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


def _unstructured(text: str, field: str) -> str:
    """Text for a header field, folded; text that looks like an encoded word is encoded as well (RFC 2047)."""
    charset = "us-ascii" if text.isascii() and "=?" not in text else "utf-8"
    return Header(text, charset, header_name=field).encode(linesep="\r\n")


def _mailbox(name: str, address: str) -> str:
    shown = " ".join(one_line(name).split())[:_LONGEST_NAME].strip()
    if not shown:
        return _address(address)
    if not shown.isascii() or "=?" in shown:
        phrase = _unstructured(shown, "From")
    elif _ATOMS.fullmatch(shown):
        phrase = shown
    else:
        escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
        phrase = f'"{escaped}"'
    return f"{phrase}\r\n <{_address(address)}>"


def _address(address: str) -> str:
    """An address for a header field; an IDN domain goes as A-labels, which every relay takes."""
    local, at, domain = one_line(address).rpartition("@")
    if not domain.isascii():
        with suppress(UnicodeError):  # what is no valid domain name is left as it was written
            domain = domain.encode("idna").decode("ascii")
    return f"{local}{at}{domain}"


def _threading(view: MessageView) -> Iterator[str]:
    """In-Reply-To and References (RFC 5322 section 3.6.4), from well-formed message ids only."""
    if not _MESSAGE_ID.fullmatch(view.message_id):
        return
    yield f"In-Reply-To: {view.message_id}"
    earlier = _MESSAGE_ID.findall(view.header("References") or view.header("In-Reply-To") or "")
    yield "References: " + "\r\n ".join([*earlier[-_REFERENCES:], view.message_id])


def _body(message: str) -> bytes:
    """The text with CRLF line ends, in lines of any length, encoded so that no relay has to touch it."""
    lines = _LINE_END.split(message.removesuffix("\n"))
    text = "".join(f"{line}\r\n" for line in lines)
    return b2a_qp(text.encode("utf-8", "replace"), istext=True)
