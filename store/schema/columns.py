"""Kinds of columns, and the naming of indexes and keys."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def clean_text(value: str | None) -> str | None:
    """Text that every database takes: no NUL (PostgreSQL refuses it), no lone surrogates (SQLite does)."""
    if value is None or (value.isascii() and "\0" not in value):
        return value
    return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


class CleanText(TypeDecorator[str]):
    """A text column whose values are cleaned on their way in."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:  # noqa: ARG002
        """See clean_text."""
        return clean_text(value)


# SQLite counts rows by itself only for a column that is exactly INTEGER.
BigId = BigInteger().with_variant(Integer, "sqlite")


def text_column(name: str, **options: Any) -> Column[str]:
    """Text, empty unless given."""
    return Column(name, CleanText, nullable=False, server_default="", **options)


def count_column(name: str, default: int = 0) -> Column[int]:
    """A whole number that is never NULL."""
    return Column(name, BigInteger, nullable=False, server_default=str(default))


def flag_column(name: str, default: bool = False) -> Column[bool]:
    """Yes or no, never NULL."""
    return Column(name, Boolean, nullable=False, server_default="1" if default else "0")


def reference_column(name: str, target: str, **options: Any) -> Column[int]:
    """A reference by id; the row goes with what it refers to."""
    return Column(name, BigInteger, ForeignKey(target, ondelete="CASCADE"), **options)
