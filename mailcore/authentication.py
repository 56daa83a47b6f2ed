"""What the own MX found out about the sender of a message: Authentication-Results (RFC 8601).

A field is believed for the name (authserv-id) under which the MX writes, and of that name the topmost alone: what
stands further down may have come with the message.  The MX has to take such fields out of what arrives from outside
(RFC 8601 section 5), and to write all its results into one field; a filter that adds one of its own has to come last
and to know the results of the others, as one for DMARC does.

Known limits: a field without an authserv-id, as Exchange Online writes it, is nobody's.  Domains are aligned when they
are equal or one lies in the other; there is no list of public suffixes here, so that a domain vouches for all that
is below it, and who could sign for `co.uk` would for `example.co.uk`.  ARC plays no part.
"""

import re
from typing import NamedTuple

from mailcore.address import address_key
from mailcore.headers import unfold
from mailcore.view import MessageView

_FIELD = "authentication-results"
_LONGEST = 50_000  # characters; of a longer field nothing is believed
_QUOTED = r'"(?:[^"\\]++|\\.)*+"'
_AUTHSERV_ID = re.compile(rf'\s*+({_QUOTED}|[^\s;"=/]++)(?=\s|\Z)')
_METHOD = re.compile(r"\s*+([A-Za-z0-9-]++)\s*+(?:/\s*+[0-9]++\s*+)?=\s*+([A-Za-z0-9-]++)(?=\s|\Z)")
_PROPERTY = re.compile(
    r"\s++([A-Za-z0-9-]++(?:\s*+\.\s*+[A-Za-z0-9_-]++)?)\s*+="
    rf'\s*+((?:{_QUOTED}|[^\s"]++)++)(?=\s|\Z)'
)
_SPACE = re.compile(r"\s++")
_ESCAPED = re.compile(r"\\(.)")


class _Result(NamedTuple):
    """One method's result; all in lower case but the values, and of equal properties the first."""

    method: str
    result: str
    properties: dict[str, str]


def vouched(view: MessageView, authserv_id: str, domain: str) -> bool | None:
    """Tell whether the MX that writes as `authserv_id` vouches for mail from a domain, that of From.

    It does so by one of: auth=pass, for a client that has logged in; dmarc=pass for the domain; dkim=pass with an
    aligned header.d (without one, header.i); spf=pass with an aligned smtp.mailfrom.  Where DMARC failed, the last two
    do not count.  None when the MX has written no field: it has not judged the message.
    """
    for field in view.fields:
        if field.name.lower() != _FIELD:
            continue
        text = unfold(field.value)
        pieces = _pieces(text[:_LONGEST])
        if _is_from(pieces[0], authserv_id):
            believed = pieces[1:] if len(text) <= _LONGEST else []
            results = [found for piece in believed if (found := _result(piece))]
            return _judge(results, _folded(domain))
    return None


def _is_from(piece: str, authserv_id: str) -> bool:
    found = _AUTHSERV_ID.match(piece)
    return found is not None and _plain(found[1]).lower() == authserv_id.strip().lower()


def _judge(results: list[_Result], domain: str) -> bool:
    passed = [one for one in results if one.result == "pass"]
    if any(one.method == "auth" for one in passed):
        return True
    if not domain:
        return False
    dmarc = [one for one in passed if one.method == "dmarc"]
    if any(_aligned(_folded(one.properties.get("header.from", domain)), domain) for one in dmarc):
        return True
    if any((one.method, one.result) == ("dmarc", "fail") for one in results):
        return False
    return any(_aligned(_authenticated(one), domain) for one in passed)


def _authenticated(passed: _Result) -> str:
    """The domain that a signature or a return path stands for; empty without one."""
    properties = passed.properties
    if passed.method == "dkim":
        return _folded(properties.get("header.d") or properties.get("header.i", ""))
    return _folded(properties.get("smtp.mailfrom", "")) if passed.method == "spf" else ""


def _aligned(one: str, other: str) -> bool:
    """Whether two folded domains are equal, or one lies in the other, which then has a dot in it.

    >>> _aligned("mail.example.org", "example.org"), _aligned("badexample.org", "example.org")
    (True, False)
    """
    if one == other:
        return bool(one)
    short, long = sorted((one, other), key=len)
    return "." in short and long.endswith(f".{short}")


def _folded(value: str) -> str:
    """The domain in a domain name or an address, as mailcore.inside compares them."""
    domain = value.strip("<> ").rpartition("@")[2].rstrip(".")
    return address_key(f"@{domain}")[1:] if domain else ""


def _result(piece: str) -> _Result | None:
    """Read one `method=result property=value ...`; None for what is none, to its last character."""
    method = _METHOD.match(piece)
    if method is None:
        return None
    properties: dict[str, str] = {}
    place = method.end()
    while found := _PROPERTY.match(piece, place):
        properties.setdefault(_SPACE.sub("", found[1]).lower(), _plain(found[2]))
        place = found.end()
    if piece[place:].strip():
        return None  # no half of a value that holds blanks
    return _Result(method[1].lower(), method[2].lower(), properties)


def _plain(value: str) -> str:
    """A value without quotes; those of a local part stay, since they may hold an `@`."""
    whole = len(value) > 1 and value[0] == value[-1] == '"'
    return _ESCAPED.sub(r"\1", value[1:-1]) if whole else value


def _pieces(text: str) -> list[str]:
    """What stands between the semicolons, comments (which nest) as blanks; the last one only if it is complete.

    >>> _pieces('mx; spf=pass (a (b); c) x="1;2"; none')
    ['mx', ' spf=pass    x="1;2"', ' none']
    """
    pieces: list[list[str]] = [[]]
    depth, quoted, escaped = 0, False, False
    for character in text:
        piece = pieces[-1]
        if not depth and (quoted or character not in "(;"):
            piece.append(character)
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = quoted or depth > 0
        elif character == '"' and not depth:
            quoted = not quoted
        elif character == "(" and not quoted:
            depth += 1
            piece.append(" ")
        elif character == ")" and depth:
            depth -= 1
        elif character == ";" and not quoted and not depth:
            pieces.append([])
    if quoted or depth:
        pieces[-1].clear()
    return ["".join(piece) for piece in pieces]
