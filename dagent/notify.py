"""Telling systemd how a daemon is doing (sd_notify(3)), without its library."""

import logging
import os
import socket
import time

log = logging.getLogger(__name__)

SECONDS = 1.0
"""How long a service manager that does not read may hold us up."""


def notify(state: str) -> None:
    """Send a state (`READY=1`, `STOPPING=1`, `STATUS=...`) to the service manager, if there is one.

    A failure is only a warning: the service manager is not what mail depends on.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):  # a name in Linux's abstract namespace
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.settimeout(SECONDS)
            sock.connect(address)
            sock.sendall(state.encode())
    except OSError as error:
        log.warning("systemd was not told %s: %s", state.partition("\n")[0], error)


def notify_reloading() -> None:
    """Announce a reload; systemd matches the READY=1 that ends it by the monotonic clock."""
    notify(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")
