"""How an action in a rule's document becomes a value; docs/rules.md describes the document."""

from collections.abc import Callable
from functools import partial
from typing import Any

from rules.actions import (
    Action,
    Bounce,
    Copy,
    Delegate,
    Delete,
    Flag,
    Forward,
    ForwardAsAttachment,
    MarkRead,
    Move,
    Redirect,
    Reply,
    SetImportance,
    Tag,
)
from rules.fields import (
    ADDRESS,
    KEYWORD,
    LONGEST_ADDRESS,
    Place,
    only,
    read_choice,
    read_flag,
    read_line,
    read_some,
    read_text,
    shown,
)
from rules.message import IMPORTANCE

_SIMPLE: dict[str, Action] = {"delete": Delete(), "mark-read": MarkRead(), "flag": Flag()}


def read_action(data: Any, place: Place) -> Action:
    """Read an action; raises RuleError naming the field and what was expected."""
    if isinstance(data, str) and data in _SIMPLE:
        return _SIMPLE[data]
    kinds = [key for key in _READERS if key in data] if isinstance(data, dict) else []
    if len(kinds) != 1:
        simple = ", ".join((*_SIMPLE, "stop"))
        known = ", ".join(_READERS)
        raise place.error(f"{shown(data)}: expected {simple}, or an object with one of {known}")
    return _READERS[kinds[0]](data, place)


def _read_filing(key: str, data: dict[str, Any], place: Place) -> Action:
    only(data, place, (key, "create", "store"))
    folder = read_line(data[key], place.below(key), "the path of a folder")
    create = read_flag(data, "create", place)
    store = ""
    if "store" in data:
        store = read_line(data["store"], place.below("store"), "'public' or a user's name")
    return Move(folder, create, store) if key == "move" else Copy(folder, create, store)


def _read_addresses(key: str, data: dict[str, Any], place: Place) -> tuple[str, ...]:
    only(data, place, (key,))
    return read_some(data[key], place.below(key), _read_address)


def _read_address(value: Any, place: Place) -> str:
    address = read_text(value, place, ADDRESS, "an address, such as anna@example.org")
    if len(address) > LONGEST_ADDRESS:
        raise place.error(f"{shown(value)}: longer than {LONGEST_ADDRESS} characters")
    return address


def _read_tag(data: dict[str, Any], place: Place) -> Action:
    only(data, place, ("tag",))
    expected = 'a word of letters, digits and signs other than ( ) { % * " \\ ]'
    return Tag(read_text(data["tag"], place.below("tag"), KEYWORD, expected))


def _read_importance(data: dict[str, Any], place: Place) -> Action:
    only(data, place, ("importance",))
    return SetImportance(read_choice(data["importance"], place.below("importance"), IMPORTANCE))


def _read_reply(data: dict[str, Any], place: Place) -> Action:
    only(data, place, ("reply",))
    template, inside = data["reply"], place.below("reply")
    if not isinstance(template, dict):
        raise inside.error(f"{shown(template)}: expected an object with text, and perhaps subject")
    only(template, inside, ("subject", "text"))
    text = template.get("text")
    if not isinstance(text, str) or not text:
        raise inside.below("text").error(f"{shown(text)}: expected a text")
    subject = template.get("subject", "")
    if subject != "":
        subject = read_line(subject, inside.below("subject"), "a subject")
    return Reply(text, subject)


def _read_bounce(data: dict[str, Any], place: Place) -> Action:
    only(data, place, ("bounce",))
    return Bounce(read_line(data["bounce"], place.below("bounce"), "the reason"))


_READERS: dict[str, Callable[[dict[str, Any], Place], Action]] = {
    "move": partial(_read_filing, "move"),
    "copy": partial(_read_filing, "copy"),
    "tag": _read_tag,
    "importance": _read_importance,
    "forward": lambda data, place: Forward(_read_addresses("forward", data, place)),
    "forward_as_attachment": lambda data, place: ForwardAsAttachment(
        _read_addresses("forward_as_attachment", data, place)
    ),
    "redirect": lambda data, place: Redirect(_read_addresses("redirect", data, place)),
    "delegate": lambda data, place: Delegate(_read_addresses("delegate", data, place)),
    "reply": _read_reply,
    "bounce": _read_bounce,
}
