"""The certificate that STARTTLS shows (RFC 3207); TLS 1.2 is the least."""

import ssl
from pathlib import Path

from mailcore.errors import UsageError
from mailcore.settings import LmtpSettings


def load_certificate(settings: LmtpSettings) -> ssl.SSLContext | None:
    """Read `tls_certificate` and `tls_key`; None where no certificate is set, and STARTTLS is not offered.

    Raises UsageError naming the setting and the file.
    """
    certificate, key = settings.tls_certificate, settings.tls_key or settings.tls_certificate
    if not certificate:
        if key:
            raise UsageError("[lmtp] tls_key: a key needs its certificate, set tls_certificate too")
        return None
    _check_readable("tls_certificate", certificate)
    _check_readable("tls_key", key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        raise UsageError(
            f"[lmtp] tls_certificate: expected a PEM file with a certificate, and its key in {key},"
            f" not {certificate} ({error.reason or error})"
        ) from error
    return context


def _check_readable(name: str, path: str) -> None:
    """OpenSSL does not say which of its files it cannot read."""
    try:
        with Path(path).open("rb"):
            pass
    except OSError as error:
        raise UsageError(f"[lmtp] {name}: {path} cannot be read: {error.strerror}") from error


def _no_password() -> str:
    raise UsageError(
        "[lmtp] tls_key: the key has a password, which nobody is there to type; remove it"
    )
