"""What a HUP changes: the settings that run on, and the names of those that need a restart."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from mailcore.settings import Settings


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """`settings` go on; `applied` and `waiting` name what differs, as `section.name`."""

    settings: Settings
    applied: tuple[str, ...]
    waiting: tuple[str, ...]


def settings_change(running: Settings, fresh: Settings) -> SettingsChange:
    """Take over what may change while a daemon runs, and keep the rest as it was at the start."""
    applied: list[str] = []
    waiting: list[str] = []
    sections: dict[str, Any] = {}
    for section in fields(Settings):
        old, new = getattr(running, section.name), getattr(fresh, section.name)
        values: dict[str, Any] = {}
        for declared in _differing(old, new):
            live = declared.metadata["live"]
            (applied if live else waiting).append(f"{section.name}.{declared.name}")
            if live:
                values[declared.name] = getattr(new, declared.name)
        sections[section.name] = replace(old, **values)
    return SettingsChange(Settings(**sections), tuple(applied), tuple(waiting))


def _differing(old: Any, new: Any) -> Iterator[Any]:
    for declared in fields(old):
        if getattr(old, declared.name) != getattr(new, declared.name):
            yield declared
