"""What LMTP commands may say and how that is answered: decided from values, no connection.

RFC 5321 (commands), RFC 2033 (LMTP), RFC 1870 (SIZE), RFC 6152 (8BITMIME), RFC 6531 (SMTPUTF8), RFC
3030 (CHUNKING, without BINARYMIME), RFC 3207 (STARTTLS), RFC 3463 and RFC 2034 (enhanced status
codes).  The parameters of RFC 3461 are accepted and have no effect: a final delivery is reported to
the client in the reply, and DSN is not offered.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mailcore.path import AddressSyntaxError, ArgumentSyntaxError, PathArgument, parse_path_argument
from mailcore.reply import TOO_LARGE, LmtpReply

OK = LmtpReply(250, "2.0.0", "ok")
SENDER_OK = LmtpReply(250, "2.1.0", "sender ok")
CANNOT_VERIFY = LmtpReply(252, "2.5.0", "not verified here, try RCPT")
GOODBYE = LmtpReply(221, "2.0.0", "goodbye")
UNKNOWN_COMMAND = LmtpReply(500, "5.5.1", "command not recognized")
USE_LHLO = LmtpReply(500, "5.5.1", "this is LMTP, say LHLO")
NOT_IMPLEMENTED = LmtpReply(502, "5.5.1", "command not implemented")
NOT_UTF8 = LmtpReply(500, "5.5.2", "the command line is not UTF-8")
NO_ARGUMENT = LmtpReply(501, "5.5.4", "this command takes no argument")
NEEDS_ARGUMENT = LmtpReply(501, "5.5.4", "an argument is missing")
BAD_HOSTNAME = LmtpReply(501, "5.5.4", "expected LHLO hostname")
BAD_CHUNK = LmtpReply(501, "5.5.4", "expected BDAT octets, or BDAT octets LAST")
BAD_CHUNK_SIZE = LmtpReply(501, "5.5.4", "BDAT without a size: cannot tell what follows, closing")
SAY_LHLO = LmtpReply(503, "5.5.1", "say LHLO first")
NESTED_MAIL = LmtpReply(503, "5.5.1", "a transaction is open already")
NEEDS_MAIL = LmtpReply(503, "5.5.1", "MAIL comes first")
NEEDS_RECIPIENT = LmtpReply(503, "5.5.1", "no recipient has been accepted")
DATA_AFTER_BDAT = LmtpReply(503, "5.5.1", "the message comes by BDAT already")
RCPT_AFTER_BDAT = LmtpReply(503, "5.5.1", "the message has begun, recipients come before it")
FAILED_CHUNK = LmtpReply(503, "5.5.1", "an earlier BDAT has failed, say RSET")
CHUNK_OK = LmtpReply(250, "2.0.0", "chunk ok")
READY_FOR_TLS = LmtpReply(220, "2.0.0", "ready to start TLS")
ALREADY_TLS = LmtpReply(503, "5.5.1", "this is TLS already")
TOO_MANY_RECIPIENTS = LmtpReply(452, "4.5.3", "too many recipients in one transaction")
UNKNOWN_PARAMETER = LmtpReply(555, "5.5.4", "parameter not recognized")
IDLE_TOO_LONG = LmtpReply(421, "4.4.2", "idle for too long, closing")
SHUTTING_DOWN = LmtpReply(421, "4.3.2", "the server is shutting down, please try again later")
TOO_MANY_SESSIONS = LmtpReply(421, "4.3.2", "too many sessions, please try again later")
TOO_MANY_FROM_HOST = LmtpReply(421, "4.7.0", "too many sessions from your host, try again later")
TOO_MANY_ERRORS = LmtpReply(421, "4.7.0", "too many bad commands, closing")
TOO_MANY_COMMANDS = LmtpReply(421, "4.7.0", "too many commands without a mail, closing")
BROKEN_TRANSFER = LmtpReply(421, "4.3.0", "temporary trouble here, closing")

_RCPT_PARAMETERS = frozenset({"ORCPT", "NOTIFY"})
_MAIL_PARAMETERS = frozenset({"SIZE", "BODY", "SMTPUTF8", "RET", "ENVID"})
_BODIES = frozenset({"7BIT", "8BITMIME"})
_EXTENSIONS = ("PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", "CHUNKING")
_REPLY_OCTETS = 510  # RFC 5321 section 4.5.3.1.5, without the CR LF
_SIZE_DIGITS = 20  # RFC 1870 section 3


@dataclass(frozen=True, slots=True)
class LmtpLimits:
    """What a client may ask for: octets, counts, and seconds.

    `message_size` is counted as in RFC 1870; `command_length` includes the CR LF; `idle_timeout` is
    the time, in seconds, that the server waits for the client (RFC 5321 section 4.5.3.2.7: at least
    5 minutes); `bad_commands` unreadable or unknown commands end a session, and so do `commands`
    others without a mail, recipients that are accepted and chunks not counted. `sessions_per_host`
    holds for each address of TCP clients.
    """

    message_size: int = 50 * 1024 * 1024
    recipients: int = 1000
    idle_timeout: float = 300.0
    command_length: int = 4096
    bad_commands: int = 20
    commands: int = 1000
    sessions: int = 200
    sessions_per_host: int = 100


DEFAULT_LIMITS = LmtpLimits()


class CommandRefusedError(Exception):
    """The command gets `reply` and changes nothing."""

    def __init__(self, reply: LmtpReply) -> None:
        super().__init__(str(reply))
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Sender:
    """What MAIL said: the reverse-path, empty for `<>`, whether SMTPUTF8 is used, and SIZE.

    `size` is in octets, 0 where nothing was said.
    """

    address: str
    utf8: bool = False
    size: int = 0


def parse_sender(argument: str, message_size: int) -> Sender:
    """Read the argument of MAIL; `message_size` is the largest message accepted, in octets.

    Raises CommandRefusedError with 501, 552 5.3.4 or 555 5.5.4.
    """
    path = _parse(argument, "FROM", "5.1.7")
    parameters = path.parameters
    if not parameters:
        return Sender(path.address)
    _check_known(parameters, _MAIL_PARAMETERS)
    if "BODY" in parameters and (parameters["BODY"] or "").upper() not in _BODIES:
        raise _bad_argument("BODY is 7BIT or 8BITMIME")
    if parameters.get("SMTPUTF8") is not None:
        raise _bad_argument("SMTPUTF8 takes no value")
    size = _parse_size(parameters["SIZE"]) if "SIZE" in parameters else 0
    if size > message_size:
        raise CommandRefusedError(TOO_LARGE)
    return Sender(path.address, "SMTPUTF8" in parameters, size)


def parse_recipient(argument: str) -> str:
    """Read the argument of RCPT and return the forward-path.

    Raises CommandRefusedError with 501 or 555 5.5.4.
    """
    path = _parse(argument, "TO", "5.1.3")
    if not path.address:
        raise CommandRefusedError(LmtpReply(501, "5.1.3", "a recipient cannot be empty"))
    if path.parameters:
        _check_known(path.parameters, _RCPT_PARAMETERS)
    return path.address


def parse_hostname(argument: str) -> str:
    """Return the one word by which a client introduces itself, or raise CommandRefusedError."""
    if not argument.isprintable() or len(argument.split()) != 1:
        raise CommandRefusedError(BAD_HOSTNAME)
    return argument


def lhlo_lines(hostname: str, message_size: int, *, starttls: bool) -> bytes:
    """Return the whole answer to LHLO; `message_size` in octets is what SIZE offers."""
    tls = ("STARTTLS",) if starttls else ()
    lines = (hostname, *_EXTENSIONS, *tls)
    head = "".join(f"250-{line}\r\n" for line in lines)
    return f"{head}250 SIZE {message_size}\r\n".encode("ascii", "backslashreplace")


def protocol_name(*, utf8: bool, tls: bool) -> str:
    """Return what the Received header says after "with" (RFC 3848, RFC 6531 section 4.3).

    >>> protocol_name(utf8=True, tls=True)
    'UTF8LMTPS'
    """
    return ("UTF8" if utf8 else "") + "LMTP" + ("S" if tls else "")


def reply_line(reply: LmtpReply) -> bytes:
    """Return a reply as it goes on the wire.

    Texts can quote an address or an error; what is not printable ASCII is escaped, so that no text
    can break the line and no client without SMTPUTF8 gets UTF-8 (RFC 6531 section 3.7.4.2).

    >>> reply_line(LmtpReply(550, "5.1.0", "no ü\\r\\nhere"))
    b'550 5.1.0 no \\\\xfc\\\\r\\\\nhere\\r\\n'
    """
    line = str(reply)
    if not (line.isascii() and line.isprintable()):
        line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
    return line.encode("ascii", "backslashreplace")[:_REPLY_OCTETS] + b"\r\n"


def _parse(argument: str, keyword: str, address_status: str) -> PathArgument:
    try:
        return parse_path_argument(keyword, argument)
    except AddressSyntaxError as error:
        raise CommandRefusedError(LmtpReply(501, address_status, str(error))) from error
    except ArgumentSyntaxError as error:
        raise _bad_argument(str(error)) from error


def _check_known(parameters: Mapping[str, str | None], known: Collection[str]) -> None:
    if any(name not in known for name in parameters):
        raise CommandRefusedError(UNKNOWN_PARAMETER)


def _parse_size(value: str | None) -> int:
    if value is None or not (value.isascii() and value.isdigit() and len(value) <= _SIZE_DIGITS):
        raise _bad_argument("SIZE is a number of octets")
    return int(value)


def _bad_argument(why: str) -> CommandRefusedError:
    return CommandRefusedError(LmtpReply(501, "5.5.4", why))
