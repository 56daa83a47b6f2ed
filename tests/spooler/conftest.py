"""Fixtures: an MTA, and a migrated database with one mailbox."""

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.blobs import BlobStore
from store.commit import Committer
from store.engine import Database
from store.mailboxes import create_mailbox
from store.migrate import ensure_schema
from tests.spooler.outbox import Outbox
from tests.spooler.sink import Sink, running_sink


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as running:
        yield running


@pytest.fixture(scope="session")
def server_tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's TLS with a certificate nobody else has signed, as most MTAs have it."""
    directory: Path = tmp_path_factory.mktemp("tls")
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    request = ["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=mta.example.org"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*request, *curve, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@pytest.fixture
def outbox(database_url: str) -> Iterator[Outbox]:
    """The outbox of a mailbox of anna's, on each database."""
    database = Database(database_url)
    ensure_schema(database)
    with database.write() as connection:
        store_id = create_mailbox(connection, "1", "anna")
    yield Outbox(database, Committer(database, BlobStore(None, 65536)), store_id)
    database.close()
