"""Passwords as the db plugin keeps them: argon2id, each with a salt of its own (RFC 9106)."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from mailcore.errors import UsageError

_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """What is kept of a password; raises UsageError for what no one can type again."""
    try:
        return _hasher.hash(password)
    except UnicodeEncodeError as error:
        raise UsageError("password: expected text; the locale's charset is another one") from error


def is_right(stored: str, password: str) -> bool:
    """Whether the password is the one of which `stored` was kept.

    Where nothing was kept (empty) it never is, and finding that out takes as long: tens of milliseconds of one core.
    """
    try:
        _hasher.verify(stored or _nobodys(), password)
    except (VerifyMismatchError, InvalidHashError, UnicodeEncodeError):
        return False
    return bool(stored)


@cache
def _nobodys() -> str:
    return _hasher.hash(secrets.token_hex())
