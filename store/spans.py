"""Many spans of time as the parameters of one statement, however many there are.

A statement with a condition for each span has to be compiled for each number of them, and PostgreSQL plans it anew
every time (16 ms for 104 spans); one statement for each span is a journey to the server for each.
"""

import json
from collections.abc import Iterable
from typing import Any, Protocol

from sqlalchemy import BigInteger, FromClause, bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY


class Span(Protocol):
    """Time that is asked about, in epoch seconds, half-open; without length it is an instant."""

    @property
    def start(self) -> int:
        """Its first second."""

    @property
    def end(self) -> int:
        """The second after its last one."""


def _of_sqlite() -> FromClause:
    pairs = func.json_each(bindparam("spans")).table_valued("value")
    start, end = (func.json_extract(pairs.c.value, literal_column(f"'$[{i}]'")) for i in (0, 1))
    spans = select(start.label("first"), end.label("last")).cte("span")
    return spans.prefix_with("MATERIALIZED")  # else each row that is looked at reads the JSON again


def _of_postgresql() -> FromClause:
    firsts, lasts = (bindparam(name, type_=ARRAY(BigInteger)) for name in ("firsts", "lasts"))
    return func.unnest(firsts, lasts).table_valued("first", "last").render_derived()


SPANS = {"sqlite": _of_sqlite(), "postgresql": _of_postgresql()}
"""By dialect, the spans as a table with the columns `first` and `last`; `span_values` are its parameters."""


def span_values(dialect: str, spans: Iterable[Span]) -> dict[str, Any]:
    """The parameters of a statement with `SPANS`."""
    pairs = [(span.start, span.end) for span in spans]
    if dialect == "sqlite":
        return {"spans": json.dumps(pairs)}
    return {"firsts": [first for first, _ in pairs], "lasts": [last for _, last in pairs]}
