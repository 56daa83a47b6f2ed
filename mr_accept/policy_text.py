"""A resource's rules for booking as text by key: reading, writing, and what is wrong with a value.  Pure."""

from collections.abc import Mapping
from dataclasses import Field, fields, replace
from difflib import get_close_matches
from typing import Any

from mailcore.errors import UsageError
from mr_accept.policy import BookingPolicy

_DEFAULTS = BookingPolicy()
_KEYS: Mapping[str, Field[Any]] = {one.name: one for one in fields(BookingPolicy) if one.metadata}

OF_USERS = {
    "mr_accept": "--mr-accept yes|no",
    "mr_decline_conflict": "--mr-decline-conflict yes|no",
    "mr_decline_recurring": "--mr-decline-recurring yes|no",
    "capacity": "--capacity N",
    "timezone": "--timezone ZONE",
}
"""What looks like a key but is an option of `kopano-admin -u`."""
_ALSO = {
    "decline_conflict": "mr_decline_conflict",
    "decline_recurring": "mr_decline_recurring",
}
_LONGEST_SHOWN = 60  # characters of a wrong value


def policy_keys() -> tuple[str, ...]:
    """The keys that can be set, in the order of their declaration."""
    return tuple(_KEYS)


def is_of_file(key: str) -> bool:
    """Whether a value `@FILE` stands for the text in a file."""
    return bool(_KEYS[key].metadata["of_file"])


def meaning_of(key: str) -> str:
    """What a key means, with its unit, in words."""
    said = _KEYS[key].metadata
    return f"{said['meaning']} ({said['unit']})" if said["unit"] else str(said["meaning"])


def key_called(name: str) -> str:
    """The key that an administrator means, dashes and case aside; raises UsageError with the nearest ones.

    >>> key_called("Lead-Time-Minutes")
    'lead_time_minutes'
    """
    key = name.strip().lower().replace("-", "_")
    if key in _KEYS:
        return key
    key = _ALSO.get(key, key)
    if key in OF_USERS:
        raise UsageError(f"{name} is no rule: kopano-admin -u RESOURCE {OF_USERS[key]} sets it")
    near = get_close_matches(key, _KEYS, n=3) or [one for one in _KEYS if key and key in one]
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(_KEYS)}"
    raise UsageError(f"no rule is called {name[:_LONGEST_SHOWN]!r}; {hint}")


def read_value(key: str, text: str) -> Any:
    """Read the value of a key; raises UsageError naming key, value, what was expected, and an example."""
    said = _KEYS[key_called(key)].metadata
    try:
        return said["kind"].read(text.strip())
    except ValueError as error:
        why = f" ({error})" if str(error) else ""
        shown = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
        raise UsageError(
            f"{key}={shown!r}: expected {said['kind'].expected}{why}, for example {key}={said['example']}"
        ) from error


def write_value(key: str, value: Any) -> str:
    """The text that is kept and that `read_value` reads; empty for what is not set."""
    return str(_KEYS[key].metadata["kind"].write(value))


def read_policy(values: Mapping[str, str], defaults: BookingPolicy = _DEFAULTS) -> BookingPolicy:
    """The rules that some values by key make of the defaults; raises UsageError for the first that is wrong."""
    policy = replace(defaults, **{key: read_value(key, text) for key, text in values.items()})
    shortest, longest = policy.min_duration_minutes, policy.max_duration_minutes
    if longest and shortest > longest:
        raise UsageError(
            f"min_duration_minutes={shortest} is above max_duration_minutes={longest}: nothing could be booked"
        )
    return policy


def example_of(key: str) -> str:
    """A value that is not the default, as it is typed."""
    return str(_KEYS[key].metadata["example"])
