"""Folding: which texts are the same to a rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.folding import Folding, fold

EXACT = Folding(case=True, accents=True)
CASELESS = Folding()
LOOSE = Folding(accents=False)
LETTERS = Folding(case=True, accents=False)


@pytest.mark.parametrize(
    ("one", "other", "same_in"),
    [
        ("Lunch", "lunch", {CASELESS, LOOSE}),
        ("STRASSE", "stra\u00dfe", {CASELESS, LOOSE}),
        ("caf\u00e9", "cafe\u0301", {EXACT, CASELESS, LOOSE, LETTERS}),  # composed or not
        ("caf\u00e9", "cafe", {LOOSE, LETTERS}),
        ("CAF\u00c9", "cafe", {LOOSE}),
        ("\uff32\uff4f\uff4f\uff4d", "room", {CASELESS, LOOSE}),  # full width
        ("\ufb01n", "fin", {CASELESS, LOOSE, LETTERS}),  # a ligature
        ("un\u00adseen\u200b", "unseen", {CASELESS, LOOSE}),
        ("\u0130", "i\u0307", {CASELESS, LOOSE}),  # Turkish
        (
            "\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2",
            "\u03c3\u03b9\u03c3\u03c5\u03c6\u03bf\u03c3",
            {LOOSE},
        ),  # Greek
        (
            "\u05e9\u05b8\u05dc\u05d5\u05dd",
            "\u05e9\u05dc\u05d5\u05dd",
            {LOOSE, LETTERS},
        ),  # Hebrew points
        ("\u304c", "\u304b", set()),  # ga and ka are two syllables
        ("\ub2e8", "\ub2e4", set()),  # Hangul is not taken apart
        ("\u0915\u094d", "\u0915", set()),  # a virama
    ],
)
def test_what_is_the_same(one: str, other: str, same_in: set[Folding]) -> None:
    foldings = (EXACT, CASELESS, LOOSE, LETTERS)
    assert {how for how in foldings if fold(one, how) == fold(other, how)} == same_in


@given(text=st.text(), folding=st.builds(Folding, st.booleans(), st.booleans()))
def test_to_fold_again_changes_nothing(text: str, folding: Folding) -> None:
    folded = fold(text, folding)
    assert fold(folded, folding) == folded


@pytest.mark.parametrize(
    ("marks", "folding"),
    [
        *(("\u0301\u0323", folding) for folding in (EXACT, CASELESS, LOOSE, LETTERS)),
        ("\u0344\u0323", EXACT),  # the first is two marks in one
        ("\uff9e\u0345", CASELESS),  # the first becomes a mark
        ("\u00ad\u0301\u0323", CASELESS),  # what is not seen keeps no marks apart
    ],
)
def test_marks_without_end_cost_no_time(marks: str, folding: Folding) -> None:
    assert len(fold("e" + marks * 100_000, folding)) < 100  # to order them all takes a minute
