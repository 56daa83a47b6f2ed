"""The argument of MAIL and RCPT: a path and its parameters (RFC 5321 sections 4.1.2, 4.1.3).

`<>`, `<user@domain>`, quoted local parts, address literals and UTF-8 (RFC 6531) are read; a source
route is accepted and dropped (RFC 5321 appendix C). A local part alone is accepted: `<postmaster>`
by section 4.5.1, and `<anna>` because user names are addresses for local delivery.

More is let through than the grammar allows where real senders differ and nothing can go wrong: dots
anywhere in the local part, underscores in the domain, local parts of up to 255 octets, a space
after the colon. Refused are paths without brackets, control characters and blanks outside quotes,
and empty labels in the domain.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mailcore.errors import PermanentError

MAX_HALF_OCTETS = 255
"""The longest local part, and the longest domain, in octets of UTF-8."""

# What an unquoted local part consists of: everything but blanks, controls and the specials; dots
# are let through.
_ATOM = r'[^\s\x00-\x20\x7f-\x9f<>()\[\]\\,;:@"]+'
_QUOTED = r'"(?:[^"\\\x00-\x1f\x7f-\x9f]|\\[ -~])*"'
# Written as what a label cannot contain, so that letters of all scripts and their combining marks
# remain.
_LABEL = r"[^\s\x00-,./:-@\[-^`{-\x9f]+"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_LITERAL = r"\[[!-Z^-~]+\]"
_ROUTE = rf"@{_DOMAIN}(?:,@{_DOMAIN})*:"

_PATH = re.compile(
    rf"<(?:{_ROUTE})?(?:(?P<atom>{_ATOM})|(?P<quoted>{_QUOTED}))(?:@(?P<domain>{_DOMAIN}|{_LITERAL}))?>"
)
_BARE_LOCAL = re.compile(rf"{_ATOM}\Z")
_ESCAPED = re.compile(r"\\(.)")
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^\s\x00-\x20=\x7f-\x9f]+))?")


class ArgumentSyntaxError(PermanentError):
    """The argument as a whole is not what the command takes."""


class AddressSyntaxError(ArgumentSyntaxError):
    """The argument has its brackets, but what stands in them is no address."""


@dataclass(frozen=True, slots=True)
class PathArgument:
    """What the command names.

    `address` has no brackets and is empty for `<>`; `parameters` are by upper-case keyword, with
    None where no value was given.
    """

    address: str
    parameters: Mapping[str, str | None]


def parse_path_argument(keyword: str, argument: str) -> PathArgument:
    """Read what follows MAIL (`keyword` is ``FROM``) or RCPT (``TO``) on the command line.

    Raises AddressSyntaxError for a bad address, ArgumentSyntaxError for anything else.

    >>> parse_path_argument("FROM", "FROM:<anna@example.org> SIZE=300")
    PathArgument(address='anna@example.org', parameters={'SIZE': '300'})
    """
    word, colon, rest = argument.partition(":")
    if not colon or word.upper() != keyword:
        raise ArgumentSyntaxError(f"expected {keyword}:<address>")
    address, tail = _split_path(rest.lstrip(" "))
    return PathArgument(address, _parse_parameters(tail) if tail else {})


def _split_path(text: str) -> tuple[str, str]:
    """Return the address and what follows the closing bracket."""
    if not text.startswith("<"):
        raise ArgumentSyntaxError("the address needs angle brackets")
    if text.startswith("<>"):
        return "", text[2:]
    match = _PATH.match(text)
    if match is None:
        raise AddressSyntaxError("bad address syntax")
    local = match["atom"] or canonical_quoted(match["quoted"])
    domain = match["domain"]
    if _octets(local) > MAX_HALF_OCTETS or (domain and _octets(domain) > MAX_HALF_OCTETS):
        raise AddressSyntaxError("the address is too long")
    return (f"{local}@{domain}" if domain else local), text[match.end() :]


def canonical_quoted(quoted: str) -> str:
    """Return a quoted local part in its shortest spelling, without quotes where none are needed.

    The spellings name the same mailbox (RFC 5321 section 4.1.2), so only one of them travels on.
    """
    plain = _ESCAPED.sub(r"\1", quoted[1:-1])
    if _BARE_LOCAL.match(plain):
        return plain
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _octets(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _parse_parameters(tail: str) -> dict[str, str | None]:
    """Read ` KEYWORD=value KEYWORD ...` (RFC 5321 section 4.1.1.11)."""
    if not tail.startswith(" "):
        raise ArgumentSyntaxError("unexpected text after the address")
    parameters: dict[str, str | None] = {}
    for word in tail.split(" "):
        if not word:
            continue
        match = _PARAMETER.fullmatch(word)
        if match is None:
            raise ArgumentSyntaxError("bad parameter syntax")
        name = match[1].upper()
        if name in parameters:
            raise ArgumentSyntaxError(f"parameter {name} is given twice")
        parameters[name] = match[2]
    return parameters
