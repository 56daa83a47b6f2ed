"""Which parts of a message its reader sees as attached files (RFC 2183), told from its MIME structure alone.

Not attached are the texts, pictures that an HTML text shows (multipart/related), signatures, what is encrypted, and
what a delivery report carries for machines.  A forwarded message is one attachment; its own are not looked for.
"""

from collections.abc import Iterator

from mailcore.mime import Part

# Of these only the first child is for the reader: a signature or a report's details follow.
_FIRST_ONLY = frozenset({"multipart/signed", "multipart/report"})
_ENCRYPTED = frozenset(
    {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}
)
# Parts that belong together: one of them is an attachment only where it says so.
_TOGETHER = frozenset({"multipart/related", "multipart/alternative"})


def attached_parts(root: Part) -> Iterator[Part]:
    """Yield the attachments of a message in their order."""
    waiting = [(root, False)]
    while waiting:
        part, together = waiting.pop()
        if part.content_type in _ENCRYPTED:
            continue
        if part.content_type.startswith("multipart/") and part.children:
            children = part.children[:1] if part.content_type in _FIRST_ONLY else part.children
            together = part.content_type in _TOGETHER
            waiting.extend((child, together) for child in reversed(children))
        elif _is_attached(part, together=together):
            yield part


def attached_name(part: Part) -> str:
    """The name of an attached file without the path that some senders write; perhaps empty."""
    return part.filename.replace("\\", "/").rpartition("/")[2]


def _is_attached(part: Part, *, together: bool) -> bool:
    disposition = part.disposition
    if disposition not in ("", "inline"):  # an unknown word too (RFC 2183 section 2.8)
        return True
    return not together and (not part.content_type.startswith("text/") or bool(part.filename))
