"""The URL of the wake-up queue: where Redis is, and what to say to be let in.  Pure.

    redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]        rediss:// is the same over TLS
    unix://[[USER]:PASSWORD@]/PATH/OF/SOCKET[?db=DATABASE]
    redis+sentinel://[[USER]:PASSWORD@]HOST[:PORT][,HOST[:PORT]...]/SERVICE[/DATABASE]

`rediss+sentinel://` speaks TLS with Redis and with the sentinels alike.  A part that contains one of
`/?#@:%` has it percent-encoded.  TLS takes the options `ssl_ca_certs`, `ssl_certfile`, `ssl_keyfile`
(paths), `ssl_cert_reqs` (required, none) and `ssl_check_hostname` (yes, no); Sentinel takes
`sentinel_username` and `sentinel_password`, for sentinels that ask for a password of their own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote

from mailcore.errors import UsageError

REDIS_PORT = 6379
SENTINEL_PORT = 26379
# scheme, authority, path, query, fragment (RFC 3986 appendix B)
_PARTS = re.compile(r"(?:([^:/?#\s]+):)?(?://([^/?#\s]*))?([^?#\s]*)(?:\?([^#\s]*))?(?:#(\S*))?")
_SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")
_TLS_OPTIONS = {
    "ssl_ca_certs": (),
    "ssl_certfile": (),
    "ssl_keyfile": (),
    "ssl_cert_reqs": ("required", "none"),
    "ssl_check_hostname": ("yes", "no"),
}
_SENTINEL_OPTIONS = {"sentinel_username": (), "sentinel_password": ()}


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """A Redis: at one of `hosts` (host, port), at the socket `path`, or as the sentinels at `hosts` say.

    With sentinels `service` is the name under which they know it.  `options` are as in the URL.
    """

    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    service: str = ""
    database: int = 0
    username: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        """The place without anything secret, for people."""
        if self.path:
            return self.path
        places = ", ".join(f"{host}:{port}" for host, port in self.hosts)
        return f"{self.service} (by the sentinels {places})" if self.service else places


def parse_queue_url(url: str, where: str) -> QueuePlace:
    """Parse the URL; raises UsageError, which names `where` and never repeats what could be a password.

    >>> str(parse_queue_url("redis://:secret@cache.example/2", "[queue] url"))
    'cache.example:6379'
    """
    # Not by urlsplit, which takes one host: a list of sentinels with an IPv6 address among them is none to it.
    parts = _PARTS.fullmatch(url)
    if parts is None or url.count("[") != url.count("]"):
        raise UsageError(f"{where}: expected a URL like redis://localhost:6379/0")
    scheme, *rest = (part or "" for part in parts.groups())
    try:
        return _parse(SplitResult(scheme.lower(), *rest))
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from error


def _parse(parts: SplitResult) -> QueuePlace:
    if parts.scheme not in _SCHEMES:
        raise ValueError(f"expected a URL that begins with one of {', '.join(_SCHEMES)}, then ://")
    if parts.fragment or "@" in parts.path + parts.query:
        raise ValueError("a # / ? or @ within a password has to be written as %23 %2F %3F or %40")
    credentials, _, hosts = parts.netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    transport, _, sentinel = parts.scheme.partition("+")
    tls = transport == "rediss"
    options = _parse_options(parts.query, transport, sentinel=bool(sentinel))
    path = unquote(parts.path)
    if transport == "unix":
        if hosts or path in ("", "/"):
            raise ValueError("expected unix:///path/of/the/socket")
        database, hosts, service = options.pop("db", ""), "", ""
    else:
        service, database = _split_path(path, sentinel=bool(sentinel))
    return QueuePlace(
        hosts=_parse_hosts(hosts, several=bool(sentinel)) if transport != "unix" else (),
        path=path if transport == "unix" else "",
        service=service,
        database=_parse_database(database),
        username=unquote(username),
        password=unquote(password),
        tls=tls,
        options=options,
    )


def _split_path(path: str, *, sentinel: bool) -> tuple[str, str]:
    """Return the sentinels' name of the service, if there are sentinels, and the database's number."""
    if not sentinel:
        return "", path.removeprefix("/")
    service, _, database = path.removeprefix("/").partition("/")
    if not service:
        raise ValueError("expected the name of the service after the sentinels, as in /mymaster/0")
    return service, database


def _parse_database(text: str) -> int:
    if text and not (text.isascii() and text.isdigit()):
        raise ValueError("expected the number of the database at the end, as in /0")
    return int(text or 0)


def _parse_hosts(text: str, *, several: bool) -> tuple[tuple[str, int], ...]:
    default = SENTINEL_PORT if several else REDIS_PORT
    hosts = tuple(_parse_host(one, default) for one in text.split(","))
    if len(hosts) > 1 and not several:
        raise ValueError("expected one host; several are for redis+sentinel://")
    return hosts


def _parse_host(text: str, default_port: int) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or "]" in port:  # no port, perhaps an IPv6 address in brackets
        host, port = text, str(default_port)
    if not (port.isascii() and port.isdigit() and 0 < int(port) <= 65535):
        raise ValueError("expected a port between 1 and 65535 after the host")
    if not host.strip("[]"):
        raise ValueError("expected a host")
    return host.strip("[]"), int(port)


def _parse_options(query: str, transport: str, *, sentinel: bool) -> dict[str, str]:
    """Return the options after the question mark; only those that mean something with this scheme."""
    known: dict[str, tuple[str, ...]] = {"db": ()} if transport == "unix" else {}
    if transport == "rediss":
        known |= _TLS_OPTIONS
    if sentinel:
        known |= _SENTINEL_OPTIONS
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name, value in options.items():
        if name not in known:
            raise ValueError(f"unknown option {name!r}; known here: {', '.join(known) or 'none'}")
        if known[name] and value not in known[name]:
            raise ValueError(f"{name}: expected one of {', '.join(known[name])}")
    return options
