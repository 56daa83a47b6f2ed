"""Audit lines: who got in, and who got at whose mailbox (manual, chapter 7.3).  No I/O.

They are for the logger `AUDIT`, which dagent.audit_log sends to where the settings say.
"""

from collections.abc import Mapping

AUDIT = "audit"
"""The name of the logger."""

_LONGEST = 200
"""Characters of a value that are shown: a name is shorter, unless somebody wants to fill the log."""


def audit_line(what: str, fields: Mapping[str, str | int] | None = None) -> str:
    """What happened, and then its fields in their order, as scripts that read such logs know them.

    A text is quoted and cannot look like anything else: quotes, backslashes and whatever cannot be printed are
    escaped as in a Python string.  A number stands as it is.

    >>> print(audit_line("authenticate failed", {"user": "john' from='x", "from": "192.0.2.1"}))
    authenticate failed user='john\\' from=\\'x' from='192.0.2.1'
    """
    return " ".join(
        [what, *(f"{name}={_written(value)}" for name, value in (fields or {}).items())]
    )


def _written(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    shown = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}..."
    return f"'{''.join(map(_escaped, shown))}'"


def _escaped(character: str) -> str:
    if character in "'\\":
        return f"\\{character}"
    return character if character.isprintable() else repr(character)[1:-1]
