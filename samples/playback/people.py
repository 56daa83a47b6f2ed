"""Creating the demo's users and resources, with the commands that the manual gives."""

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

POLICIES = ("mr_accept", "mr_decline_conflict", "mr_decline_recurring")


def admin_commands(people: Mapping[str, Any]) -> Iterator[list[str]]:
    """Yield the arguments of each kopano-admin call that `people` (samples/users.toml) needs."""
    for user in people["user"]:
        yield from _user_commands(user)
    for resource in people["resource"]:
        yield from _resource_commands(resource)


def zones_of(people: Mapping[str, Any]) -> dict[str, ZoneInfo]:
    """The time zone of each resource, by its name."""
    return {one["name"]: ZoneInfo(one["timezone"]) for one in people["resource"]}


def _user_commands(user: Mapping[str, Any]) -> Iterator[list[str]]:
    name = user["name"]
    identity = ["-e", user["email"], "-f", user["fullname"], "-a", "0"]
    yield ["-c", name, "-p", user["password"], *identity]
    for feature in user.get("enable_features", []):
        yield ["-u", name, "--enable-feature", feature]


def _resource_commands(resource: Mapping[str, Any]) -> Iterator[list[str]]:
    name = resource["name"]
    create = ["-c", "-u", name, "-e", resource["email"], "-f", resource["fullname"]]
    create += ["-n", resource["type"], "--timezone", resource["timezone"]]
    if "capacity" in resource:
        create += ["--capacity", str(resource["capacity"])]
    yield create
    policy = ["-u", name]
    for setting in POLICIES:
        if setting in resource:
            option = f"--{setting.replace('_', '-')}"
            policy += [option, "yes" if resource[setting] else "no"]
    yield policy
    if rules := resource.get("policy"):
        yield ["--set-policy", name, *(f"{key}={value}" for key, value in rules.items())]
