"""Postfix that hands mail over inside TLS, and takes only the agent that has the right certificate."""

from pathlib import Path

from tests.support.agent import RunningAgent
from tests.support.certificates import NAME, make_certificate
from tests.support.mta import (
    ANNA,
    BEN,
    DELIVERY_SECONDS,
    HOST,
    add_people,
    inbox,
    mail_directory,
    note,
    submit,
)
from tests.support.postfix import require_postfix, running_postfix
from tests.support.servers import free_port
from tests.support.waiting import wait_for


def settings_for_tls(port: int, certificate: Path) -> dict[str, str]:
    """The sample by TCP, with the certificate that the agent has to show."""
    return {
        "virtual_transport": f"lmtp:inet:{HOST}:{port}",
        "smtpd_recipient_restrictions": "",
        "lmtp_tls_security_level": "secure",
        "lmtp_tls_secure_cert_match": NAME,
        "lmtp_tls_CAfile": str(certificate),
        "lmtp_tls_loglevel": "1",
    }


def test_postfix_sends_inside_tls() -> None:
    require_postfix()
    with mail_directory() as directory:
        (directory / "agent").mkdir()
        certificate = make_certificate(directory)
        environ = {
            "DAGENT_LMTP_TLS_CERTIFICATE": str(certificate),
            "DAGENT_LMTP_TLS_KEY": str(certificate.with_suffix(".key")),
        }
        smtp_port = free_port()
        agent = RunningAgent(directory / "agent", smtp_port=smtp_port, environ=environ)
        settings = settings_for_tls(agent.port, certificate)
        with agent, running_postfix(directory / "postfix", smtp_port, settings) as postfix:
            add_people(agent)
            submit(postfix.port, BEN, [ANNA], note("secret").replace(b"Note", b"Secret"))
            wait_for(
                lambda: inbox(agent, "anna", "Secret") or "status=deferred" in postfix.log(),
                timeout=DELIVERY_SECONDS,
                what="the mail arrives",
            )
            (mail,) = inbox(agent, "anna", "Secret")
            assert any("with LMTPS id" in received for received in mail.get_all("Received", []))
            assert f"Verified TLS connection established to {HOST}" in postfix.log()
