"""The mail server of the demo: it takes every answer that the agent sends, and keeps it."""

import email
import email.policy
import re
from dataclasses import dataclass
from email.message import EmailMessage
from types import TracebackType
from typing import Self, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True, slots=True)
class Answer:
    """One mail that went out: its envelope, and what its reader sees."""

    mail_from: str
    rcpt_to: str
    subject: str
    partstat: str
    text: str


class AnswerSink:
    """An SMTP server on a loopback port; collects `answers` inside the `with` block."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answers: list[Answer] = []
        self._controller = Controller(self, hostname="127.0.0.1", port=port)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._controller.stop()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep one mail, once for each of its recipients."""
        content = cast("bytes", envelope.content)
        for rcpt_to in envelope.rcpt_tos:
            self.answers.append(read_answer(envelope.mail_from or "", rcpt_to, content))
        return "250 2.0.0 kept"


def read_answer(mail_from: str, rcpt_to: str, content: bytes) -> Answer:
    """Return what an answer says; `partstat` is empty where it carries no iTIP REPLY."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    body = message.get_body(("plain",))
    return Answer(
        mail_from=mail_from,
        rcpt_to=rcpt_to,
        subject=str(message["Subject"]),
        partstat=_partstat(message),
        text=body.get_content().strip() if body else "",
    )


def _partstat(message: EmailMessage) -> str:
    for part in message.walk():
        if part.get_content_type() == "text/calendar":
            unfolded = part.get_content().replace("\r\n", "\n").replace("\n ", "")
            found = re.search(r"^ATTENDEE\b.*?;PARTSTAT=([A-Z-]+)", unfolded, re.MULTILINE)
            return found[1] if found else ""
    return ""
