"""Which action a command line asks for, and whether everything else on it goes with that."""

from dataclasses import replace

from admin.options import DECLARED, FUNCTIONS, Options, given, long_name
from mailcore.errors import UsageError

_WORDS = {"cancel_booking": 1}
"""How many words may follow the options of an action."""


def choose_action(options: Options) -> tuple[str, Options]:
    """Return the one action and the options as it reads them; raises UsageError.

    >>> choose_action(Options(create="", update="anna"))[1].create
    'anna'
    """
    options = _with_name(options)
    actions = [name for name in given(options) if name in FUNCTIONS]
    if not actions:
        raise UsageError("nothing to do: name one action, for example -l (--help lists them)")
    if len(actions) > 1:
        spelled = ", ".join(map(long_name, actions))
        raise UsageError(f"one action at a time, not {spelled}")
    _check_company(actions[0], options)
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


def _check_company(action: str, options: Options) -> None:
    for name in given(options):
        goes_with = DECLARED[name].get("goes_with")
        if goes_with and action not in goes_with:
            raise UsageError(f"{long_name(name)} does not go with {long_name(action)}")
    # The words are not repeated: an unquoted password with blanks would be among them.
    if len(options.words) > _WORDS.get(action, 0):
        raise UsageError("too many words: put quotes around a value that contains blanks")
