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

WORD = r"[!#$%&'*+.^_`{|}~0-9A-Za-z-]+"
"""A token of RFC 2045 section 5.1 as a regular expression."""
_MOST_PARAMETERS = 500
# Not all that str calls white space: the value may be octets read as Latin-1.
_WHITE_SPACE = " \t\r\n"
_NO_TOKEN = re.compile(r"[ \t\r\n(]")
_PARAMETER = re.compile(
    r';[ \t\r\n]*+([^ \t\r\n=;"]++)[ \t\r\n]*+=[ \t\r\n]*+(?:"((?:[^"\\]++|\\.?)*)"?|([^;]*+))',
    re.DOTALL,
)
_COMMENT_AFTER_TOKEN = re.compile(r"([^ \t\r\n(]++)[ \t\r\n]*+\([^()]*+\)")
_SECTION = re.compile(r"(.+?)\*(?:([0-9]{1,4})(\*?))?")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class _Section(NamedTuple):
    """One ``name*number=value`` or ``name*number*=value``; ``name*=value`` has number 0."""

    number: int
    extended: bool  # percent-encoded, RFC 2231 section 4
    name: str  # as written, with number and `*`
    value: str


class _Parameters(NamedTuple):
    """A field taken apart: names as written, sections by their name in lower case."""

    main: str
    plain: list[tuple[str, str]]
    sections: dict[str, list[_Section]]


def parse_parameters(value: str) -> tuple[str, dict[str, str]]:
    """Return the main value and the decoded parameters; main value and names in lower case.

    >>> parse_parameters("attachment; filename*=utf-8''caf%C3%A9.txt")
    ('attachment', {'filename': 'café.txt'})
    """
    main, plain, sections = _take_apart(value)
    decoded: dict[str, str] = {}
    for name, text in plain:
        decoded.setdefault(name.lower(), one_line(text))
    for name, numbered in sections.items():
        run = _run_from_zero(numbered)
        if run:  # else the beginning is lost, and with it the charset
            text, extended = _join(run)
            decoded[name] = _decode_extended(text) if extended else one_line(text)
    return main.lower(), decoded


def shown_parameters(value: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the main value and the parameters as an IMAP server shows them (RFC 2231 section 6).

    All are as they were written and stand in their order, but continuations are joined and come
    last, by their names.  A value with charset and percent-encoding keeps both, and the `*` of its
    name.  What cannot be joined, because a number is missing or comes twice, is shown as it is.
    """
    main, shown, sections = _take_apart(value)
    for _, numbered in sorted(sections.items()):
        run = _run_from_zero(numbered)
        if len(run) == len(numbered):
            text, extended = _join(run)
            name = run[0].name.partition("*")[0]
            shown.append((f"{name}*" if extended else name, text))
        else:
            shown += [(section.name, section.value) for section in numbered]
    return main, shown


def _take_apart(value: str) -> _Parameters:
    main = _NO_TOKEN.split(value.partition(";")[0].strip(_WHITE_SPACE), maxsplit=1)[0]
    taken = _Parameters(main, [], {})
    if ";" not in value:
        return taken
    for found in islice(_PARAMETER.finditer(value), _MOST_PARAMETERS):
        name, text = found[1], _parameter_value(found[2], found[3])
        section = _SECTION.fullmatch(name)
        if section is None:
            taken.plain.append((name, text))
        else:
            extended = section[2] is None or bool(section[3])
            numbered = taken.sections.setdefault(section[1].lower(), [])
            numbered.append(_Section(int(section[2] or 0), extended, name, text))
    for numbered in taken.sections.values():
        numbered.sort(key=lambda section: section.number)
    return taken


def _parameter_value(quoted: str | None, bare: str | None) -> str:
    if quoted is not None:
        return _ESCAPED.sub(r"\1", quoted) if "\\" in quoted else quoted
    text = (bare or "").strip(_WHITE_SPACE)
    commented = _COMMENT_AFTER_TOKEN.fullmatch(text)
    return commented[1] if commented else text


def _run_from_zero(numbered: list[_Section]) -> list[_Section]:
    """Return sections 0, 1, 2 ... up to the first that is missing; of equal numbers the first."""
    run: list[_Section] = []
    for section in numbered:
        if section.number == len(run):
            run.append(section)
    return run


def _join(run: list[_Section]) -> tuple[str, bool]:
    """Join sections; extended if any of them is."""
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
