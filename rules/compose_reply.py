"""The reply that a rule sends from a template (RFC 3834 section 3).  Whether it may is decided in rules/answer.py."""

from mailcore.mime_writing import text_entity
from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView
from rules.compose import Dispatch, compose_head, short_subject


def compose_reply(
    view: MessageView, dispatch: Dispatch, *, subject: str, text: str
) -> OutgoingMail:
    """The template as an answer from the owner; `dispatch.to` is the original's envelope sender.

    An empty `subject` becomes "BT: " and the original's.  The envelope sender is null, so that nothing answers back.
    """
    head = compose_head(
        view,
        dispatch,
        short_subject(subject) or short_subject(f"BT: {view.subject}"),
        action="reply",
        submitted="auto-replied",
    )
    return OutgoingMail(
        "", dispatch.to, head + text_entity("text/plain", text), dispatch.message_id
    )
