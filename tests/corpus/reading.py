"""Everything that is asked of a mail between its arrival and a reader's client."""

from mailcore.content import assemble, split
from mailcore.imap import ImapCopy, imap_copy
from mailcore.mime import decode_text
from mailcore.view import MessageView
from store.message import NewMessage, prepare_message


def show(raw: bytes) -> tuple[MessageView, NewMessage, ImapCopy]:
    """Look at everything in a mail; it has to come out of its parts as it was."""
    view = MessageView(raw)
    for name in ("From", "To", "Cc", "Reply-To", "Received"):
        view.addresses(name)
        view.headers(name)
    _ = (view.subject, view.sender, view.date, view.message_id, view.text, view.header("X"))
    for part in view.root.walk():
        decode_text(raw, part)
        _ = (part.filename, part.disposition)
    content = split(raw, view.root)
    assert assemble(content.skeleton, content.bodies) == raw
    prepared = prepare_message(view, imap=True)
    assert prepared.imap is not None
    assert prepared.imap == imap_copy(raw, view.root)
    return view, prepared, prepared.imap
