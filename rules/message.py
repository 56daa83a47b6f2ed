"""One message as the conditions of rules see it: each value is read once, for all rules and all recipients.

Nothing here raises, whatever the bytes are.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from mailcore.address import address_key
from mailcore.attachments import attached_name, attached_parts
from mailcore.automatic import why_automatic
from mailcore.envelope import Envelope
from mailcore.headers import Mailbox
from mailcore.meeting import meeting_method
from mailcore.mime import Part
from mailcore.view import MessageView
from rules.folding import Folding, fold

IMPORTANCE = ("low", "normal", "high")
SENSITIVITY = ("normal", "personal", "private", "confidential")
MOST_BODY = 1_000_000
"""Characters of the text that conditions look at; what follows is not read."""

# In the order in which they are believed: RFC 2156 section 5.3.4, then what clients write.
_IMPORTANCE_FIELDS = ("importance", "x-priority", "priority", "x-msmail-priority")
_IMPORTANCE_WORDS = {
    **dict.fromkeys(("high", "urgent", "1", "2"), 2),
    **dict.fromkeys(("normal", "3"), 1),
    **dict.fromkeys(("low", "non-urgent", "4", "5"), 0),
}
_SENSITIVITY_WORDS = {
    "personal": 1,
    "private": 2,
    "company-confidential": 3,
    "companyconfidential": 3,
    "confidential": 3,
}
_WORD = re.compile(r"[a-z0-9-]+")
_LIST_FIELDS = ("list-id", "list-post", "list-unsubscribe")
_ENCRYPTED = frozenset(
    {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}
)
_LONGEST_ADDRESS = 1_000  # characters; what is longer is nobody's
_LONGEST_SCORE_FIELD = 1_000  # characters
# `Yes, score=9.1 required=5`, `5.3 (+++++)`, `default: False [1.20 / 15.00]`
_SCORE = re.compile(r"(?:^|\b(?:score|hits)=|\[)\s*([+-]?[0-9]{1,9}(?:\.[0-9]{1,9})?)(?![0-9.])")


@dataclass(frozen=True, slots=True)
class Me:
    """For whom the rules run: my addresses and those of the groups I am in, as mailcore.address.address_key has them.

    `spam_header` names the header into which the spam filter writes its score; empty where there is none.
    """

    addresses: frozenset[str]
    groups: frozenset[str] = frozenset()
    spam_header: str = ""


class Folded:
    """A message and its envelope, with all that conditions have asked of them so far."""

    def __init__(self, view: MessageView, envelope: Envelope) -> None:
        self.view = view
        self.envelope = envelope
        self._texts: dict[tuple[str, Folding], tuple[str, ...]] = {}
        self._addresses: dict[str, frozenset[str]] = {}
        self._scores: dict[str, float | None] = {}

    def texts(self, place: str, folding: Folding) -> tuple[str, ...]:
        """The folded texts at a place: one of TEXT_PLACES, or a header's name in lower case with its colon."""
        key = (place, folding)
        found = self._texts.get(key)
        if found is None:
            read = TEXT_PLACES.get(place)
            texts = self.view.headers(place[:-1]) if read is None else read(self)
            found = self._texts[key] = tuple(fold(text, folding) for text in texts)
        return found

    def addresses(self, place: str) -> frozenset[str]:
        """The keys of the addresses at one of ADDRESS_PLACES."""
        found = self._addresses.get(place)
        if found is None:
            addresses = ADDRESS_PLACES[place](self)
            known = (one for one in addresses if 0 < len(one) <= _LONGEST_ADDRESS)
            found = frozenset(map(address_key, known))
            self._addresses[place] = found
        return found

    def spam_score(self, header: str) -> float | None:
        """What a spam filter has written into its header; None where there is no number."""
        if header not in self._scores:
            value = (self.view.header(header) or "")[:_LONGEST_SCORE_FIELD]
            found = _SCORE.search(value)
            self._scores[header] = float(found[1]) if found else None
        return self._scores[header]

    @property
    def size(self) -> int:
        """The octets of the message as it came."""
        return len(self.view.raw)

    @cached_property
    def importance(self) -> int:
        """An index of IMPORTANCE; normal where no header says."""
        words = map(self._word, _IMPORTANCE_FIELDS)
        known = (_IMPORTANCE_WORDS[word] for word in words if word in _IMPORTANCE_WORDS)
        return next(known, IMPORTANCE.index("normal"))

    @cached_property
    def sensitivity(self) -> int:
        """An index of SENSITIVITY; normal where no header says (RFC 2156 section 5.3.4)."""
        return _SENSITIVITY_WORDS.get(self._word("sensitivity"), 0)

    def _word(self, header: str) -> str:
        found = _WORD.search((self.view.header(header) or "").lower())
        return found[0] if found else ""

    @cached_property
    def date(self) -> float | None:
        """The Date field in epoch seconds; None when it is missing or no date."""
        date = self.view.date
        return None if date is None else date.timestamp()

    @cached_property
    def attachments(self) -> tuple[Part, ...]:
        """The attached files."""
        return tuple(attached_parts(self.view.root))

    @cached_property
    def method(self) -> str:
        """The iTIP method of a meeting message in upper case; empty for other mail."""
        return meeting_method(self.view.root)

    @cached_property
    def flags(self) -> frozenset[str]:
        """Those of MAIL_FLAGS that are set."""
        return frozenset(name for name, is_set in MAIL_FLAGS.items() if is_set(self))


def _written(mailboxes: Iterable[Mailbox]) -> tuple[str, ...]:
    """Names and addresses as people read them: ``Anna Berg <anna@example.org>``."""
    return tuple(f"{name} <{address}>" if name else address for name, address in mailboxes)


def _senders(mail: Folded) -> tuple[Mailbox, ...]:
    return mail.view.addresses("from") + mail.view.addresses("sender")


def _recipients(mail: Folded) -> tuple[Mailbox, ...]:
    return mail.view.to + mail.view.cc + mail.view.addresses("bcc")


TEXT_PLACES: dict[str, Callable[[Folded], Iterable[str]]] = {
    "sender": lambda mail: _written(_senders(mail)),
    "recipients": lambda mail: _written(_recipients(mail)),
    "body": lambda mail: (mail.view.text[:MOST_BODY],),
    "attachment": lambda mail: filter(None, map(attached_name, mail.attachments)),
}
"""Where texts are found besides headers: names and addresses, what the author wrote, the names of files."""

ADDRESS_PLACES: dict[str, Callable[[Folded], Iterable[str]]] = {
    "to": lambda mail: (address for _, address in mail.view.to),
    "cc": lambda mail: (address for _, address in mail.view.cc),
    "bcc": lambda mail: (address for _, address in mail.view.addresses("bcc")),
    "sender": lambda mail: (address for _, address in _senders(mail)),
    "envelope-sender": lambda mail: (mail.envelope.mail_from,),
}
"""Where addresses are found; `sender` is From and Sender."""

MAIL_FLAGS: dict[str, Callable[[Folded], bool]] = {
    "has-attachment": lambda mail: bool(mail.attachments),
    "meeting": lambda mail: bool(mail.method),
    "list": lambda mail: any(map(mail.view.has, _LIST_FIELDS)),
    "automatic": lambda mail: bool(why_automatic(mail.view)),
    "report": lambda mail: mail.view.root.content_type == "multipart/report",
    "signed": lambda mail: mail.view.root.content_type == "multipart/signed",
    "encrypted": lambda mail: mail.view.root.content_type in _ENCRYPTED,
}
"""What is true of a message for everybody."""


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a condition may look at: the mail, who I am, and the time of delivery in epoch seconds."""

    mail: Folded
    me: Me
    now: float

    @property
    def to_and_cc(self) -> frozenset[str]:
        """The keys of the addresses that every recipient can see."""
        return self.mail.addresses("to") | self.mail.addresses("cc")

    @property
    def everybody(self) -> frozenset[str]:
        """The keys of all addresses that the message is sent to, as its header says."""
        return self.to_and_cc | self.mail.addresses("bcc")


MY_FLAGS: dict[str, Callable[[Situation], bool]] = {
    "to-me": lambda at: not at.me.addresses.isdisjoint(at.mail.addresses("to")),
    "cc-me": lambda at: not at.me.addresses.isdisjoint(at.mail.addresses("cc")),
    "bcc-me": lambda at: at.to_and_cc.isdisjoint(at.me.addresses | at.me.groups),
    "only-to-me": lambda at: bool(at.everybody) and at.everybody <= at.me.addresses,
    "to-my-group": lambda at: not at.me.groups.isdisjoint(at.everybody),
}
"""What is true of a message for me.  `bcc-me`: I have got it, though neither To nor Cc names me or a group of mine."""

NUMBERS: dict[str, Callable[[Situation], float | None]] = {
    "size": lambda at: at.mail.size,
    "importance": lambda at: at.mail.importance,
    "sensitivity": lambda at: at.mail.sensitivity,
    "date": lambda at: at.mail.date,
    "received": lambda at: at.now,
    "spam_score": lambda at: at.mail.spam_score(at.me.spam_header),
}
"""Properties that can be compared; None where the message has none.  Dates are in epoch seconds."""
