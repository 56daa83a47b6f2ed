"""Mail that a rule forwards: a new mail of the user's that holds the original, or has it attached.

What the author wrote gets a block before it that says from whom and when it is, in the text and in the HTML; all
other parts go along byte for byte.  A signed, encrypted or otherwise sealed mail stays whole below a text of its own.
Nothing raises, whatever the original is.
"""

import html
import re
from collections.abc import Iterator

from mailcore.charset import one_line
from mailcore.headers import Field
from mailcore.html_text import text_of_html
from mailcore.mime import Part, decode_text
from mailcore.mime_writing import (
    base64_body,
    identity_encoding,
    make_boundary,
    multipart_entity,
    text_entity,
)
from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView
from rules.compose import Dispatch, compose_head, delivered_to_fields, short_subject

NOTE = "Auto forwarded by a rule"
_FILE_NAME = "original.eml"
_LONGEST_VALUE = 2_000  # characters of a header shown in the block
_FORWARDED = re.compile(r"fwd?\s*:", re.IGNORECASE)
_TEXTS = frozenset({"text/plain", "text/html"})
_LINE_BREAKS = re.compile(rb"\r?\n(?=[ \t])")
_CONTROLS = re.compile(rb"[\0-\x08\x0a-\x1f\x7f]+")
_ENCODING = ("content-type", "content-transfer-encoding")
_DESCRIPTION = ("disposition", "id", "description", "language", "location")
_DESCRIBING = tuple(f"content-{what}" for what in _DESCRIPTION)


def compose_forward(view: MessageView, dispatch: Dispatch, *, mail_from: str) -> OutgoingMail:
    """The original inside a new mail from the owner.

    The envelope sender is the owner's address; null where the original's, `mail_from`, is null, so that the forward of
    a delivery report cannot cause another.
    """
    return _outgoing(view, dispatch, mail_from, _forwarded(view, dispatch))


def compose_attached(view: MessageView, dispatch: Dispatch, *, mail_from: str) -> OutgoingMail:
    """The original byte for byte as an attachment of a new mail; the envelope sender is that of compose_forward.

    It is a message/rfc822 part in 7bit or 8bit.  RFC 2046 section 5.2.1 allows no other encoding but binary, which SMTP
    cannot carry (RFC 3030): an original that is binary goes as a file in base64.
    """
    text = text_entity("text/plain", f"{NOTE}\n\nThe message is attached.\n")
    parts = [text, _original(view.raw)]
    boundary = make_boundary(view.sha256, dispatch.message_id.encode("utf-8", "replace"))
    return _outgoing(view, dispatch, mail_from, multipart_entity("mixed", parts, boundary))


def _outgoing(view: MessageView, dispatch: Dispatch, mail_from: str, entity: bytes) -> OutgoingMail:
    head = compose_head(
        view, dispatch, _subject(view.subject), action="forward", submitted="auto-generated"
    )
    content = delivered_to_fields(view, dispatch) + head + entity
    sender = dispatch.owner.address if mail_from else ""
    return OutgoingMail(sender, dispatch.to, content, dispatch.message_id)


def _subject(original: str) -> str:
    return short_subject(original if _FORWARDED.match(original) else f"FW: {original}")


def _original(raw: bytes) -> bytes:
    encoding = identity_encoding(raw)
    media_type, body = "message/rfc822", raw
    if encoding == "binary":
        media_type, encoding, body = "application/octet-stream", "base64", base64_body(raw)
    head = (
        f"Content-Type: {media_type}\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n"
        f'Content-Disposition: attachment; filename="{_FILE_NAME}"\r\n\r\n'
    )
    return head.encode() + body


def _forwarded(view: MessageView, dispatch: Dispatch) -> bytes:
    """The original as an entity with the block in it."""
    root = view.root
    block = _Block(view, dispatch)
    bodies = list(_bodies(root))
    head = _carried(root.fields, _ENCODING + _DESCRIBING) + b"\r\n"
    if not bodies:
        parts = [block.alone(), head + view.raw[root.body_start :]]
        return multipart_entity("mixed", parts, block.boundary("mixed"))
    html_only = all(part.content_type == "text/html" for part in bodies)
    if not root.children:
        return block.before(root, html_only=html_only)
    pieces = [head]
    at = root.body_start
    for part in bodies:
        pieces.append(view.raw[at : part.header_start])
        if not pieces[-1].endswith(b"\n"):  # the boundary is the last there is
            pieces.append(b"\r\n")
        pieces.append(block.before(part, html_only=html_only))
        at = part.body_end
    return b"".join([*pieces, view.raw[at:]])


def _bodies(part: Part) -> Iterator[Part]:
    """The parts with what the author wrote, in their order: alternatives of each other, or one alone."""
    if not part.children:
        if part.content_type in _TEXTS and part.disposition != "attachment":
            yield part
    elif part.content_type == "multipart/alternative":
        for child in part.children:
            yield from _bodies(child)
    elif part.content_type in {"multipart/mixed", "multipart/related"}:
        yield from _bodies(part.children[0])


def _carried(fields: tuple[Field, ...], names: tuple[str, ...]) -> bytes:
    """The fields of a part with these names (in lower case), the first of each.

    They are folded where they were, and hold no other line ends and no control characters: they stand among ours now.
    """
    described: dict[str, bytes] = {}
    for field in fields:
        name = field.name.lower()
        if name in names and name not in described:
            lines = (_CONTROLS.sub(b" ", line) for line in _LINE_BREAKS.split(field.value))
            value = b"\r\n".join(line for line in lines if line.strip())
            described[name] = b"%b: %b\r\n" % (field.name.encode(), value)
    return b"".join(described.values())


class _Block:
    """What stands before the original: who sent it, when, to whom; as text, as HTML, in a part of it or alone."""

    def __init__(self, view: MessageView, dispatch: Dispatch) -> None:
        self._raw = view.raw
        self._seeds = view.sha256, dispatch.message_id.encode("utf-8", "replace")
        shown = {
            "From": _people(view, "From"),
            "Sent": one_line(view.header("Date") or ""),
            "To": _people(view, "To"),
            "Cc": _people(view, "Cc"),
            "Subject": view.subject,
        }
        self._fields = {
            name: value[:_LONGEST_VALUE].strip() for name, value in shown.items() if value.strip()
        }

    def boundary(self, use: str) -> str:
        return make_boundary(*self._seeds, use.encode())

    def alone(self) -> bytes:
        return text_entity("text/plain", self._text())

    def before(self, part: Part, *, html_only: bool) -> bytes:
        """The part anew, in UTF-8; where there is HTML only, with its text as an alternative."""
        fields = _carried(part.fields, _DESCRIBING)
        original = decode_text(self._raw, part).removeprefix("\ufeff")
        if part.content_type == "text/plain":
            kept = (f"; {name}={part.params[name]}" for name in _flow(part))
            return text_entity(f"text/plain{''.join(kept)}", self._text() + original, fields)
        if not html_only:
            return text_entity("text/html", self._html() + original, fields)
        parts = [
            text_entity("text/plain", self._text() + text_of_html(original)),
            text_entity("text/html", self._html() + original),
        ]
        return multipart_entity("alternative", parts, self.boundary("alternative"), fields)

    def _text(self) -> str:
        lines = [NOTE, "", *(f"{name}: {value}" for name, value in self._fields.items())]
        return "\n".join([*lines, "", ""])

    def _html(self) -> str:
        # Before everything else, where no comment of the original can hide it.
        lines = [
            f"<b>{name}:</b> {html.escape(value)}<br>\n" for name, value in self._fields.items()
        ]
        return f"<div><p>{NOTE}</p>\n<p>{''.join(lines)}</p><hr></div>\n"


def _flow(part: Part) -> Iterator[str]:
    """The parameters that say how lines are joined (RFC 3676), where they have a value it knows."""
    if part.params.get("format", "").lower() == "flowed":
        yield "format"
        if part.params.get("delsp", "").lower() in {"yes", "no"}:
            yield "delsp"


def _people(view: MessageView, name: str) -> str:
    return ", ".join(
        f"{box.name} <{box.address}>" if box.name else box.address for box in view.addresses(name)
    )
