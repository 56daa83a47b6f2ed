"""The readable text of HTML mail, for conditions and search: no rendering, no tables, no links.

Malformed markup gives some text, never an error, and the time is linear in its length; the parser
of the standard library needs quadratic time for unclosed markup.
"""

import html
import re

# `<` is markup before a letter, `/`, `!` and `?`; elsewhere it is a character people write.
_MARKUP = re.compile(
    r"<(?:(?P<comment>!--)|(?P<slash>/?)(?P<name>[a-z][a-z0-9]*+)|[!?/])", re.IGNORECASE
)
_TAG_REST = re.compile(r"[^<>]*+>?")
_UNREADABLE = {
    name: re.compile(rf"</{name}[^<>]*+>?", re.IGNORECASE) for name in ("script", "style", "title")
}
_LINE_BREAKING = re.compile(
    "address|article|blockquote|br|center|dd|div|dl|dt|footer|form|h[1-6]|header|hr|li|main|nav|ol"
    "|p|pre|section|table|tr|ul"
)
_DOCUMENT = re.compile(r"\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_WHITE_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
# More digits than any character has: int() refuses thousands of them.
_ENDLESS_REFERENCE = re.compile(r"&#[0-9]{9,}+;?")


def text_of_html(markup: str) -> str:
    """Return the text with one line for each block; lines are separated by LF, empty ones dropped.

    >>> text_of_html("<style>p {}</style><p>Room&nbsp;1<br>at <b>noon</b></p>")
    'Room 1\\nat noon'
    """
    kept: list[str] = []
    at = 0
    while found := _MARKUP.search(markup, at):
        kept.append(_WHITE_SPACE.sub(" ", markup[at : found.start()]))
        name = (found["name"] or "").lower()
        if _LINE_BREAKING.fullmatch(name):
            kept.append("\n")
        at = _markup_end(markup, found, name)
    kept.append(_WHITE_SPACE.sub(" ", markup[at:]))
    text = html.unescape(_ENDLESS_REFERENCE.sub("\ufffd", "".join(kept)))
    lines = (_WHITE_SPACE.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def is_html(text: str) -> bool:
    """Whether a text says of itself that it is HTML: it begins with a document type or `<html`."""
    return bool(_DOCUMENT.match(text))


def _markup_end(markup: str, found: re.Match[str], name: str) -> int:
    """Return where the text goes on; what is never closed hides the rest, as in a browser."""
    if found["comment"]:
        end = markup.find("-->", found.end())
        return end + 3 if end >= 0 else len(markup)
    at = _end(_TAG_REST.match(markup, found.end()), markup)
    if name in _UNREADABLE and not found["slash"]:
        return _end(_UNREADABLE[name].search(markup, at), markup)
    return at


def _end(found: re.Match[str] | None, markup: str) -> int:
    return found.end() if found else len(markup)
