"""Parameters of Content-Type and Content-Disposition (RFC 2045 section 5.1, RFC 2183, RFC 2231).

Lenient: unquoted values may contain spaces, a missing closing quote ends with the field.  When a
parameter comes twice, the first counts, and the RFC 2231 form counts more than the plain one.
Nothing raises.
"""

import re
from itertools import islice
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from mailcore.charset import decode_bytes, one_line

_MOST_PARAMETERS = 500
# Not all that str calls white space: the value may be octets read as Latin-1.
_WHITE_SPACE = " \t\r\n"
_NO_TOKEN = re.compile(r"[ \t\r\n(]")
_PARAMETER = re.compile(
    r';[ \t\r\n]*+([^ \t\r\n=;"]++)[ \t\r\n]*+=[ \t\r\n]*+(?:"((?:[^"\\]++|\\.?)*)"?|([^;]*+))',
    re.DOTALL,
)
_COMMENT_AFTER_TOKEN = re.compile(r"([^ \t\r\n(]++)[ \t\r\n]*+\([^()]*+\)")
_SECTION = re.compile(r"(.+?)\*([0-9]{1,4})(\*?)")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class _Section(NamedTuple):
    value: str
    extended: bool  # percent-encoded, RFC 2231 section 4


def parse_parameters(value: str) -> tuple[str, dict[str, str]]:
    """Return the main value and the decoded parameters; main value and names in lower case.

    >>> parse_parameters("attachment; filename*=utf-8''caf%C3%A9.txt")
    ('attachment', {'filename': 'café.txt'})
    """
    main, pairs = split_parameters(value)
    decoded: dict[str, str] = {}
    extended: dict[str, str] = {}
    for name, text in pairs:
        if name.endswith("*"):
            extended[name[:-1]] = _decode_extended(text)
        else:
            decoded[name] = one_line(text)
    return main, decoded | extended


def split_parameters(value: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the main value and the parameters as an IMAP server shows them (RFC 2231 section 6).

    Continuations are joined; a value with charset and percent-encoding keeps both, and the `*` of
    its name.
    """
    main = _NO_TOKEN.split(value.partition(";")[0].strip(_WHITE_SPACE), maxsplit=1)[0]
    plain: dict[str, str] = {}
    sections: dict[str, dict[int, _Section]] = {}
    if ";" in value:
        for found in islice(_PARAMETER.finditer(value), _MOST_PARAMETERS):
            name = found[1].lower()
            text = _parameter_value(found[2], found[3])
            section = _SECTION.fullmatch(name)
            if section is None:
                plain.setdefault(name, text)
            else:
                numbered = sections.setdefault(section[1], {})
                numbered.setdefault(int(section[2]), _Section(text, bool(section[3])))
    for name, numbered in sections.items():
        if 0 not in numbered:  # the beginning is lost, and with it the charset
            continue
        joined, extended = _join(numbered)
        plain.setdefault(f"{name}*" if extended else name, joined)
    return main.lower(), list(plain.items())


def _parameter_value(quoted: str | None, bare: str | None) -> str:
    if quoted is not None:
        return _ESCAPED.sub(r"\1", quoted) if "\\" in quoted else quoted
    text = (bare or "").strip(_WHITE_SPACE)
    commented = _COMMENT_AFTER_TOKEN.fullmatch(text)
    return commented[1] if commented else text


def _join(numbered: dict[int, _Section]) -> tuple[str, bool]:
    """Join sections 0, 1, 2 ... up to the first that is missing; extended if any of them is."""
    run: list[_Section] = []
    while (section := numbered.get(len(run))) is not None:
        run.append(section)
    if not any(section.extended for section in run):
        return "".join(section.value for section in run), False
    text = "".join(
        section.value if section.extended else section.value.replace("%", "%25") for section in run
    )
    # The charset stands in the first section; when that one is plain there is no charset.
    return (text if run[0].extended else f"''{text}"), True


def _decode_extended(text: str) -> str:
    """Decode ``charset'language'percent-encoded`` (RFC 2231 section 4)."""
    charset, _, rest = text.partition("'")
    _, apostrophe, encoded = rest.partition("'")
    if not apostrophe:
        charset, encoded = "", text
    return one_line(decode_bytes(unquote_to_bytes(encoded), charset))
