"""Declaring a setting: type, default, unit, meaning and an example.

The declarations (`setting_sections`, `upkeep_sections`, `delivery_sections`) are the one source: the sample file,
`--dump-config` and the checks of `mailcore.settings` are made from them.
"""

from dataclasses import field
from typing import Any


def setting(
    default: Any,
    meaning: str,
    *,
    unit: str = "",
    example: Any = None,
    choices: tuple[str, ...] = (),
    live: bool = False,
    secret: bool = False,
) -> Any:
    """Declare one setting: its default, its meaning in words, and its unit if it is a quantity.

    `example`: a value that is not the default; `choices`: the values allowed, and then the example
    may be left out; `live`: a HUP puts a change into effect, else it takes a restart; `secret`: never shown.
    """
    if example is None:
        example = next((choice for choice in choices if choice != default), default)
    said = {"meaning": meaning, "unit": unit, "example": example, "choices": choices, "live": live}
    return field(default=default, metadata={**said, "secret": secret})
