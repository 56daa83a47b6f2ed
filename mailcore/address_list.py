"""Address lists of From, Sender, To, Cc and their like (RFC 5322 section 3.4), never raising.

Words are decoded only after the list is split, and only in names: an encoded word can put a comma
or an `@` into a name but can never become part of an address.  Obsolete forms (routes, comments as
names) are read; semicolons outside a group separate, as some clients write them.  The time is
linear in the length of the text.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from mailcore.charset import one_line
from mailcore.encoded_words import decode_words

_MOST_TOKENS = 100_000  # some 11,000 addresses with names; what follows is not read
# No \s: the text may be octets read as Latin-1, where it would match parts of characters.
_SPACE = r"(?P<space>[ \t\r\n]++)"
_ENCODED_WORD = r"(?P<encoded>=\?[^? \t\r\n]++\?[bBqQ]\?[^? \t\r\n]*+\?=)"
_QUOTED = r'(?P<quoted>"(?:[^"\\]++|\\.)*")'
_DOMAIN_LITERAL = r"(?P<literal>\[[^\[\]<>,]*+\])"
_SPECIAL = r"(?P<special>[()<>,;:@])"
_ATOM = r'(?P<atom>"|[^ \t\r\n"()<>,;:@]++)'
_TOKEN, _TOKEN_UNQUOTED = (
    re.compile("|".join(kinds), re.DOTALL)
    for kinds in (
        (_SPACE, _ENCODED_WORD, _QUOTED, _DOMAIN_LITERAL, _SPECIAL, _ATOM),
        (_SPACE, _ENCODED_WORD, _DOMAIN_LITERAL, _SPECIAL, _ATOM),
    )
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
# What most mail has: one mailbox, and nothing in it that means anything but itself.
_PLAIN_WORD = r"[A-Za-z0-9'_-]+"
_PLAIN_MAILBOX = re.compile(
    rf'(?:(?:({_PLAIN_WORD}(?: {_PLAIN_WORD})*)|"({_PLAIN_WORD}(?:,? {_PLAIN_WORD})*)") )?'
    r"<([A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)>"
)
_DOT_ATOM = re.compile(r'[^ \t\r\n"()<>,;:@\\\[\]]+')


class Mailbox(NamedTuple):
    """A name as people read it, perhaps empty, and an address: ``local@domain`` or a local part."""

    name: str
    address: str


class Kind(Enum):
    """What an entry of an address list is."""

    MAILBOX = "mailbox"
    GROUP_START = "group start"
    GROUP_END = "group end"


class Entry(NamedTuple):
    """One entry of an address list; names keep their encoded words, the local part has lost its
    quotes.

    `route` is the obsolete source route ``@a,@b``.
    """

    kind: Kind
    name: str = ""
    route: str = ""
    local: str = ""
    domain: str = ""


class _Token(NamedTuple):
    kind: str
    text: str  # what it stands for: without quotes and escapes
    spaced: bool  # white space or a comment stands before it


def parse_addresses(value: str) -> tuple[Mailbox, ...]:
    """Return the mailboxes of an unfolded, still encoded value; groups are flattened.

    Entries without an address are left out.

    >>> parse_addresses('"Berg, Anna" <anna@example.org>, team: ben@x;')
    (Mailbox(name='Berg, Anna', address='anna@example.org'), Mailbox(name='', address='ben@x'))
    """
    if plain := _PLAIN_MAILBOX.fullmatch(value):
        return (Mailbox(plain[1] or plain[2] or "", plain[3]),)
    return _parse_any(value)


def _parse_any(value: str) -> tuple[Mailbox, ...]:
    return tuple(
        Mailbox(one_line(decode_words(entry.name)), _address(entry))
        for entry in parse_entries(one_line(value))
        if entry.local or entry.domain
    )


def _address(entry: Entry) -> str:
    local = entry.local
    if local and not _DOT_ATOM.fullmatch(local):
        escaped = local.replace("\\", "\\\\").replace('"', '\\"')
        local = f'"{escaped}"'
    return f"{local}@{entry.domain}" if entry.domain else local


def parse_entries(text: str) -> list[Entry]:
    """Return mailboxes and the starts and ends of groups, in their order.

    >>> [entry.kind.value for entry in parse_entries("undisclosed-recipients:;")]
    ['group start', 'group end']
    """
    reader = _ListReader()
    for token in _tokens(text):
        reader.read(token)
    return reader.finish()


def _tokens(text: str) -> Iterator[_Token]:
    """Yield words, specials and the outermost comments; an unmatched parenthesis is a word."""
    found = _lex(text)
    closing = _closing_parentheses(found)
    spaced = False
    at = 0
    while at < len(found):
        token = found[at]
        kind = str(token.lastgroup)
        if at in closing:
            comment = text[token.end() : found[closing[at]].start()]
            yield _Token("comment", _ESCAPED.sub(r"\1", comment).strip(" \t\r\n"), spaced)
            at = closing[at]
            spaced = True
        elif kind == "space":
            spaced = True
        else:
            yield _Token(*_meaning(kind, token[0]), spaced)
            spaced = False
        at += 1


def _lex(text: str) -> list[re.Match[str]]:
    found: list[re.Match[str]] = []
    pattern = _TOKEN
    at = 0
    while len(found) < _MOST_TOKENS and (token := pattern.match(text, at)):
        found.append(token)
        at = token.end()
        if token[0] == '"':  # never closed; looking for the end again and again would be quadratic
            pattern = _TOKEN_UNQUOTED
    return found


def _meaning(kind: str, text: str) -> tuple[str, str]:
    if kind == "quoted":
        return kind, _ESCAPED.sub(r"\1", text[1:-1])
    if text in ("(", ")"):
        return "atom", text
    return kind, text


def _closing_parentheses(found: list[re.Match[str]]) -> dict[int, int]:
    """Return {index of an opening parenthesis: index of the one that closes it}."""
    closing: dict[int, int] = {}
    opened: list[int] = []
    for at, token in enumerate(found):
        if opened and _is_escaped(found[at - 1][0]):  # in a comment (RFC 5322 section 3.2.2)
            continue
        if token[0] == "(":
            opened.append(at)
        elif token[0] == ")" and opened:
            closing[opened.pop()] = at
    return closing


def _is_escaped(before: str) -> bool:
    """True when what follows this token has lost its meaning by a backslash."""
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


class _Place(Enum):
    """Where in a mailbox the reader is: before, inside or after the angle brackets."""

    BEFORE = "before"
    INSIDE = "inside"
    AFTER = "after"


class _ListReader:
    """Collects tokens into entries: one call of `read` for each token, then `finish`."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._in_group = False
        self._clear()

    def _clear(self) -> None:
        self._words: list[_Token] = []
        self._angle: list[_Token] = []
        self._place = _Place.BEFORE
        self._comment = ""

    def read(self, token: _Token) -> None:
        """Take one token."""
        if token.kind == "comment":
            self._comment = token.text
        elif token.kind == "special" and token.text != "@":
            self._read_special(token)
        else:
            self._keep(token)

    def _keep(self, token: _Token) -> None:
        if self._place is _Place.INSIDE:
            self._angle.append(token)
        elif self._place is _Place.BEFORE:
            self._words.append(token)
        # What stands between `>` and the next comma belongs to nothing.

    def _read_special(self, token: _Token) -> None:
        if token.text == "<":
            if self._place is not _Place.AFTER:  # a second address needs a comma before it
                self._angle = []
                self._place = _Place.INSIDE
        elif token.text == ">":
            if self._place is _Place.INSIDE:
                self._place = _Place.AFTER
        elif token.text == ":":
            self._read_colon(token)
        elif token.text == "," and self._place is _Place.INSIDE and _is_route(self._angle):
            self._keep(token)
        else:
            self._end_mailbox()
            if token.text == ";":
                self._close_group()

    def _read_colon(self, colon: _Token) -> None:
        names_group = self._place is _Place.BEFORE and self._words and not self._in_group
        if not names_group or any(map(_is_at, self._words)):
            self._keep(colon)
            return
        self._entries.append(Entry(Kind.GROUP_START, _phrase(self._words)))
        self._in_group = True
        self._clear()

    def _close_group(self) -> None:
        if self._in_group:
            self._entries.append(Entry(Kind.GROUP_END))
            self._in_group = False

    def _end_mailbox(self) -> None:
        if self._place is _Place.BEFORE:
            entry = _without_angles(self._words, self._comment)
        else:
            entry = _in_angles(_phrase(self._words) or self._comment, self._angle)
        if self._place is not _Place.BEFORE or entry.name or entry.local or entry.domain:
            self._entries.append(entry)
        self._clear()

    def finish(self) -> list[Entry]:
        """End the list and return its entries."""
        self._end_mailbox()
        self._close_group()
        return self._entries


def _is_at(token: _Token) -> bool:
    return token.kind == "special" and token.text == "@"


def _is_route(words: list[_Token]) -> bool:
    """True for ``@relay`` and what follows it, up to the colon."""
    return bool(words) and _is_at(words[0]) and words[-1].text != ":"


def _phrase(words: list[_Token]) -> str:
    return "".join(f" {word.text}" if word.spaced else word.text for word in words).lstrip(" ")


def _joined(words: list[_Token]) -> str:
    return "".join(word.text for word in words)


def _last_at(words: list[_Token]) -> int:
    """Return the index of the last `@`, or -1."""
    return next((at for at in reversed(range(len(words))) if _is_at(words[at])), -1)


def _in_angles(name: str, words: list[_Token]) -> Entry:
    route = ""
    if words and _is_at(words[0]):  # obsolete: <@relay:anna@example.org>
        colon = next((at for at, word in enumerate(words) if word.text == ":"), -1)
        route, words = _joined(words[: max(colon, 0)]), words[colon + 1 :]
    at = _last_at(words)
    if at < 0:
        return Entry(Kind.MAILBOX, name, route, _joined(words))
    return Entry(Kind.MAILBOX, name, route, _joined(words[:at]), _joined(words[at + 1 :]))


def _without_angles(words: list[_Token], comment: str) -> Entry:
    """Read ``anna@example.org (Anna)``; a single word is a local part, several are only a name."""
    at = _last_at(words)
    if at < 0:
        if len(words) == 1 and words[0].kind == "atom":
            return Entry(Kind.MAILBOX, comment, local=words[0].text)
        return Entry(Kind.MAILBOX, _phrase(words))
    start = max(at - 1, 0)
    while start > 0 and not words[start].spaced:
        start -= 1
    end = min(at + 2, len(words))
    while end < len(words) and not words[end].spaced:
        end += 1
    name = _phrase(words[:start]) or comment
    local, domain = _joined(words[start:at]), _joined(words[at + 1 : end])
    return Entry(Kind.MAILBOX, name, local=local, domain=domain)
