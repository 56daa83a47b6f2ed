"""Log lines as `key=value` pairs, for people and for grep."""

import json
import re
from collections.abc import Mapping

_PLAIN = re.compile(r"[!#-<>-~]+")  # printable ASCII but blank, quote and =
_quote = json.JSONEncoder(ensure_ascii=False).encode


def log_fields(fields: Mapping[str, object]) -> str:
    """Write fields in their order; values with blanks, quotes or control characters are quoted, empty ones left out.

    >>> log_fields({"route": "inbox", "folder": "Sent Items", "rule": ""})
    'route=inbox folder="Sent Items"'
    """
    return " ".join(f"{key}={_quoted(str(value))}" for key, value in fields.items() if value != "")


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    if value.isprintable() and not any(c in value for c in ' "='):
        return value
    return _quote(value)


class LogFields:
    """Fields on their way to the log: `str()` writes them as `log_fields` does, a JSON log takes them as they are."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self.fields = {key: value for key, value in fields.items() if value != ""}

    def __str__(self) -> str:
        return log_fields(self.fields)
