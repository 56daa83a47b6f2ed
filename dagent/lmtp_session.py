"""One LMTP session (RFC 2033): commands in, one reply per recipient out.

Of aiosmtpd the connection is used; the command loop, the parsing of addresses and the reading of
DATA are our own: by blocks and not by lines, with strict CR LF "." CR LF, with the replies to
pipelined commands in one write (RFC 2920), and never a permanent reply for trouble of our own.

Not offered: CHUNKING, DSN, STARTTLS, AUTH, HELP, EXPN.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dagent import lmtp_commands as commands
from dagent.command_lines import CommandLineError, CommandLines
from dagent.data_reader import DataReader
from dagent.lmtp_commands import DEFAULT_LIMITS, CommandRefusedError, LmtpLimits, reply_line
from dagent.lmtp_connection import LmtpConnection, OpenWork
from dagent.postman import Postman, deliver_or_try_later, resolve_or_refuse
from mailcore.envelope import Envelope
from mailcore.reply import TOO_LARGE, TRY_LATER, LmtpReply

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Transaction:
    """A mail transaction (RFC 5321 section 3.3); `recipients` are the resolved `rcpt_tos`."""

    sender: commands.Sender
    rcpt_tos: list[str] = field(default_factory=list)
    recipients: list[Any] = field(default_factory=list)


class LmtpSession(LmtpConnection):
    """Talks LMTP with one client."""

    def __init__(
        self,
        postman: Postman,
        hostname: str,
        limits: LmtpLimits = DEFAULT_LIMITS,
        *,
        open_work: OpenWork | None = None,
    ) -> None:
        super().__init__(hostname, limits, open_work=open_work)
        self._postman = postman
        self._bad_commands = 0
        self._in_data = False  # what comes next from the client is message content
        self._begin_anew()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start a session, or start again inside TLS: nothing said in plain text is remembered."""
        self._begin_anew()
        super().connection_made(transport)

    def _begin_anew(self) -> None:
        self._lines = CommandLines(self._limits.command_length)
        self._helo = ""
        self._transaction: Transaction | None = None

    async def _handle_client(self) -> None:
        try:
            await self._converse()
        except OSError as error:
            log.info("%s: connection lost: %s", self._peer, error)
        finally:
            self._waiting_since = self.loop.time()  # for the client to take the last replies
            self._writer.close()

    async def _converse(self) -> None:
        if self._farewell is None:
            self._out.append(f"220 {self.hostname} LMTP ready\r\n".encode())
        while not self._over:
            if self._farewell is not None:
                self._say(self._farewell)
                break
            try:
                line = self._lines.next_line()
            except CommandLineError as error:
                self._say_bad(LmtpReply(500, "5.5.2", str(error)))
                continue
            if line is not None:
                await self._answer(line)
            elif block := await self._read():
                self._lines.feed(block)
            else:
                break
        await self._flush()

    async def _answer(self, line: bytes) -> None:
        self._busy = True
        try:
            reply = await self._obey(line)
        except CommandRefusedError as refused:
            reply = refused.reply
        except ConnectionError:
            raise  # the client has gone; the postman's own never come up to here
        except Exception:
            log.exception("%s: a command failed", self._peer)
            reply = self._failure()
        self._busy = False
        if reply is None:
            return
        if reply.code in {500, 502}:
            self._say_bad(reply)
        else:
            self._say(reply)

    async def _obey(self, line: bytes) -> LmtpReply | None:
        """Do what a command line says; None when the answer has been given already."""
        try:
            verb, _, argument = line.decode().partition(" ")
        except UnicodeDecodeError:
            return commands.NOT_UTF8
        verb = verb.upper()
        log.debug("%s: %s %s", self._peer, verb, argument)
        command = _COMMANDS.get(verb)
        if command is None:
            return _REFUSED_COMMANDS.get(verb, commands.UNKNOWN_COMMAND)
        return await command(self, argument.strip(" "))

    def _failure(self) -> LmtpReply:
        """Return the answer when a command raised what nobody expected: never 5yz."""
        if not self._in_data:
            return TRY_LATER
        # The rest of a message must never be read as commands.
        self._over = True
        return commands.BROKEN_TRANSFER

    def _say(self, reply: LmtpReply) -> None:
        self._out.append(reply_line(reply))

    def _say_bad(self, reply: LmtpReply) -> None:
        """Refuse what is no command, and end the session of a client that speaks no LMTP."""
        self._bad_commands += 1
        if self._bad_commands < self._limits.bad_commands:
            self._say(reply)
        else:
            self._say(commands.TOO_MANY_ERRORS)
            self._over = True

    async def _lhlo(self, argument: str) -> None:
        self._helo = commands.parse_hostname(argument)
        self._transaction = None
        self._out.append(commands.lhlo_lines(self.hostname, self._limits.message_size))

    async def _mail(self, argument: str) -> LmtpReply:
        if not self._helo:
            return commands.SAY_LHLO
        if self._transaction is not None:
            return commands.NESTED_MAIL
        self._transaction = Transaction(commands.parse_sender(argument, self._limits.message_size))
        return commands.SENDER_OK

    async def _rcpt(self, argument: str) -> LmtpReply:
        transaction = self._transaction
        if transaction is None:
            return commands.NEEDS_MAIL if self._helo else commands.SAY_LHLO
        address = commands.parse_recipient(argument)
        if len(transaction.recipients) >= self._limits.recipients:
            return commands.TOO_MANY_RECIPIENTS
        recipient, reply = await resolve_or_refuse(self._postman, address, self._peer)
        if reply.positive:
            transaction.rcpt_tos.append(address)
            transaction.recipients.append(recipient)
        return reply

    async def _data(self, argument: str) -> LmtpReply | None:
        transaction = self._transaction
        if argument:
            return commands.NO_ARGUMENT
        if transaction is None or not transaction.recipients:
            return commands.NEEDS_RECIPIENT if self._helo else commands.SAY_LHLO
        self._out.append(b"354 end the data with <CR><LF>.<CR><LF>\r\n")
        reader = await self._read_data()
        if reader is None:
            self._over = True  # the client left in mid-message: nothing of it may be delivered
            return None
        if reader.too_large:
            replies: Sequence[LmtpReply] = [TOO_LARGE] * len(transaction.recipients)
        else:
            replies = await self._deliver(transaction, reader.content())
        self._transaction = None
        self._out.extend(map(reply_line, replies))
        await self._flush()
        return None

    async def _read_data(self) -> DataReader | None:
        """Read a message to its end; None when the connection ends before."""
        reader = DataReader(self._limits.message_size)
        self._in_data = True
        rest = reader.feed(self._lines.take_rest())
        while rest is None:
            block = await self._read()
            if not block:
                return None
            rest = reader.feed(block)
        self._in_data = False
        self._lines.feed(rest)
        return reader

    async def _deliver(self, transaction: Transaction, content: bytes) -> Sequence[LmtpReply]:
        """Hand the message over, in a task that outlives this session if the client goes away."""
        delivery = self.loop.create_task(self._deliver_and_log(transaction, content))
        self._open_work.track(delivery)
        return await asyncio.shield(delivery)

    async def _deliver_and_log(
        self, transaction: Transaction, content: bytes
    ) -> Sequence[LmtpReply]:
        envelope = Envelope(
            mail_from=transaction.sender.address,
            rcpt_tos=tuple(transaction.rcpt_tos),
            peer=self._peer,
            helo=self._helo,
            protocol="UTF8LMTP" if transaction.sender.utf8 else "LMTP",  # RFC 6531 section 4.3
        )
        recipients = transaction.recipients
        replies = await deliver_or_try_later(self._postman, envelope, recipients, content)
        if self.transport is None:
            answers = ", ".join(map(str, replies))
            log.warning("%s: left without waiting for its replies: %s", self._peer, answers)
        return replies

    async def _rset(self, argument: str) -> LmtpReply:
        if argument:
            return commands.NO_ARGUMENT
        self._transaction = None
        return commands.OK

    async def _noop(self, _argument: str) -> LmtpReply:
        return commands.OK

    async def _vrfy(self, argument: str) -> LmtpReply:
        return commands.CANNOT_VERIFY if argument else commands.NEEDS_ARGUMENT

    async def _quit(self, argument: str) -> LmtpReply:
        if argument:
            return commands.NO_ARGUMENT
        self._over = True
        return commands.GOODBYE


_Command = Callable[[LmtpSession, str], Awaitable[LmtpReply | None]]
_COMMANDS: Mapping[str, _Command] = {
    "LHLO": LmtpSession._lhlo,
    "MAIL": LmtpSession._mail,
    "RCPT": LmtpSession._rcpt,
    "DATA": LmtpSession._data,
    "RSET": LmtpSession._rset,
    "NOOP": LmtpSession._noop,
    "VRFY": LmtpSession._vrfy,
    "QUIT": LmtpSession._quit,
}
_REFUSED_COMMANDS: Mapping[str, LmtpReply] = {
    "HELO": commands.USE_LHLO,
    "EHLO": commands.USE_LHLO,
    **dict.fromkeys(("AUTH", "EXPN", "HELP", "STARTTLS"), commands.NOT_IMPLEMENTED),
}
