"""The notice in the Inbox that a rule cannot be read."""

from datetime import UTC, datetime
from email.utils import format_datetime

from delivery.arrival import Arrival
from mailcore.charset import one_line
from mailcore.header_text import header_mailbox, header_text
from mailcore.mime_writing import text_entity
from rules.model import BadRule

_TEXT = """\
One of your rules cannot be read, and is left out until it is changed:

    {name}

What is wrong with it:

    {error}

All other rules work as before. Change or remove the rule, or ask your
mail administrator; it has the number {id}.
"""


def compose_rule_notice(arrival: Arrival, bad: BadRule, hostname: str) -> bytes:
    """The whole message to the owner of the rule."""
    name = one_line(bad.name) or f"rule {bad.id}"
    user = arrival.recipient.user
    fields = [
        f"From: {header_mailbox('Mail Delivery System', f'mailer-daemon@{hostname}')}",
        f"To: {header_mailbox(user.fullname, arrival.delivered_to)}",
        f"Subject: {header_text(f'Rule cannot be read: {name[:100]}', 'Subject')}",
        f"Date: {format_datetime(datetime.fromtimestamp(arrival.now, UTC))}",
        f"Message-ID: <rule.{bad.id}.{arrival.unique}@{hostname}>",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
    ]
    head = "".join(f"{field}\r\n" for field in fields).encode("utf-8", "replace")
    text = _TEXT.format(name=name, error=one_line(bad.text), id=bad.id)
    return head + text_entity("text/plain", text)
