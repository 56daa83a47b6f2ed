"""One action against the open database, and its database errors in words."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from admin.context import Installation, open_installation
from admin.options import FUNCTIONS, Options
from dagent.log import stderr_handler
from mailcore.errors import TemporaryError, UsageError
from mailcore.settings import Settings

Action = Callable[[Installation, Options], int | None]
"""Does one thing in at most one writing transaction; None is exit code 0."""


def load_action(name: str) -> Action:
    """Import the function that performs an action."""
    module, _, function = FUNCTIONS[name].partition(":")
    loaded: Action = getattr(import_module(module), function)
    return loaded


def perform(name: str, options: Options, settings: Settings) -> int:
    """Perform an action and return the exit code; raises MailError, with nothing changed.

    SQLAlchemy's own texts contain the values of the statement, a password's hash among them; so
    only the database's words are passed on.
    """
    action = load_action(name)
    opening = open_installation(
        settings, company_name=options.company or "", migrating=name == "migrate"
    )
    with _log_shown(options.verbose), opening as installation:
        try:
            return action(installation, options) or 0
        except IntegrityError as error:
            raise UsageError(
                "somebody else has just taken that name or address; nothing was changed"
            ) from error
        except SQLAlchemyError as error:
            why = getattr(error, "orig", None) or type(error).__name__
            raise TemporaryError(f"database: {why}") from error


@contextmanager
def _log_shown(verbose: bool) -> Iterator[None]:
    """Write the log to standard error meanwhile, if that is wanted; trouble is always seen there."""
    root = logging.getLogger()
    handler, level = stderr_handler(), root.level
    handler.setLevel(logging.INFO if verbose else logging.WARNING)
    root.addHandler(handler)
    root.setLevel(handler.level)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
