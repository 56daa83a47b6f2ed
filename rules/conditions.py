"""Conditions as values: each knows whether it holds, what it looked at, and how it is said in words.

A comparison with what the message does not have is false, whichever way it compares.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from rules.folding import Folding
from rules.message import IMPORTANCE, MY_FLAGS, NUMBERS, SENSITIVITY, Situation

NOTHING = "nothing"
"""What a condition has seen where there was nothing to look at."""
TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": operator.contains,
    "is": operator.eq,
    "prefix": str.startswith,
}
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "eq": operator.eq,
    "ne": operator.ne,
}
LEVELS = {"importance": IMPORTANCE, "sensitivity": SENSITIVITY}
"""Properties whose values have names, in ascending order."""
DATES = frozenset({"date", "received"})

_SHOWN = 80  # characters of a text
_MOST_SHOWN = 3  # texts


@dataclass(frozen=True, slots=True)
class Content:
    """True when one of the texts at a place (rules.message.Folded.texts) contains, is or begins with a folded text."""

    place: str
    test: str
    text: str
    folding: Folding

    def holds(self, at: Situation) -> bool:
        """Whether it is true."""
        test, text = TESTS[self.test], self.text
        return any(test(value, text) for value in at.mail.texts(self.place, self.folding))

    def seen(self, at: Situation) -> str:
        """The folded texts, shortened around the place of the match."""
        values = at.mail.texts(self.place, self.folding)
        shown = [_shorten(value, value.find(self.text)) for value in values[:_MOST_SHOWN]]
        more = [f"{len(values) - _MOST_SHOWN} more"] if len(values) > _MOST_SHOWN else []
        return ", ".join([*map(repr, shown), *more]) or NOTHING

    def __str__(self) -> str:
        case = ", case counts" if self.folding.case else ""
        accents = "" if self.folding.accents else ", without accents"
        return f"{self.place.rstrip(':')} {self.test} {_shorten(self.text)!r}{case}{accents}"


@dataclass(frozen=True, slots=True)
class Compare:
    """True when a property of the message (rules.message.NUMBERS) compares so to a number."""

    name: str
    comparison: str
    number: float

    def holds(self, at: Situation) -> bool:
        """Whether it is true."""
        value = NUMBERS[self.name](at)
        return value is not None and COMPARISONS[self.comparison](value, self.number)

    def seen(self, at: Situation) -> str:
        """The property."""
        value = NUMBERS[self.name](at)
        return NOTHING if value is None else self._shown(value)

    def _shown(self, value: float) -> str:
        if self.name in LEVELS:
            return LEVELS[self.name][int(value)]
        if self.name in DATES:
            return datetime.fromtimestamp(value, UTC).isoformat(" ", "seconds")
        return str(value)

    def __str__(self) -> str:
        return f"{self.name} {self.comparison} {self._shown(self.number)}"


@dataclass(frozen=True, slots=True)
class Flags:
    """A mask of flags (rules.message.MAIL_FLAGS and MY_FLAGS): true when one of them is set, or with `unset` none."""

    mask: tuple[str, ...]
    unset: bool = False

    def holds(self, at: Situation) -> bool:
        """Whether it is true."""
        return any(_is_set(flag, at) for flag in self.mask) is not self.unset

    def seen(self, at: Situation) -> str:
        """Those of the mask that are set."""
        return ", ".join(flag for flag in self.mask if _is_set(flag, at)) or NOTHING

    def __str__(self) -> str:
        if len(self.mask) == 1:
            return f"not {self.mask[0]}" if self.unset else self.mask[0]
        return f"{'none' if self.unset else 'one'} of {', '.join(self.mask)}"


def _is_set(flag: str, at: Situation) -> bool:
    mine = MY_FLAGS.get(flag)
    return flag in at.mail.flags if mine is None else mine(at)


@dataclass(frozen=True, slots=True)
class Exists:
    """True when the message has a header of that name."""

    header: str

    def holds(self, at: Situation) -> bool:
        """Whether it is true."""
        return at.mail.view.has(self.header)

    def seen(self, at: Situation) -> str:
        """How many there are."""
        return f"{at.mail.view.count(self.header)} of them"

    def __str__(self) -> str:
        return f"there is a header {self.header}"


@dataclass(frozen=True, slots=True)
class Address:
    """True when one of `who` is among the addresses at one of the places (rules.message.ADDRESS_PLACES).

    `who` are address keys; one that begins with `@` stands for all addresses of that domain.
    """

    who: frozenset[str]
    places: tuple[str, ...]

    def holds(self, at: Situation) -> bool:
        """Whether it is true."""
        return any(self._named(at.mail.addresses(place)) for place in self.places)

    def _named(self, addresses: frozenset[str]) -> bool:
        return not self.who.isdisjoint(addresses) or any(
            address[address.rfind("@") :] in self.who for address in addresses
        )

    def seen(self, at: Situation) -> str:
        """The addresses there."""
        found = sorted({one for place in self.places for one in at.mail.addresses(place)})
        return _shorten(", ".join(found)) or NOTHING

    def __str__(self) -> str:
        return f"{' or '.join(self.places)} names {_shorten(' or '.join(sorted(self.who)))}"


@dataclass(frozen=True, slots=True)
class AttachmentType:
    """True when an attached file has that media type; ``image/*`` stands for all pictures."""

    media_type: str

    def holds(self, at: Situation) -> bool:
        """Whether it is true."""
        return any(self._fits(part.content_type) for part in at.mail.attachments)

    def _fits(self, content_type: str) -> bool:
        if self.media_type.endswith("/*"):
            return content_type.startswith(self.media_type[:-1])
        return content_type == self.media_type

    def seen(self, at: Situation) -> str:
        """The types of the attached files."""
        return _shorten(", ".join(part.content_type for part in at.mail.attachments)) or NOTHING

    def __str__(self) -> str:
        return f"an attachment is {self.media_type}"


@dataclass(frozen=True, slots=True)
class Meeting:
    """True when the message is a meeting message with that iTIP method (RFC 5546 section 1.4)."""

    method: str

    def holds(self, at: Situation) -> bool:
        """Whether it is true."""
        return at.mail.method == self.method

    def seen(self, at: Situation) -> str:
        """The method."""
        return _shorten(at.mail.method) or NOTHING

    def __str__(self) -> str:
        return f"a meeting's {self.method}"


@dataclass(frozen=True, slots=True)
class All:
    """True when every condition is; so true for none at all."""

    conditions: tuple["Condition", ...]

    def holds(self, at: Situation) -> bool:
        """Whether it is true."""
        return all(condition.holds(at) for condition in self.conditions)

    def __str__(self) -> str:
        return "all of" if self.conditions else "always"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when one of the conditions is."""

    conditions: tuple["Condition", ...]

    def holds(self, at: Situation) -> bool:
        """Whether it is true."""
        return any(condition.holds(at) for condition in self.conditions)

    def __str__(self) -> str:
        return "any of" if self.conditions else "never"


@dataclass(frozen=True, slots=True)
class Not:
    """True when the condition is not."""

    condition: "Condition"

    def holds(self, at: Situation) -> bool:
        """Whether it is true."""
        return not self.condition.holds(at)

    def __str__(self) -> str:
        return "not"


Test = Content | Compare | Flags | Exists | Address | AttachmentType | Meeting
"""What looks at the message itself; the others combine."""
Condition = Test | All | AnyOf | Not
ALWAYS = All(())


def _shorten(text: str, found: int = -1) -> str:
    """The beginning of a text, or what stands around the offset `found`."""
    start = max(found - _SHOWN // 4, 0)
    if start + _SHOWN >= len(text):
        start = max(len(text) - _SHOWN, 0)
    end = start + _SHOWN
    return f"{'...' if start else ''}{text[start:end]}{'...' if end < len(text) else ''}"
