"""Hiding passwords in what people get to see: logs, error messages, `--dump-config`."""

import re

HIDDEN = "***"

# Up to the last @: a password may hold characters that should have been percent-encoded.
_USER_INFO = re.compile(r"(://[^/?#@:]*:)\S*@")
_PARAMETER = re.compile(r"([?&][^=&#]*(?:pass|secret|token)[^=&#]*=)[^&#]*", re.IGNORECASE)


def hide_passwords(text: str) -> str:
    """The text with the password of every URL in it replaced, in its user part and in its parameters.

    >>> hide_passwords("postgresql://kopano:s%40me@db/kopano?sslpassword=x&sslmode=require")
    'postgresql://kopano:***@db/kopano?sslpassword=***&sslmode=require'
    """
    return _PARAMETER.sub(rf"\1{HIDDEN}", _USER_INFO.sub(rf"\1{HIDDEN}@", text))
