"""The trace headers a final delivery puts before a message (RFC 5321 section 4.4)."""

from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from mailcore.envelope import Envelope


def trace_headers(
    envelope: Envelope, delivered_to: str, *, hostname: str, queue_id: str, date: datetime
) -> bytes:
    """Return-Path, Delivered-To and Received, with CRLF line ends; `date` is aware.

    The recipient is named in Received only when there is just one, so that nobody learns of a blind copy.
    """
    head = f"Return-Path: <{envelope.mail_from}>\r\nDelivered-To: {delivered_to}\r\n"
    received = received_header(envelope, hostname=hostname, queue_id=queue_id, date=date)
    return head.encode("utf-8", "surrogateescape") + received


def received_header(envelope: Envelope, *, hostname: str, queue_id: str, date: datetime) -> bytes:
    """The Received header alone, for mail that goes on from here."""
    greeting = f"{envelope.helo} ({envelope.peer})" if envelope.helo else envelope.peer
    named = f"\r\n\tfor <{envelope.rcpt_tos[0]}>" if len(envelope.rcpt_tos) == 1 else ""
    return (
        f"Received: from {greeting}\r\n"
        f"\tby {hostname} with {envelope.protocol} id {queue_id}{named};\r\n"
        f"\t{_written(date)}\r\n"
    ).encode("utf-8", "surrogateescape")


@lru_cache(maxsize=2)
def _written(date: datetime) -> str:
    """The date as RFC 5322 writes it; all mail of the same second shares it."""
    return format_datetime(date)
