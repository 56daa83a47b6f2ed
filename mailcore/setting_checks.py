"""What a setting must be besides of its type: refused at the start rather than with the first mail."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from mailcore.errors import UsageError
from mailcore.hidden import hide_passwords
from mailcore.listen import parse_listen_address, parse_listen_addresses, parse_mode
from mailcore.next_hop import parse_next_hop
from mailcore.queue_url import parse_queue_url

_LEVELS = ("quota_warn", "quota_soft", "quota_hard")


def check_section(section: str, values: Mapping[str, Any], places: Mapping[str, str]) -> None:
    """Look at what was given of one section; raises UsageError naming the place and what was expected."""
    _check_addresses(section, values, places)
    if section == "events":
        _check_events(values, places)
    if section == "userstore":
        _check_quota(values, places)


def _check_events(values: Mapping[str, Any], places: Mapping[str, str]) -> None:
    directory = values.get("scripts_directory", "/")
    if not PurePath(directory).is_absolute():
        raise UsageError(
            f"{places['scripts_directory']}: expected a path from /, not {directory!r}"
        )
    if values.get("script_timeout") == 0:
        raise UsageError(f"{places['script_timeout']}: expected more than 0 seconds")


def _check_quota(values: Mapping[str, Any], places: Mapping[str, str]) -> None:
    """The default levels come in their order; 0 is no limit, and above none."""
    given = [name for name in _LEVELS if values.get(name)]
    for lower, upper in pairwise(given):
        if values[lower] > values[upper]:
            raise UsageError(
                f"{places[lower]}: {values[lower]} MB is above {upper} ({values[upper]} MB)"
            )


def _check_addresses(section: str, values: Mapping[str, Any], places: Mapping[str, str]) -> None:
    if section == "lmtp" and "listen" in values:
        parse_listen_addresses(values["listen"], places["listen"])
    if section == "socketmap" and values.get("listen"):
        parse_listen_address(values["listen"], places["listen"])
    if section == "delivery" and "deliver_via" in values:
        parse_next_hop(values["deliver_via"], places["deliver_via"])
    if section == "lmtp" and "unix_mode" in values:
        parse_mode(values["unix_mode"], places["unix_mode"])
    if section == "queue" and values.get("url"):
        parse_queue_url(values["url"], places["url"])
    if section == "spooler" and "smtp_url" in values and not _is_smtp_url(values["smtp_url"]):
        shown = hide_passwords(values["smtp_url"])
        raise UsageError(f"{places['smtp_url']}: expected smtp://host:port, not {shown!r}")


def _is_smtp_url(value: str) -> bool:
    try:
        url = urlsplit(value)
        return url.scheme in {"smtp", "smtps"} and bool(url.hostname) and url.port != 0
    except ValueError:  # a port that is no number, brackets that do not close
        return False
