"""The notice to the owner of a mail that will never arrive (RFC 3464, in an RFC 6522 report).

Pure.  The notice is filed into the owner's mailbox and never sent, so it cannot loop; it is made
like one that was sent all the same, because mail programs know that form and show the mail
concerned.  Its Message-ID follows from the outbox entry: composing it twice gives the same bytes
but for the date.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address, Group
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from mailcore.charset import one_line
from mailcore.dsn import typed_address
from mailcore.headers import header_end
from mailcore.outgoing import OutgoingMail
from spooler.outcome import SmtpReply

DAEMON_NAME = "Mail Delivery System"
DELIVERY_TIME_EXPIRED = "5.4.7"
"""RFC 3463 section 3.5; 5 and not 4, because no further attempt will be made."""
_OTHER_FAILURE = "5.0.0"
_MOST_HEADER_OCTETS = 65536
_LONGEST_SUBJECT = 200  # characters
_DOT_ATOM = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII)
_POLICY = SMTP.clone(max_line_length=76)

_TEXT = """\
This is the mail system of {hostname}.

A message that was sent from your mailbox could not be delivered to

    {rcpt_to}

Subject: {subject}
Written: {created_at}

{reason}

    {reply}

The message will not be tried again. Please check the address. If it is
right, tell your mail administrator, and include this notice: it ends with
the headers of your message.
"""
_REFUSED = "The mail server has refused the message for good, and said:"
_EXPIRED = """\
It was tried {attempts} times since then without success, and is given up
now. The last attempt said:"""


@dataclass(frozen=True, slots=True)
class Failure:
    """A mail that will never leave: why, after how many attempts; `created_at` is aware.

    `expired` is True when it was given up, False when the MTA has refused it.
    """

    outbox_id: int
    mail: OutgoingMail
    subject: str
    created_at: datetime
    attempts: int
    reply: SmtpReply
    expired: bool


def compose_bounce(failure: Failure, *, owner: str, hostname: str, now: datetime) -> bytes:
    """The notice as a whole message with CRLF line ends.

    Parameters: `owner` is the name of the mailbox it is for, or an address; `hostname` is the MTA
    that reports, and the domain of a name without one; `now` is aware.
    """
    report = EmailMessage(policy=_POLICY)
    report["From"] = Address(DAEMON_NAME, "mailer-daemon", hostname)
    report["To"] = _recipient(owner, hostname)
    report["Subject"] = f"Undelivered: {_subject(failure)}"
    report["Date"] = now
    report["Message-ID"] = _message_id(failure, hostname)
    report["Auto-Submitted"] = "auto-replied"
    if original := _harmless(failure.mail.message_id):
        report["References"] = original
    report.set_content(_human_text(failure, hostname), cte="quoted-printable")
    report.make_mixed()
    report.set_type("multipart/report")
    report.set_param("report-type", "delivery-status")
    report.set_boundary(_boundary(failure))
    report.attach(_delivery_status(failure, hostname, now))
    report.attach(_original_headers(failure.mail.content))
    return report.as_bytes()


def _recipient(owner: str, hostname: str) -> Address | Group:
    """The owner's address; a name that makes none is a group of nobody (RFC 5322 section 3.4)."""
    local, _, domain = owner.rpartition("@")
    if _DOT_ATOM.fullmatch(owner):
        return Address("", owner, hostname)
    if _DOT_ATOM.fullmatch(local) and _DOT_ATOM.fullmatch(domain):
        return Address("", local, domain)
    return Group(one_line(owner), ())


def _message_id(failure: Failure, hostname: str) -> str:
    return f"<undelivered.{failure.outbox_id}.{_digest(failure)[:16]}@{hostname}>"


def _subject(failure: Failure) -> str:
    return _harmless(failure.subject)[:_LONGEST_SUBJECT] or "(no subject)"


def _harmless(text: str) -> str:
    """A stranger's text for a header object, which would decode an encoded word, line ends in it included."""
    return one_line(text).replace("=?", "= ?")


def _boundary(failure: Failure) -> str:
    """A boundary that follows from the mail, and so cannot stand in it."""
    return f"=_{_digest(failure)[16:48]}"


def _digest(failure: Failure) -> str:
    return hashlib.sha256(b"%d %s" % (failure.outbox_id, failure.mail.content)).hexdigest()


def _human_text(failure: Failure, hostname: str) -> str:
    reason = _EXPIRED.format(attempts=failure.attempts) if failure.expired else _REFUSED
    return _TEXT.format(
        hostname=hostname,
        rcpt_to=one_line(failure.mail.rcpt_to),
        subject=_subject(failure),
        created_at=format_datetime(failure.created_at),
        reason=reason,
        reply=one_line(str(failure.reply)),
    )


def _delivery_status(failure: Failure, hostname: str, now: datetime) -> EmailMessage:
    """The part for programs: fields of the message, then of its recipient (RFC 3464 section 2)."""
    message = EmailMessage(policy=_POLICY)
    message["Reporting-MTA"] = f"dns; {hostname}"
    message["Arrival-Date"] = format_datetime(failure.created_at)
    recipient = EmailMessage(policy=_POLICY)
    recipient["Final-Recipient"] = typed_address(_harmless(failure.mail.rcpt_to))
    recipient["Action"] = "failed"
    recipient["Status"] = _status(failure)
    recipient["Diagnostic-Code"] = _diagnostic(failure.reply)
    recipient["Last-Attempt-Date"] = format_datetime(now)
    part = EmailMessage(policy=_POLICY)
    part["Content-Type"] = "message/delivery-status"
    part.set_payload([message, recipient])
    return part


def _status(failure: Failure) -> str:
    """The status the MTA gave, where it is one of a failure (RFC 3464 section 2.3.4)."""
    if failure.expired:
        return DELIVERY_TIME_EXPIRED
    given = failure.reply.enhanced
    return given if given.startswith("5.") else _OTHER_FAILURE


def _diagnostic(reply: SmtpReply) -> str:
    """The reply with its type; `smtp` only for what an MTA said (RFC 3464 section 2.3.6)."""
    text = _harmless(str(reply)).encode("ascii", "backslashreplace").decode("ascii")
    return f"{'smtp' if reply.code else 'x-spooler'}; {text}"


def _original_headers(content: bytes) -> EmailMessage:
    """The header block of the mail, which tells the owner which one it was (RFC 6522)."""
    part = EmailMessage(policy=_POLICY)
    headers = content[: min(header_end(content), _MOST_HEADER_OCTETS)]
    encoding = "7bit" if headers.isascii() else "8bit"
    part.set_content(headers, "text", "rfc822-headers", cte=encoding)
    return part
