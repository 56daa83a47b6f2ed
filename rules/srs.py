"""The Sender Rewriting Scheme: what is passed on to the outside bears a sender of ours, and reports find the way back.

An address is signed with HMAC-SHA1, cut to four characters of base64, and a day number modulo 1024 in two characters
of base32, as libsrs2 and Debian's postsrsd do it: with the same secret each of them reads what the other has written.
`ben@example.net` becomes `SRS0=HHHH=TT=example.net=ben@OURS`; an address that another forwarder has rewritten becomes
`SRS1=HHHH=FORWARDER==HHH=TT=example.net=ben@OURS`, whose way back leads over that forwarder.  Relays may change the
case of letters, so it counts nowhere.

Known limits: the signature does not cover the place where the domain ends and the local part begins (the scheme
forbids it), and a quoted local part is quoted anew as a whole, where postsrsd leaves quotes in the middle.
"""

import hmac
import re
from base64 import b64encode
from dataclasses import dataclass, field

from mailcore.address import address_key
from mailcore.errors import NoSuchRecipientError, PermanentError, UsageError
from mailcore.header_text import header_address
from mailcore.path import MAX_HALF_OCTETS, canonical_quoted, parse_path_argument

MAX_AGE_DAYS = 21
"""How long a rewritten address is good: reports that matter come within a week."""

_HASH_CHARACTERS = 4  # some twenty bits, since case is lost on the way
_DAYS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_DAY_SECONDS = 86_400
_CYCLE = len(_DAYS) ** 2  # days until a stamp comes again
_FLAGS = re.ASCII | re.IGNORECASE | re.DOTALL
_REWRITTEN = re.compile(r"SRS[01][=+-]", _FLAGS)
_SRS0 = re.compile(r"SRS0[=+-]([a-z0-9+/]{4,27})=([a-z2-7]{2})=([^=]+)=(.+)", _FLAGS)
_SRS1 = re.compile(r"SRS1[=+-]([a-z0-9+/]{4,27})=([^=]+)=([=+-].*)", _FLAGS)
_ANY_SRS1 = re.compile(r"SRS1[=+-][^=]+=([^=]+)=([=+-].*)", _FLAGS)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL = re.compile(r'([\\"])')


class SrsRefusedError(NoSuchRecipientError):
    """An address that looks like one we have rewritten, and is forged, damaged or too old (550 5.1.1)."""


@dataclass(frozen=True, slots=True)
class Srs:
    """Rewriting for one site.

    `domain` is the one of rewritten addresses, which has to be routed to us (`srs_domain`); the first of `secrets`
    signs, all of them verify (`srs_secret`); `own_domains` are those whose mail comes here anyway.
    Raises UsageError where a secret is missing or the domain is none.
    """

    domain: str
    secrets: tuple[str, ...] = field(repr=False)
    own_domains: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not _is_address(f"srs@{self.domain}"):
            raise UsageError(
                f"srs_domain: {self.domain!r} is no domain; expected one like srs.example.org"
            )
        if not self.secrets or not all(self.secrets):
            raise UsageError("srs_secret: expected at least one secret, and none that is empty")

    def envelope_sender(self, mail_from: str, rcpt_to: str, now: float) -> str:
        """The envelope sender under which a mail of `mail_from` is passed on to `rcpt_to`; `now` is in epoch seconds.

        As it is: the null sender, one of our own domains or without a domain, and any for a recipient of ours.  Null,
        because no report could come back, where the rewritten local part would be longer than 255 octets.
        """
        if self._is_ours(mail_from) or self._is_ours(rcpt_to):
            return mail_from
        local, _, domain = header_address(mail_from).rpartition("@")
        rewritten = _quoted(self._rewrite(_unquoted(local), domain, now))
        return f"{rewritten}@{self.domain}" if _octets(rewritten) <= MAX_HALF_OCTETS else ""

    def _rewrite(self, local: str, domain: str, now: float) -> str:
        if _REWRITTEN.match(local):
            if (
                local[3] == "0"
            ):  # what follows SRS0 is the other forwarder's, its separator included
                return self._srs1(domain, local[4:])
            if found := _ANY_SRS1.fullmatch(local):
                return self._srs1(found[1], found[2])
        stamp = _stamp(now)
        return f"SRS0={self._sign(stamp, domain, local)}={stamp}={domain}={local}"

    def _srs1(self, forwarder: str, rest: str) -> str:
        return f"SRS1={self._sign(forwarder, rest)}={forwarder}={rest}"

    def original_recipient(self, address: str, now: float) -> str | None:
        """Whom a report to `address` is for; None where it is no rewritten address of ours.

        Raises SrsRefusedError where it is one by its looks, but not by its signature, its age or its form.
        """
        local, _, domain = address.rpartition("@")
        local = _unquoted(local)
        if _key(domain) != _key(self.domain) or not _REWRITTEN.match(local):
            return None
        if found := _SRS0.fullmatch(local):
            signature, stamp, sender_domain, sender = found.groups()
            self._verify(address, signature, stamp, sender_domain, sender)
            if (_day(now) - _day_of(stamp)) % _CYCLE > MAX_AGE_DAYS:
                raise SrsRefusedError(f"{address}: rewritten more than {MAX_AGE_DAYS} days ago")
            original = f"{_quoted(sender)}@{sender_domain}"
        elif found := _SRS1.fullmatch(local):
            signature, forwarder, rest = found.groups()
            self._verify(address, signature, forwarder, rest)
            original = f"{_quoted(f'SRS0{rest}')}@{forwarder}"
        else:
            raise SrsRefusedError(f"{address}: not the form of a rewritten address")
        if not _is_address(original):
            raise SrsRefusedError(f"{address}: what it stands for is no address")
        return original

    def _is_ours(self, address: str) -> bool:
        domain = _key(address.rpartition("@")[2]) if "@" in address else ""
        return not domain or domain in {_key(self.domain), *map(_key, self.own_domains)}

    def _sign(self, *parts: str) -> str:
        return _hash(self.secrets[0], parts)[:_HASH_CHARACTERS]

    def _verify(self, address: str, signature: str, *parts: str) -> None:
        given = signature.lower().encode()
        hashes = (_hash(secret, parts)[: len(given)] for secret in self.secrets)
        if not any(hmac.compare_digest(one.lower().encode(), given) for one in hashes):
            raise SrsRefusedError(f"{address}: the signature is not ours")


def _hash(secret: str, parts: tuple[str, ...]) -> str:
    signed = "".join(parts).encode("utf-8", "surrogatepass").lower()  # bytes: only ASCII is lowered
    return b64encode(hmac.digest(secret.encode(), signed, "sha1")).decode().rstrip("=")


def _day(now: float) -> int:
    return int(now // _DAY_SECONDS)


def _stamp(now: float) -> str:
    high, low = divmod(_day(now) % _CYCLE, len(_DAYS))
    return _DAYS[high] + _DAYS[low]


def _day_of(stamp: str) -> int:
    high, low = map(_DAYS.index, stamp.upper())
    return high * len(_DAYS) + low


def _key(domain: str) -> str:
    return address_key(f"@{domain}")[1:]


def _unquoted(local: str) -> str:
    if len(local) > 1 and local[0] == local[-1] == '"':
        return _ESCAPED.sub(r"\1", local[1:-1])
    return local


def _quoted(plain: str) -> str:
    """A local part in its shortest spelling (RFC 5321 section 4.1.2)."""
    escaped = _SPECIAL.sub(r"\\\1", plain)
    return canonical_quoted(f'"{escaped}"')


def _is_address(address: str) -> bool:
    try:
        return parse_path_argument("TO", f"TO:<{address}>").address == address
    except PermanentError:
        return False


def _octets(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
