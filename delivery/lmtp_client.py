"""An LMTP client that reads one reply per recipient (RFC 2033 section 4.2), which smtplib does not.

Synchronous, one connection, one thread.  The content is sent as it is: line ends are kept, dots are
stuffed, and a missing last line end is added because the protocol needs one.
"""

import contextlib
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from mailcore.errors import MailError, PermanentError, TemporaryError
from mailcore.reply import LmtpReply

MAX_REPLY_LINE = 4096
"""Octets; RFC 5321 section 4.5.3.1.5 allows 512."""
MAX_REPLY_LINES = 1000
PIPELINED_COMMANDS = 100
"""Commands sent before their replies are read: too few to fill the buffers of either side."""

_REPLY_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?\Z", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: +|\Z)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NO_UTF8 = LmtpReply(553, "5.6.7", "the server takes no UTF-8 addresses")
_NO_REPLY = LmtpReply(451, "4.4.2", "the connection was lost before this recipient's reply")


class LmtpClient:
    """A session with an LMTP server; connects in `with` or by `connect()`.

    Parameters: `path` is a unix socket and replaces `host` and `port`; `timeout` is the longest
    wait for the server in seconds (RFC 5321 section 4.5.3.2.6 asks for 10 minutes after the final
    dot), `connect_timeout` the one until it has greeted; `helo` is our name.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 2003,
        *,
        path: Path | None = None,
        timeout: float = 600.0,
        connect_timeout: float | None = None,
        helo: str = "localhost",
    ) -> None:
        self._address = (host, port)
        self._path = path
        self._timeout = timeout
        self._connect_timeout = timeout if connect_timeout is None else connect_timeout
        self._helo = helo
        self._socket: socket.socket | None = None
        self._replies: BinaryIO | None = None
        self._extensions: Mapping[str, str] | None = None

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.quit()
        else:
            self.close()

    def connect(self) -> None:
        """Connect and read the greeting.

        Raises TemporaryError or, for a 5yz greeting, PermanentError.
        """
        try:
            self._socket = self._open_socket()
            self._replies = self._socket.makefile("rb")
        except OSError as error:
            self.close()
            raise TemporaryError(f"cannot connect to {self._name}: {error}") from error
        try:
            self._expect(220, self._read_reply())
        except MailError:
            self.close()
            raise
        self._socket.settimeout(self._timeout)

    def lhlo(self) -> Mapping[str, str]:
        """Introduce ourselves; return the extensions: upper-case name and what follows it."""
        self._write(f"LHLO {self._helo}\r\n".encode())
        lines = self._read_lines()
        self._expect(250, parse_reply(lines))
        words = (line[4:].decode("ascii", "replace").partition(" ") for line in lines[1:])
        self._extensions = {name.upper(): rest for name, _, rest in words}
        return self._extensions

    def send(self, mail_from: str, rcpt_tos: Sequence[str], content: bytes) -> list[LmtpReply]:
        """Send one message; return one reply per recipient, in the order of `rcpt_tos`.

        A refusal at MAIL or DATA is the reply of each recipient it concerns.  Once the content has
        been sent, a lost connection gives 451 4.4.2 for those whose reply is missing: they may have
        got the mail or not. Raises TemporaryError when the connection fails before, and
        PermanentError for an address that cannot be put on a command line.
        """
        for address in (mail_from, *rcpt_tos):
            if _CONTROL.search(address):
                raise PermanentError(f"control character in the address {address!r}")
        extensions = self._extensions if self._extensions is not None else self.lhlo()
        utf8 = not all(address.isascii() for address in (mail_from, *rcpt_tos))
        if utf8 and "SMTPUTF8" not in extensions:
            return [_NO_UTF8] * len(rcpt_tos)
        mail = f"MAIL FROM:<{mail_from}>{_mail_parameters(extensions, content, utf8=utf8)}"
        commands = [mail, *(f"RCPT TO:<{address}>" for address in rcpt_tos), "DATA"]
        sender, *results, data = self._converse(commands, pipelined="PIPELINING" in extensions)
        return self._finish(sender, results, data, content)

    def quit(self) -> None:
        """Say goodbye and close; a server that does not answer is no error any more."""
        try:
            self._write(b"QUIT\r\n")
            self._read_lines()
        except TemporaryError:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Close the connection without a word; safe to repeat."""
        if self._replies is not None:
            self._replies.close()
        if self._socket is not None:
            self._socket.close()
        self._socket = self._replies = self._extensions = None

    @property
    def connected(self) -> bool:
        """Whether the session goes on; it ends by itself when the connection is lost."""
        return self._socket is not None

    def interrupt(self) -> None:
        """End the connection from another thread: whoever waits for a reply has lost it."""
        connection = self._socket
        if connection is not None:
            with contextlib.suppress(OSError):  # it may end at this very moment
                connection.shutdown(socket.SHUT_RDWR)

    def _finish(
        self, sender: LmtpReply, results: list[LmtpReply], data: LmtpReply, content: bytes
    ) -> list[LmtpReply]:
        """Send the content if it is wanted, and put its replies in their recipients' places."""
        accepted = [i for i, reply in enumerate(results) if reply.positive]
        if data.code == 354:
            self._send_content(content if accepted else b"")
            final = self._read_final_replies(len(accepted))
        else:
            final = iter([data] * len(accepted))
            self._reset()
        if not sender.positive:
            return [sender] * len(results)
        for i in accepted:
            results[i] = next(final)
        return results

    def _send_content(self, content: bytes) -> None:
        # When this fails, the server may still have said why it hung up: the replies tell.
        with contextlib.suppress(TemporaryError):
            self._write(stuff_dots(content))

    def _read_final_replies(self, count: int) -> Iterator[LmtpReply]:
        replies: list[LmtpReply] = []
        try:
            replies.extend(self._read_reply() for _ in range(count))
        except TemporaryError:
            self.close()
        return iter(replies + [_NO_REPLY] * (count - len(replies)))

    def _reset(self) -> None:
        self._write(b"RSET\r\n")
        self._read_reply()

    def _converse(self, commands: Sequence[str], *, pipelined: bool) -> list[LmtpReply]:
        """Send commands and return their replies; RFC 2920: several at a time if allowed."""
        step = PIPELINED_COMMANDS if pipelined else 1
        replies = []
        for start in range(0, len(commands), step):
            batch = commands[start : start + step]
            self._write("".join(f"{command}\r\n" for command in batch).encode())
            replies += [self._read_reply() for _ in batch]
        return replies

    def _expect(self, code: int, reply: LmtpReply) -> None:
        if reply.code == code:
            return
        text = f"{self._name} said: {reply}"
        raise PermanentError(text) if reply.code >= 500 else TemporaryError(text)

    def _read_reply(self) -> LmtpReply:
        """Read one reply; a 421 closes the session and is an error wherever it comes."""
        reply = parse_reply(self._read_lines())
        if reply.code == 421:
            self.close()
            raise TemporaryError(f"{self._name} said: {reply}")
        return reply

    def _read_lines(self) -> list[bytes]:
        """Read the lines of one reply, without their line ends."""
        lines: list[bytes] = []
        while len(lines) < MAX_REPLY_LINES:
            line = self._read_line()
            lines.append(line)
            if line[3:4] != b"-":
                return lines
        self.close()
        raise TemporaryError(f"{self._name} gave a reply without end")

    def _read_line(self) -> bytes:
        if self._replies is None:
            raise TemporaryError(f"not connected to {self._name}")
        try:
            line = self._replies.readline(MAX_REPLY_LINE)
        except OSError as error:
            self.close()
            raise TemporaryError(f"lost the connection to {self._name}: {error}") from error
        if line.endswith(b"\n") and _REPLY_LINE.match(line.rstrip(b"\r\n")):
            return line.rstrip(b"\r\n")
        self.close()
        if line:
            raise TemporaryError(f"{self._name} said something that is no reply: {line[:80]!r}")
        raise TemporaryError(f"{self._name} closed the connection")

    def _write(self, data: bytes) -> None:
        if self._socket is None:
            raise TemporaryError(f"not connected to {self._name}")
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise TemporaryError(f"lost the connection to {self._name}: {error}") from error

    def _open_socket(self) -> socket.socket:
        if self._path is None:
            connection = socket.create_connection(self._address, self._connect_timeout)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(self._connect_timeout)
        try:
            connection.connect(str(self._path))
        except OSError:
            connection.close()
            raise
        return connection

    @property
    def _name(self) -> str:
        return str(self._path) if self._path else "{}:{}".format(*self._address)


def parse_reply(lines: Sequence[bytes]) -> LmtpReply:
    """Return the reply that `lines` (without line ends) make.

    Codes are those of the last line, texts those of all.  Without an enhanced code the class alone
    is given, as in ``2.0.0``.

    >>> parse_reply([b"250-2.1.5 for anna", b"250 2.1.5 delivered"])
    LmtpReply(code=250, enhanced='2.1.5', text='for anna delivered')
    """
    code = int(lines[-1][:3])
    enhanced = f"{code // 100}.0.0"
    texts = []
    for line in lines:
        text = line[4:].decode("utf-8", "replace")
        if match := _ENHANCED.match(text):
            enhanced, text = match[1], text[match.end() :]
        texts.append(text)
    return LmtpReply(code, enhanced, " ".join(texts))


def stuff_dots(content: bytes) -> bytes:
    """Return the content as it goes behind DATA, with the final dot line (RFC 5321 section 4.5.2).

    >>> stuff_dots(b".a\\r\\n..b")
    b'..a\\r\\n...b\\r\\n.\\r\\n'
    """
    lead = b"." if content.startswith(b".") else b""
    end = b".\r\n" if not content or content.endswith(b"\r\n") else b"\r\n.\r\n"
    return lead + content.replace(b"\r\n.", b"\r\n..") + end


def _mail_parameters(extensions: Mapping[str, str], content: bytes, *, utf8: bool) -> str:
    parameters = ""
    if "SIZE" in extensions:
        parameters += f" SIZE={len(content)}"
    if "8BITMIME" in extensions and not content.isascii():
        parameters += " BODY=8BITMIME"
    return parameters + (" SMTPUTF8" if utf8 else "")
