"""What kopano-admin prints: lines, pairs, tables, JSON and mails.

JSON is for programs: its keys are part of the interface.  Text from mails and invitations loses its
control characters before it reaches a terminal.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Any

import click

from mailcore.charset import one_line

MEGABYTE = 1_048_576
_CHUNK = 500  # rows of a table that are looked at together


def say(text: str) -> None:
    """Print one line."""
    click.echo(one_line(text))


def print_json(value: Any) -> None:
    """Print one JSON document; letters of all scripts stay as they are."""
    click.echo(_written(value))


def print_json_list(values: Iterable[Any]) -> None:
    """Print a JSON array as `print_json` would, each value as soon as it is there."""
    before = "[\n  "
    for value in values:
        click.echo(before + _written(value).replace("\n", "\n  "), nl=False)
        before = ",\n  "
    click.echo("[]" if before.startswith("[") else "\n]")


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def print_raw(content: bytes) -> None:
    """Write exactly these bytes."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def print_pairs(pairs: Sequence[tuple[str, str]], indent: str = "") -> None:
    """Print names and values, the values below each other."""
    width = max(len(name) for name, _ in pairs) + 2
    for name, value in pairs:
        click.echo(f"{indent}{name + ':':{width}}{one_line(value)}".rstrip())


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], indent: str = ""
) -> None:
    """Print a table: framed on a terminal, plain aligned columns behind an indent, or anywhere else.

    Of a long one so many rows are read and printed at a time; its columns become wider where they have to.
    """
    coming = iter(rows)
    some = _cells(islice(coming, _CHUNK))
    if sys.stdout.isatty() and not indent and len(some) < _CHUNK:
        _print_framed(headings, some)
        return
    widths = [0] * len(headings)
    some.insert(0, list(headings))
    while some:
        widths = [max(one) for one in zip(widths, *([*map(len, row)] for row in some), strict=True)]
        for row in some:
            padded = (f"{text:{width}}" for text, width in zip(row, widths, strict=True))
            click.echo(f"{indent}{'  '.join(padded)}".rstrip())
        some = _cells(islice(coming, _CHUNK))


def _cells(rows: Iterable[Sequence[object]]) -> list[list[str]]:
    return [["" if value is None else one_line(str(value)) for value in row] for row in rows]


def _print_framed(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - loaded only where somebody looks at it
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(*headings)
    for row in cells:
        table.add_row(*(Text(text, overflow="fold") for text in row))  # Text: no markup is read
    Console().print(table)


def iso_time(instant: float | None, zone: tzinfo = UTC) -> str | None:
    """An instant in epoch seconds as ISO 8601 with its offset, in whole seconds.

    >>> iso_time(0.9)
    '1970-01-01T00:00:00+00:00'
    """
    if instant is None:
        return None
    return datetime.fromtimestamp(int(instant), UTC).astimezone(zone).isoformat()


def yes_no(value: bool) -> str:
    """The manual's words for a switch."""
    return "yes" if value else "no"


def megabytes(octets: int) -> str:
    """A size as the manual writes it.

    >>> megabytes(484_861_542)
    '462.40 MB'
    """
    return f"{octets / MEGABYTE:.2f} MB"


def counted(number: int, what: str) -> str:
    """A number and its noun.

    >>> counted(1, "booking"), counted(2, "booking")
    ('1 booking', '2 bookings')
    """
    return f"{number} {what}{'' if number == 1 else 's'}"
