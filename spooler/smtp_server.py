"""The MTA that mail is handed to: its URL, and how far a connection to it is to be trusted."""

import ipaddress
import ssl
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from mailcore.errors import UsageError

_PORTS = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where the MTA listens; `tls`: from the first octet; `user`: empty without credentials.

    `str()` gives the URL without credentials, for logs.
    """

    host: str
    port: int
    tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'smtps' if self.tls else 'smtp'}://{host}:{self.port}"

    @property
    def on_this_host(self) -> bool:
        """True for a loopback address: nobody stands between it and us."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"

    def tls_context(self) -> ssl.SSLContext:
        """TLS; the certificate is verified where TLS was asked for or a password is sent.

        STARTTLS that merely was offered protects against listeners, also with a certificate nobody
        signed (RFC 7435), which is what most MTAs have; refusing that would leave clear text as the
        alternative.
        """
        context = ssl.create_default_context()
        if self.on_this_host or not (self.tls or self.user):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def parse_smtp_url(url: str) -> SmtpServer:
    """Read `smtp[s]://[user:password@]host[:port]`, user and password percent-encoded.

    Raises UsageError.

    >>> str(parse_smtp_url("smtp://spool:s%40me@mta.example.org"))
    'smtp://mta.example.org:25'
    """
    expected = "smtp_url: expected smtp://[user:password@]host[:port] or smtps://..."
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{expected}: {error}") from None
    if parts.scheme not in _PORTS or not host:
        raise UsageError(expected)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isascii() or not (user + password).isprintable():
        raise UsageError("smtp_url: user and password must consist of printable ASCII characters")
    return SmtpServer(
        host=host,
        port=port or _PORTS[parts.scheme],
        tls=parts.scheme == "smtps",
        user=user,
        password=password,
    )
