"""The form in which two texts are compared (the Unicode Standard, section 3.13, and its annex 15).

Case is ignored by case folding and NFKC, and characters that nobody sees count for nothing: neither a soft hyphen nor a
full-width letter hides a word.  Where accents are ignored too, diacritics are taken off their letters; marks that make
another letter or syllable (Japanese voicing, Indic vowels, viramas) stay.

Limit: of the marks on one letter the first thirty count (annex 15, Stream-Safe Text Format).  To order more
takes quadratic time.
"""

import re
from collections.abc import Callable
from typing import NamedTuple
from unicodedata import combining, normalize


class Folding(NamedTuple):
    """What counts when texts are compared."""

    case: bool = False
    accents: bool = True


PLAIN = Folding()

# What Unicode calls default-ignorable: soft hyphens, joiners, marks of direction, variation
# selectors, fillers, tags.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
# Where more marks may stand on one letter than any language has: none is below U+0300.
_CROWDED = re.compile("[\u0300-\U0010ffff]{31,}")
_MOST_MARKS = 30
# Without a combining class of their own, but with a mark in their decomposition.
_MARKS_INSIDE = frozenset("\u0f73\u0f75\u0f81\uff9e\uff9f")
# Canonical combining classes: points of Hebrew and Arabic; marks above, below and through a letter.
_POINTS = range(10, 37)
_FIRST_MARK = 200


def fold(text: str, folding: Folding = PLAIN) -> str:
    """Return `text` in the form in which it is compared; to fold that again changes nothing.

    >>> fold("STRA\u00dfE"), fold("Cafe\u0301") == fold("CAF\u00c9")
    ('strasse', True)
    >>> fold("Cr\u00e8me", Folding(case=True, accents=False))
    'Creme'
    """
    if text.isascii():
        return text if folding.case else text.lower()
    if not folding.case:
        text = _UNSEEN.sub("", text)
    return _FOLDERS[folding](_CROWDED.sub(_with_fewer_marks, text))


def _with_fewer_marks(crowd: re.Match[str]) -> str:
    kept: list[str] = []
    marks = 0
    for one in crowd[0]:
        marks = marks + 1 if combining(one) or one in _MARKS_INSIDE else 0
        if marks <= _MOST_MARKS:
            kept.append(one)
    return "".join(kept)


def _caseless(text: str) -> str:
    # Folding can undo the normal form, and the normal form the folding; twice is enough (D146).
    return normalize("NFKC", normalize("NFKC", normalize("NFD", text).casefold()).casefold())


def _without_accents(text: str) -> str:
    kept = (one for one in normalize("NFKD", text) if not _is_diacritic(combining(one)))
    return normalize("NFC", "".join(kept))


def _is_diacritic(combining_class: int) -> bool:
    return combining_class >= _FIRST_MARK or combining_class in _POINTS


_FOLDERS: dict[Folding, Callable[[str], str]] = {
    Folding(case=True, accents=True): lambda text: normalize("NFC", text),
    Folding(case=True, accents=False): _without_accents,
    Folding(case=False, accents=True): _caseless,
    Folding(case=False, accents=False): lambda text: _without_accents(_caseless(text)),
}
