"""A message on its way into the store: split, hashed and compressed before any transaction begins."""

from dataclasses import dataclass

from mailcore.content import Body, assemble, split
from mailcore.imap import ImapCopy, imap_copy
from mailcore.view import MessageView
from store.packing import IDENTITY, pack, unpack

_LONGEST_VIEW = 1000  # characters kept of a header in the listing columns


@dataclass(frozen=True, slots=True)
class NewBlob:
    """Content addressed by the SHA-256 of its plain form; `stored` is in `codec`."""

    sha256: bytes
    size: int
    codec: str
    stored: bytes


@dataclass(frozen=True, slots=True)
class NewBody:
    """Where a blob goes back into the skeleton, and how it was encoded there."""

    blob: NewBlob
    offset: int
    encoding: str
    line_length: int
    ending: bytes


@dataclass(frozen=True, slots=True)
class NewMessage:
    """Everything the store keeps of one message, shared by all its recipients."""

    sha256: bytes
    size: int
    skeleton_codec: str
    skeleton: bytes
    bodies: tuple[NewBody, ...]
    message_id: str
    subject: str
    sender: str
    recipients: str
    sent_at: float | None
    imap: ImapCopy | None
    raw: NewBlob | None


def prepare_message(view: MessageView, *, imap: bool) -> NewMessage:
    """Split and compress a message; with `imap`, also what an IMAP server answers without parsing."""
    raw = view.raw
    content = split(raw, view.root)
    codec, skeleton = pack(content.skeleton)
    sender = view.from_
    return NewMessage(
        sha256=view.sha256,
        size=len(raw),
        skeleton_codec=codec,
        skeleton=skeleton,
        bodies=tuple(_new_body(body) for body in content.bodies),
        message_id=view.message_id[:_LONGEST_VIEW],
        subject=view.subject[:_LONGEST_VIEW],
        sender=(sender.address if sender else "")[:_LONGEST_VIEW],
        recipients=", ".join(box.address for box in view.to)[:_LONGEST_VIEW],
        sent_at=view.date.timestamp() if view.date else None,
        imap=imap_copy(raw, view.root) if imap else None,
        # Kept as it is: an IMAP server reads slices of it.
        raw=NewBlob(view.sha256, len(raw), IDENTITY, raw) if imap else None,
    )


def blobs_of(new: NewMessage) -> list[NewBlob]:
    """Every blob a message is made of, the IMAP copy included."""
    blobs = [body.blob for body in new.bodies]
    if new.raw is not None:
        blobs.append(new.raw)
    return blobs


def _new_body(body: Body) -> NewBody:
    codec, stored = pack(body.data)
    blob = NewBlob(body.sha256, len(body.data), codec, stored)
    return NewBody(blob, body.offset, body.encoding, body.line_length, body.ending)


def content_of(new: NewMessage) -> bytes:
    """Give back the bytes of a message that is not stored yet."""
    bodies = (
        Body(
            body.offset,
            body.blob.sha256,
            unpack(body.blob.codec, body.blob.stored),
            body.encoding,
            body.line_length,
            body.ending,
        )
        for body in new.bodies
    )
    return assemble(unpack(new.skeleton_codec, new.skeleton), tuple(bodies))


def assemble_message(skeleton: bytes, bodies: list[Body]) -> bytes:
    """Give back the bytes of a stored message."""
    return assemble(skeleton, tuple(bodies))


NO_MESSAGE = prepare_message(MessageView(b""), imap=False)
"""For a submission whose message is filed nowhere here."""
