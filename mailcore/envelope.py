"""The SMTP envelope: who sent a message and who gets it (RFC 5321 section 2.3.1)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message's envelope as LMTP or the command line gave it.

    `mail_from` is the reverse-path without angle brackets; empty for the null sender `<>`.
    `rcpt_tos` are the forward-paths as given, in RCPT order.
    `peer` names the client for the Received header and the log, for example ``[127.0.0.1]`` or ``local``.
    `helo` is what the client called itself at LHLO; empty in direct mode.
    """

    mail_from: str
    rcpt_tos: tuple[str, ...]
    peer: str = "local"
    helo: str = ""
    protocol: str = "LMTP"
