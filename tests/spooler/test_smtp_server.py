import ssl

import pytest

from mailcore.errors import UsageError
from spooler.smtp_server import SmtpServer, parse_smtp_url


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://127.0.0.1:25", SmtpServer("127.0.0.1", 25)),
        ("smtp://mta.example.org", SmtpServer("mta.example.org", 25)),
        ("smtps://mta.example.org", SmtpServer("mta.example.org", 465, tls=True)),
        ("smtp://[::1]:2525", SmtpServer("::1", 2525)),
        ("smtp://a%40b:p%3Aw%2F@h:587", SmtpServer("h", 587, user="a@b", password="p:w/")),
    ],
)
def test_url_is_read(url: str, server: SmtpServer) -> None:
    assert parse_smtp_url(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "http://host",
        "smtp://",
        "smtp://host:port",
        "smtp://host:99999",
        "smtp://[::1",
        "smtp://us%C3%A9r:pw@host",
        "smtp://user:p%0Aw@host",
    ],
)
def test_bad_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="smtp_url"):
        parse_smtp_url(url)


def test_password_shows_nowhere() -> None:
    server = parse_smtp_url("smtp://spool:secret@mta.example.org")
    assert "secret" not in f"{server} {server!r}"
    assert str(server) == "smtp://mta.example.org:25"


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("smtp://mta.example.org", ssl.CERT_NONE),  # offered, not asked for
        ("smtp://user:pw@mta.example.org", ssl.CERT_REQUIRED),
        ("smtps://mta.example.org", ssl.CERT_REQUIRED),
        ("smtps://127.0.0.1", ssl.CERT_NONE),
        ("smtp://user:pw@localhost", ssl.CERT_NONE),
    ],
)
def test_certificate_is_verified_where_it_protects_something(
    url: str, mode: ssl.VerifyMode
) -> None:
    assert parse_smtp_url(url).tls_context().verify_mode == mode
