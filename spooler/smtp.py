"""Sending mails to the MTA over one connection (RFC 5321, 1870, 3207, 4954, 6152 and 6531).

Every mail has one recipient and gets its own transaction.  Its bytes go out as they are, dots
stuffed (section 4.5.2); a missing last line end is added because the protocol needs one.  Not
supported: PIPELINING and CHUNKING - between two processes on one host they gain nothing - and
conversion of 8-bit mail for an MTA without 8BITMIME.

A dot is stuffed after a bare line feed too: mail that is forwarded may contain one, and a next hop
that takes it for a line end must not find an end of data of somebody else's making there.
"""

import contextlib
import smtplib
from collections.abc import Generator, Sequence

from mailcore.charset import one_line
from mailcore.errors import PermanentError, TemporaryError
from mailcore.outgoing import OutgoingMail
from mailcore.path import parse_path_argument
from spooler.outcome import Deferred, Outcome, Refused, Sent, SmtpReply, decide_failure, parse_reply
from spooler.smtp_server import SmtpServer

DATA_SECONDS = 600.0
"""Longest wait for the reply to the data; to give up early is to send twice (section 4.5.3.2.6)."""
MOST_LOSSES = 3
"""Connections lost in a row before it is the MTA, and not the mails, that must be in trouble."""


class UnreachableError(TemporaryError):
    """There is no session with the MTA: it does not answer, or it does not let us in."""


class _LostError(Exception):
    """The session is over in the middle of a mail."""


class _FailedError(Exception):
    """The mail is not taken: a command got another reply than the hoped-for one."""

    def __init__(self, outcome: Deferred | Refused) -> None:
        super().__init__(str(outcome.reply))
        self.outcome = outcome


def send_mails(
    server: SmtpServer,
    mails: Sequence[OutgoingMail],
    *,
    hostname: str,
    timeout: float,
    data_timeout: float = DATA_SECONDS,
) -> Generator[Outcome, None, None]:
    """Send mails in their order; give what became of each as soon as it is known.

    Parameters: `hostname` is the name we greet with; `timeout` is the longest wait for each step in
    seconds, `data_timeout` the one for the data and its reply.  Ends early, after an outcome that
    is not `reachable`, when the MTA cannot be talked to: the remaining mails have not been tried.
    After a lost connection the next mail gets a new one, so that a mail the MTA dies of does not
    hold up the others.  Close the iterator to say QUIT.
    """
    session: SmtpSession | None = None
    losses = 0
    try:
        for mail in mails:
            try:
                if session is None or not session.open:
                    session = SmtpSession(server, hostname, timeout, data_timeout)
                outcome = session.send(mail)
                losses = 0
            except UnreachableError as error:
                outcome = Deferred(SmtpReply(0, str(error)), reachable=False)
            except _LostError as error:
                losses += 1
                reply = SmtpReply(0, f"connection lost: {error}")
                outcome = Deferred(reply, reachable=losses < MOST_LOSSES)
            yield outcome
            if isinstance(outcome, Deferred) and not outcome.reachable:
                return
    finally:
        if session is not None:
            session.quit()


class SmtpSession:
    """A session with the MTA, greeted, encrypted and authenticated as far as it offers that.

    Raises UnreachableError when it cannot be had.
    """

    def __init__(
        self, server: SmtpServer, hostname: str, timeout: float, data_timeout: float
    ) -> None:
        self._timeout = timeout
        self._data_timeout = max(timeout, data_timeout)
        try:
            self._smtp = _connect(server, hostname, timeout)
        except (OSError, ValueError) as error:
            raise UnreachableError(_describe(error)) from error
        try:
            _prepare(self._smtp, server)
        except (OSError, ValueError) as error:
            self._smtp.close()
            raise UnreachableError(_describe(error)) from error

    @property
    def open(self) -> bool:
        """False once the connection has been closed, by whomever."""
        return self._smtp.sock is not None

    def send(self, mail: OutgoingMail) -> Outcome:
        """Send one mail; raises _LostError when the connection ended before its verdict."""
        try:
            return self._transaction(mail)
        except _FailedError as failed:
            self._reset()
            return failed.outcome
        except (OSError, ValueError) as error:
            self._smtp.close()
            raise _LostError(_describe(error)) from error

    def quit(self) -> None:
        """End the session; a farewell that fails harms nobody."""
        with contextlib.suppress(OSError, ValueError):
            self._smtp.docmd("QUIT")
        self._smtp.close()

    def _reset(self) -> None:
        """Make the MTA forget a mail it has not taken, or leave it."""
        try:
            code, _ = self._smtp.docmd("RSET")
        except (OSError, ValueError):
            self._smtp.close()
            return
        if code != 250:
            self.quit()

    def _transaction(self, mail: OutgoingMail) -> Sent:
        """MAIL, RCPT and DATA (RFC 5321 section 3.3)."""
        mail_from = (
            self._address(mail.mail_from, "5.1.7 bad sender address") if mail.mail_from else ""
        )
        rcpt_to = self._address(mail.rcpt_to, "5.1.3 bad recipient address")
        options = self._options(mail, utf8=not (mail_from + rcpt_to).isascii())
        self._expect(2, "MAIL", f"FROM:<{mail_from}>{options}")
        self._expect(2, "RCPT", f"TO:<{rcpt_to}>")
        self._expect(3, "DATA")
        return Sent(self._data(mail.content))

    def _address(self, address: str, complaint: str) -> str:
        """An address as it can stand in a command; it comes out of mails, so it may be anything."""
        try:
            path = parse_path_argument("TO", f"TO:<{address}>")
        except PermanentError as error:
            raise _FailedError(Refused(SmtpReply(0, f"{complaint}: {error}"))) from error
        if path.parameters or not path.address:
            raise _FailedError(Refused(SmtpReply(0, complaint)))
        if path.address.isascii() or self._smtp.has_extn("smtputf8"):
            return path.address
        return _ascii_address(path.address)

    def _options(self, mail: OutgoingMail, *, utf8: bool) -> str:
        """The parameters of MAIL, each only where it is needed and offered."""
        options = ""
        if self._smtp.has_extn("size"):
            options += f" SIZE={len(mail.content)}"
        if self._smtp.has_extn("8bitmime") and not mail.content.isascii():
            options += " BODY=8BITMIME"
        if utf8:
            options += " SMTPUTF8"
        return options

    def _data(self, content: bytes) -> SmtpReply:
        """Send the content; return the reply that makes the mail the MTA's."""
        stuffed = _stuff(content)
        sock = self._smtp.sock
        if sock is None:
            raise smtplib.SMTPServerDisconnected("closed after DATA")
        sock.settimeout(self._data_timeout)
        self._smtp.send(stuffed)
        code, text = self._smtp.getreply()
        sock.settimeout(self._timeout)
        return self._checked(2, code, text)

    def _expect(self, kind: int, command: str, arguments: str = "") -> None:
        self._checked(kind, *self._smtp.docmd(command, arguments))

    def _checked(self, kind: int, code: int, text: bytes) -> SmtpReply:
        """Return the reply if its first digit is `kind`; 421 is a farewell (RFC 5321 section 3.8)."""
        reply = parse_reply(code, text)
        if not 200 <= code < 600:  # smtplib cannot tell where the next reply begins
            raise smtplib.SMTPServerDisconnected(f"malformed reply {reply.text}")
        if code == 421:
            raise smtplib.SMTPServerDisconnected(str(reply))
        if code // 100 != kind:
            raise _FailedError(decide_failure(reply))
        return reply


def _connect(server: SmtpServer, hostname: str, timeout: float) -> smtplib.SMTP:
    if server.tls:
        return smtplib.SMTP_SSL(
            server.host,
            server.port,
            local_hostname=hostname,
            timeout=timeout,
            context=server.tls_context(),
        )
    return smtplib.SMTP(server.host, server.port, local_hostname=hostname, timeout=timeout)


def _prepare(smtp: smtplib.SMTP, server: SmtpServer) -> None:
    """Greet, encrypt, authenticate; raises OSError (smtplib's errors are) when a step fails."""
    smtp.command_encoding = "utf-8"  # for SMTPUTF8; every other command is ASCII anyway
    smtp.ehlo_or_helo_if_needed()
    encrypted = server.tls
    if not encrypted and smtp.has_extn("starttls"):
        code, text = smtp.starttls(context=server.tls_context())
        if code != 220:
            raise smtplib.SMTPResponseException(code, text)
        smtp.ehlo_or_helo_if_needed()
        encrypted = True
    if server.user:
        if not encrypted and not server.on_this_host:
            raise smtplib.SMTPNotSupportedError(
                "no STARTTLS: the password is not sent in the clear"
            )
        smtp.login(server.user, server.password)


def _describe(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        octets = text if isinstance(text, bytes) else str(text).encode()
        return str(parse_reply(error.smtp_code, octets))
    if isinstance(error, OSError) and error.strerror:
        return one_line(error.strerror)
    return one_line(str(error)) or type(error).__name__


def _ascii_address(address: str) -> str:
    """An address for an MTA without SMTPUTF8: the domain as A-labels (RFC 5890)."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local.encode('ascii').decode()}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        reply = SmtpReply(0, "5.6.7 the MTA takes no UTF-8 addresses")
        raise _FailedError(Refused(reply)) from None


def _stuff(content: bytes) -> bytes:
    """The content as it goes on the wire, with the dots stuffed and the final dot."""
    stuffed = content.replace(b"\n.", b"\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    if not stuffed.endswith(b"\r\n"):
        stuffed += b"\r\n"
    return stuffed + b".\r\n"
