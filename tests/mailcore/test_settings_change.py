from dataclasses import fields
from typing import Any

import pytest

from mailcore.settings import Settings, parse_settings, sections_of_settings
from mailcore.settings_change import settings_change


def settings(document: dict[str, Any]) -> Settings:
    return parse_settings(document, {}, source="test")


def test_nothing_changed() -> None:
    change = settings_change(Settings(), Settings())
    assert (change.settings, change.applied, change.waiting) == (Settings(), (), ())


def test_live_settings_apply_and_the_others_wait() -> None:
    fresh = settings({"lmtp": {"listen": "127.0.0.1:1", "max_recipients": 5, "idle_timeout": 9.0}})
    change = settings_change(Settings(), fresh)
    assert change.applied == ("lmtp.max_recipients", "lmtp.idle_timeout")
    assert change.waiting == ("lmtp.listen",)
    assert change.settings.lmtp.max_recipients == 5
    assert change.settings.lmtp.listen == Settings().lmtp.listen


def test_what_waits_is_named_again_at_the_next_reload() -> None:
    fresh = settings({"store": {"data": "/new"}})
    running = settings_change(Settings(), fresh).settings
    assert settings_change(running, fresh).waiting == ("store.data",)


@pytest.mark.parametrize("name", sections_of_settings())
def test_every_setting_is_either_applied_or_waits(name: str) -> None:
    declared = [
        one for one in fields(sections_of_settings()[name]) if len(one.metadata["choices"]) != 1
    ]
    fresh = settings({name: {one.name: one.metadata["example"] for one in declared}})
    change = settings_change(Settings(), fresh)
    assert set(change.applied) == {f"{name}.{one.name}" for one in declared if one.metadata["live"]}
    assert set(change.applied) ^ set(change.waiting) == {f"{name}.{one.name}" for one in declared}
    assert change.settings == settings(
        {name: {one.name: one.metadata["example"] for one in declared if one.metadata["live"]}}
    )
