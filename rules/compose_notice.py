"""The notice in the Inbox that a mail was not forwarded, since the administrator does not allow its target."""

import re
from email.utils import format_datetime

from mailcore.charset import one_line
from mailcore.header_text import header_mailbox, header_text, threading_fields
from mailcore.mime_writing import text_entity
from mailcore.view import MessageView
from rules.compose import Dispatch, header_block, short_subject, thread_of

SUBJECT_TEMPLATE = "Not forwarded: %subject"
_PLACEHOLDER = re.compile("%(subject|sender)")
_TEXT = """\
A rule of yours wanted to forward a message, and was not allowed to.

Subject: {subject}
From: {sender}
To be forwarded to: {target}

The message itself is where your rules have put it. Forwarding to the
domain of this address is not permitted here: change or remove the rule,
or ask your mail administrator, who can add the domain to the setting
forward_whitelist_domains.
"""


def compose_notice(
    view: MessageView,
    dispatch: Dispatch,
    *,
    hostname: str,
    subject_template: str = SUBJECT_TEMPLATE,
) -> bytes:
    """The notice to the owner of the rule as a whole message; `dispatch.to` is the target that was refused.

    `%subject` and `%sender` in the template stand for the original's; in what they stand for they mean nothing.
    """
    author = view.from_.address if view.from_ else ""
    known = {"subject": short_subject(view.subject), "sender": one_line(author)}
    subject = _PLACEHOLDER.sub(lambda found: known[found[1]], subject_template)
    text = _TEXT.format(target=one_line(dispatch.to), **known)
    head = header_block(
        [
            f"From: {header_mailbox('Mail Delivery System', f'mailer-daemon@{hostname}')}",
            f"To: {header_mailbox(*dispatch.owner)}",
            f"Subject: {header_text(short_subject(subject), 'Subject')}",
            f"Date: {format_datetime(dispatch.date)}",
            f"Message-ID: {dispatch.message_id}",
            *threading_fields(view.message_id, thread_of(view)),
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
        ]
    )
    return head + text_entity("text/plain", text)
