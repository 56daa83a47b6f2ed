"""Feature gates: what a user may use (manual, table 8.1)."""

from collections.abc import Iterable

from mailcore.errors import UsageError
from userstore.model import FEATURES, User


def parse_features(text: str) -> frozenset[str]:
    """Read a list of feature names separated by blanks, commas or semicolons, without case.

    Raises UsageError for a name that does not exist.

    >>> sorted(parse_features("IMAP pop3"))
    ['imap', 'pop3']
    """
    names = frozenset(text.casefold().replace(",", " ").replace(";", " ").split())
    unknown = names - set(FEATURES)
    if unknown:
        raise UsageError(
            f"unknown feature {', '.join(sorted(unknown))}; there are: {', '.join(FEATURES)}"
        )
    return names


def has_feature(user: User, feature: str, disabled_features: Iterable[str]) -> bool:
    """Table 8.1: disabled for the user wins, then enabled for the user, then the global list.

    >>> has_feature(User("1", "anna", "", ""), "imap", {"imap"})
    False
    """
    if feature in user.disabled_features:
        return False
    return feature in user.enabled_features or feature not in disabled_features


def features_of(user: User, disabled_features: Iterable[str]) -> tuple[str, ...]:
    """The features a user has, in the manual's order."""
    return tuple(name for name in FEATURES if has_feature(user, name, disabled_features))
