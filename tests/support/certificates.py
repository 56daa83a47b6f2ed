"""Certificates that vouch for themselves, made by openssl(1)."""

import shutil
import ssl
import subprocess
from pathlib import Path

from tests.support.servers import missing_server

NAME = "mail.example"


def make_certificate(directory: Path, stem: str = "lmtp") -> Path:
    """Write `stem`.pem with a certificate for NAME and `stem`.key with its key; return the first."""
    openssl = shutil.which("openssl")
    if openssl is None:
        missing_server("openssl")
    certificate = directory / f"{stem}.pem"
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    said = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-days", "2"]
    files = ["-out", certificate, "-keyout", certificate.with_suffix(".key")]
    subprocess.run([openssl, "req", *kind, *said, *files], check=True, capture_output=True)
    return certificate


def trusting(certificate: Path) -> ssl.SSLContext:
    """A client's context that trusts this certificate and no other."""
    return ssl.create_default_context(cafile=certificate)
