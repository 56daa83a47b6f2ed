"""What became of one mail at the MTA, as values."""

import re
from dataclasses import dataclass

from mailcore.charset import decode_bytes, one_line

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?= |\Z)")
_LONGEST_TEXT = 1000  # characters kept of a reply: it goes into a log line, a row and a notice


@dataclass(frozen=True, slots=True)
class SmtpReply:
    """A reply on one line.  Code 0: the MTA said nothing, and the text is ours.

    >>> str(SmtpReply(550, "5.1.1 no such user")), SmtpReply(550, "5.1.1 no such user").enhanced
    ('550 5.1.1 no such user', '5.1.1')
    """

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}".rstrip() if self.code else self.text

    @property
    def enhanced(self) -> str:
        """The enhanced status code the reply begins with (RFC 3463), or an empty string."""
        found = _ENHANCED.match(self.text)
        return found[0] if found else ""


def parse_reply(code: int, text: bytes) -> SmtpReply:
    """Make one line of a reply as it came, however many lines and of whatever octets.

    >>> parse_reply(250, b"2.0.0 ok\\nqueued")
    SmtpReply(code=250, text='2.0.0 ok queued')
    """
    return SmtpReply(code, one_line(decode_bytes(text))[:_LONGEST_TEXT])


@dataclass(frozen=True, slots=True)
class Sent:
    """The MTA has taken the mail: it is no longer ours."""

    reply: SmtpReply


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now.  `reachable` is False when it is the MTA that is in trouble, whatever the mail."""

    reply: SmtpReply
    reachable: bool = True


@dataclass(frozen=True, slots=True)
class Refused:
    """Never: another attempt would be refused as well."""

    reply: SmtpReply


Outcome = Sent | Deferred | Refused

# The MTA wants another greeting, TLS or other credentials (RFC 3207 section 4, RFC 4954 section 6):
# that is a fault in our settings, for which no mail may bounce.
_OUR_SETTINGS = frozenset({503, 530, 534, 535, 538})


def decide_failure(reply: SmtpReply) -> Deferred | Refused:
    """What a reply other than the hoped-for one means for the mail (RFC 5321 section 4.2.1).

    >>> decide_failure(SmtpReply(451, "4.3.0 later"))
    Deferred(reply=SmtpReply(code=451, text='4.3.0 later'), reachable=True)
    """
    if 500 <= reply.code < 600 and reply.code not in _OUR_SETTINGS:
        return Refused(reply)
    return Deferred(reply)
