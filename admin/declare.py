"""Declaring an option once: its spelling, its meaning, its group in the help.

An action names the function that performs it (``module:function``, loaded when it is needed) and an
ordinary option names the actions it goes with.  What is declared here becomes fields of a dataclass
(admin.options) and parameters of click (admin.command_line).
"""

from dataclasses import field
from typing import Any

import click


class WholeNumber(click.ParamType[int]):
    """A whole number from `least` to `most`; click's own type would put the limits into the help."""

    name = "number"

    def __init__(self, least: int, most: int) -> None:
        self.least = least
        self.most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the number; fails with a text that says what was expected."""
        try:
            number = int(value)
        except ValueError:
            self.fail(f"expected a whole number, not {value!r}", param, ctx)
        if not self.least <= number <= self.most:
            self.fail(f"expected a number from {self.least} to {self.most}", param, ctx)
        return number


ROW = WholeNumber(1, 2**63 - 1)
"""A UID or the id of a row."""


def action(group: str, function: str, spelling: str, meaning: str, **keywords: Any) -> Any:
    """Declare an action; `keywords` go to click.Option."""
    return _declare(group, spelling, meaning, keywords, function=function)


def option(
    group: str, spelling: str, meaning: str, *, goes_with: tuple[str, ...] = (), **keywords: Any
) -> Any:
    """Declare an option that goes with some actions; with every action where none is named.

    Besides click's keywords it takes `choices`, and `clearable` where an empty value has a meaning.
    """
    return _declare(group, spelling, meaning, keywords, goes_with=goes_with)


def _declare(group: str, spelling: str, meaning: str, keywords: dict[str, Any], **more: Any) -> Any:
    default: Any = None
    if keywords.get("is_flag"):
        default = False
    if keywords.get("multiple"):
        default = ()
    declared = {"group": group, "spelling": spelling.split(), "meaning": meaning}
    return field(default=default, metadata={**declared, "keywords": keywords, **more})


def optional_value(metavar: str) -> dict[str, Any]:
    """An option whose value may be left out; the empty text stands for that."""
    return {"is_flag": False, "flag_value": "", "metavar": f"[{metavar}]"}
