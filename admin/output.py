"""What kopano-admin prints: lines, pairs, tables, JSON and mails.

JSON is for programs: its keys are part of the interface.  Text from mails and invitations loses its
control characters before it reaches a terminal.
"""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

import click

from mailcore.charset import one_line

_MEGABYTE = 1_048_576


def say(text: str) -> None:
    """Print one line."""
    click.echo(one_line(text))


def print_json(value: Any) -> None:
    """Print one JSON document; letters of all scripts stay as they are."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_raw(content: bytes) -> None:
    """Write exactly these bytes."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def print_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    """Print names and values, the values below each other."""
    width = max(len(name) for name, _ in pairs) + 2
    for name, value in pairs:
        click.echo(f"{name + ':':{width}}{one_line(value)}".rstrip())


def print_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table: framed on a terminal, plain aligned columns anywhere else."""
    cells = [[one_line(str(value)) for value in row] for row in rows]
    if sys.stdout.isatty():
        _print_framed(headings, cells)
        return
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    for row in (headings, *cells):
        padded = (f"{text:{width}}" for text, width in zip(row, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


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
    return f"{octets / _MEGABYTE:.2f} MB"


def counted(number: int, what: str) -> str:
    """A number and its noun.

    >>> counted(1, "booking"), counted(2, "booking")
    ('1 booking', '2 bookings')
    """
    return f"{number} {what}{'' if number == 1 else 's'}"
