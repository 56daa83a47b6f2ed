"""Servers that tests drive: what happens when one is not installed, and where copies listen.

Without a server its tests are skipped and listed at the end of the run; with REQUIRE_SERVERS=1
in the environment, as in continuous integration, they fail instead.
"""

import os
import socket
from collections.abc import Mapping
from typing import NoReturn

import pytest

MISSING = "server not installed: "
REMEDY = "make test-deps"


def missing_server(name: str, environ: Mapping[str, str] = os.environ) -> NoReturn:
    """End the running test because the server `name` is not installed here."""
    reason = f"{MISSING}{name} (`{REMEDY}` installs it)"
    if environ.get("REQUIRE_SERVERS") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 on which nothing listens at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
