"""Statements of every delivery: made once, and on SQLite run by the driver itself.

On an embedded database SQLAlchemy's work for each execution (parameters, contexts, results) takes about ten times as
long as the statement does, and no other thread can run meanwhile.  On PostgreSQL the network takes longer than both,
and SQLAlchemy keeps its part there: it knows which of the driver's errors mean a lost connection.

Limits: all rows for one statement have the same keys; constants are written as `literal_column`, because only a row's
own values are bound; results are tuples of what the driver gives, so that only numbers, texts and bytes may be
selected.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Executable,
    Select,
    Table,
    and_,
    bindparam,
    or_,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ClauseElement

from store.schema import CleanText, clean_text

_NAMED = sqlite.dialect(paramstyle="named")  # takes rows as they are: {name: value}
_COUNTED = {"preserve_rowcount": True}  # SQLAlchemy drops an INSERT's row count otherwise


class HotStatement:
    """One statement, for any number of rows of the same keys."""

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._sql = ""
        self._texts: tuple[str, ...] = ()

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Run it once and return all the rows of its result."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._statement, values).all()
        if not connection.in_transaction():
            connection.begin()  # as for any other statement: what is read next belongs to the same view
        cursor = connection.connection.cursor()
        try:
            return list(cursor.execute(self._compiled(values), values))
        except sqlite3.Error as error:
            raise self._as_sqlalchemy(error, values) from error

    def each(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run it for each of the rows, at least one; return how many rows of the table it changed."""
        if connection.dialect.name != "sqlite":
            done = connection.execute(self._statement, rows, execution_options=_COUNTED)
            return cast("CursorResult[Any]", done).rowcount
        sql = self._compiled(rows[0])
        if self._texts:
            rows = [self._cleaned(row) for row in rows]
        cursor = connection.connection.cursor()
        try:
            return int(cursor.executemany(sql, rows).rowcount)
        except sqlite3.Error as error:
            raise self._as_sqlalchemy(error, rows) from error

    def _compiled(self, values: Mapping[str, Any]) -> str:
        if not self._sql:
            statement = cast("ClauseElement", self._statement)
            compiled = statement.compile(dialect=_NAMED, column_keys=list(values))
            binds = cast("Any", compiled).binds
            self._texts = tuple(n for n, bind in binds.items() if isinstance(bind.type, CleanText))
            self._sql = str(compiled)
        return self._sql

    def _cleaned(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**row, **{name: clean_text(row[name]) for name in self._texts}}

    def _as_sqlalchemy(self, error: sqlite3.Error, values: Any) -> BaseException:
        """The error as every caller expects it from an execution."""
        return DBAPIError.instance(self._sql, values, error, sqlite3.Error, dialect=_NAMED)


class HotNewRows:
    """Inserts rows into a table, and leaves out those whose key is there already."""

    def __init__(self, table: Table) -> None:
        self._statements = {
            "postgresql": HotStatement(postgresql.insert(table).on_conflict_do_nothing()),
            "sqlite": HotStatement(sqlite.insert(table).on_conflict_do_nothing()),
        }

    def each(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert the rows, at least one; return how many were new."""
        return self._statements[connection.dialect.name].each(connection, rows)


class HotLookup:
    """Finds rows by a key of one or more columns, many keys at a time.

    Parameters: `query` without a condition, and the columns of the key, which an index covers.
    """

    _SIZES = (1, 8, 64)

    def __init__(self, query: Select[Any], key: Sequence[ColumnElement[Any]]) -> None:
        self._statements = {size: HotStatement(_asking(query, key, size)) for size in self._SIZES}

    def rows(
        self, connection: Connection, keys: Sequence[tuple[Any, ...]]
    ) -> Iterator[Sequence[Any]]:
        """Yield the rows that have one of `keys`, in no order; a key that comes twice may give its row twice."""
        done = 0
        while done < len(keys):
            left = len(keys) - done
            size = next((s for s in self._SIZES if s >= left), self._SIZES[-1])
            some = keys[done : done + size]
            done += size
            # Few sizes, so that each has its statement; what is left over asks for the last key again.
            padded = [*some, *[some[-1]] * (size - len(some))]
            values = {f"k{i}_{j}": v for i, k in enumerate(padded) for j, v in enumerate(k)}
            yield from self._statements[size].rows(connection, values)


def _asking(query: Select[Any], key: Sequence[ColumnElement[Any]], size: int) -> Select[Any]:
    """The query for `size` keys, bound as k<number of the key>_<column of the key>."""
    return query.where(
        or_(
            *(
                and_(*(column == bindparam(f"k{i}_{j}") for j, column in enumerate(key)))
                for i in range(size)
            )
        )
    )
