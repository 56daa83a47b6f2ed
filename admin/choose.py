"""Which action a command line asks for, and whether everything else on it goes with that."""

from dataclasses import replace
from typing import Any

from admin.options import DECLARED, FUNCTIONS, Options, given, long_name
from mailcore.errors import UsageError

_WORDS = {"cancel_booking": 1, "set_policy": 100}
"""How many words may follow the options of an action."""

_NAMED_LAST = ("details", "unhook_store")
"""Actions whose name may follow their other options: ``--details --type group sales``."""

_ABOUT_A_USER = {
    "add_sendas": True,
    "remove_sendas": True,
    "create_store": True,
    "hook_store": False,
}
"""Actions beside which -u names the user they are about, and whether it must be there."""


def choose_action(options: Options) -> tuple[str, Options]:
    """Return the one action and the options as it reads them; raises UsageError.

    >>> choose_action(Options(create="", update="anna"))[1].create
    'anna'
    >>> choose_action(Options(hook_store="A1", update="anna"))[1].user
    'anna'
    """
    options = _with_last_name(_with_user(_with_name(options)))
    actions = [name for name in given(options) if name in FUNCTIONS]
    if not actions:
        raise UsageError("nothing to do: name one action, for example -l (--help lists them)")
    if len(actions) > 1:
        spelled = ", ".join(map(long_name, actions))
        raise UsageError(f"one action at a time, not {spelled}")
    _check_together(actions[0], options)
    return actions[0], options


def _with_name(options: Options) -> Options:
    """Read ``-c -u NAME`` as ``-c NAME``: the manual writes both."""
    if options.create is None:
        return options
    if options.create and options.update is not None:
        raise UsageError("-c NAME creates and -u NAME changes: one at a time")
    name = options.create or options.update
    if not name:
        raise UsageError("-c: expected the name of the new user")
    return replace(options, create=name, update=None)


def _with_user(options: Options) -> Options:
    """Read the -u of ``--hook-store GUID -u NAME`` as the user whom that is about."""
    action = next((name for name in given(options) if name in _ABOUT_A_USER), None)
    if action is None:
        return options
    if options.update is None and _ABOUT_A_USER[action]:
        raise UsageError(f"{long_name(action)}: -u is missing, the user whom it is about")
    return replace(options, user=options.update, update=None)


def _with_last_name(options: Options) -> Options:
    """Read ``--details --type group sales`` as ``--details sales --type group``."""
    name = next((name for name in _NAMED_LAST if getattr(options, name) == ""), None)
    if name is None:
        return options
    if options.words:
        value, *others = options.words
        changes: dict[str, Any] = {name: value, "words": tuple(others)}
        return replace(options, **changes)
    if options.type != "company":
        raise UsageError(f"{long_name(name)}: expected a name")
    return options


def _check_together(action: str, options: Options) -> None:
    for name in given(options):
        goes_with = DECLARED[name].get("goes_with")
        if goes_with and action not in goes_with:
            raise UsageError(f"{long_name(name)} does not go with {long_name(action)}")
    # The words are not repeated: an unquoted password with blanks would be among them.
    if len(options.words) > _WORDS.get(action, 0):
        raise UsageError("too many words: put quotes around a value that contains blanks")
