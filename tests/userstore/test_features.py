"""Table 8.1 of the manual, cell by cell, and the names of the features."""

import pytest

from mailcore.errors import UsageError
from userstore.features import features_of, has_feature, parse_features
from userstore.model import FEATURES, User

ENABLED, DISABLED, NOTHING, BOTH = "enabled", "disabled", "nothing", "both"


def configured(feature: str, how: str) -> User:
    one = frozenset({feature})
    return User(
        "db:1",
        "john",
        "",
        "",
        enabled_features=one if how in {ENABLED, BOTH} else frozenset(),
        disabled_features=one if how in {DISABLED, BOTH} else frozenset(),
    )


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize(
    ("listed", "for_user", "allowed"),
    [
        (True, ENABLED, True),
        (True, DISABLED, False),
        (True, NOTHING, False),
        (False, ENABLED, True),
        (False, DISABLED, False),
        (False, NOTHING, True),
        # Not in the table: the manual only warns of it.  Disabled wins.
        (True, BOTH, False),
        (False, BOTH, False),
    ],
)
def test_access_control(feature: str, listed: bool, for_user: str, allowed: bool) -> None:
    user = configured(feature, for_user)
    everything_else = set(FEATURES) - {feature}
    for disabled in ({feature}, set(FEATURES)) if listed else (set[str](), everything_else):
        assert has_feature(user, feature, disabled) is allowed


def test_features_are_listed_in_the_manuals_order() -> None:
    assert features_of(configured("pop3", ENABLED), {"imap", "pop3"}) == (
        "pop3",
        "mobile",
        "outlook",
    )
    assert features_of(configured("imap", NOTHING), set(FEATURES)) == ()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", set()),
        ("imap pop3", {"imap", "pop3"}),
        ("IMAP, Pop3;mobile  outlook", set(FEATURES)),
        ("imap imap", {"imap"}),
    ],
)
def test_reading_names(text: str, names: set[str]) -> None:
    assert parse_features(text) == names


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="unknown feature fax, smtp; there are: imap, pop3"):
        parse_features("imap smtp fax")
