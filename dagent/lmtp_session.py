"""One LMTP session (RFC 2033): commands in, one reply per recipient out.

Of aiosmtpd the connection is used; the command loop, the parsing of addresses and the reading of
DATA are our own: by blocks and not by lines, with strict CR LF "." CR LF, with the replies to
pipelined commands in one write (RFC 2920), and never a permanent reply for trouble of our own.

Not offered: BINARYMIME, DSN, AUTH, HELP, EXPN.
"""

import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping

from dagent import lmtp_commands as commands
from dagent.bdat import ChunkedMessage, parse_chunk
from dagent.command_lines import CommandLineError
from dagent.lmtp_commands import DEFAULT_LIMITS, CommandRefusedError, LmtpLimits, reply_line
from dagent.lmtp_connection import OpenWork
from dagent.lmtp_transfer import LmtpTransfer, Transaction
from dagent.postman import Postman, resolve_or_refuse
from mailcore.reply import TOO_LARGE, TRY_LATER, LmtpReply

log = logging.getLogger(__name__)


class LmtpSession(LmtpTransfer):
    """Talks LMTP with one client."""

    def __init__(
        self,
        postman: Postman,
        hostname: str,
        limits: LmtpLimits = DEFAULT_LIMITS,
        certificate: ssl.SSLContext | None = None,
        *,
        open_work: OpenWork | None = None,
    ) -> None:
        super().__init__(postman, hostname, limits, open_work=open_work)
        self._certificate = certificate
        self._bad_commands = 0
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._lines.take_rest()
        self._helo = ""
        self._transaction: Transaction | None = None
        self._commands = 0  # since the last mail

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
            if self._farewell is not None and not self._busy:
                self._say(self._farewell)
                break
            try:
                line = self._lines.next_line()
            except CommandLineError as error:
                self._say_bad(LmtpReply(500, "5.5.2", str(error)))
                continue
            if line is not None and self._commands >= self._limits.commands:
                self._say(commands.TOO_MANY_COMMANDS)
                break
            if line is not None:
                await self._answer(line)
            elif block := await self._read():
                self._lines.feed(block)
            else:
                break
        await self._flush()

    async def _answer(self, line: bytes) -> None:
        self._busy = True
        self._commands += 1
        try:
            reply = await self._obey(line)
        except CommandRefusedError as refused:
            reply = refused.reply
        except ConnectionError:
            raise  # the client has gone; the postman's own never come up to here
        except Exception:
            log.exception("%s: a command failed", self._peer)
            reply = self._failure()
        self._busy = self._transaction is not None and self._transaction.under_way
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
        starttls = self._certificate is not None and not self._secured
        size = self._limits.message_size
        self._out.append(commands.lhlo_lines(self.hostname, size, starttls=starttls))

    async def _starttls(self, argument: str) -> LmtpReply | None:
        if self._certificate is None:
            return commands.NOT_IMPLEMENTED
        if argument:
            return commands.NO_ARGUMENT
        if self._secured:
            return commands.ALREADY_TLS
        self._say(commands.READY_FOR_TLS)
        await self._flush()
        self._begin_anew()
        await self._secure(self._certificate)
        return None

    async def _mail(self, argument: str) -> LmtpReply:
        if not self._helo:
            return commands.SAY_LHLO
        if self._transaction is not None and not self._transaction.failed:
            return commands.NESTED_MAIL
        self._transaction = Transaction(commands.parse_sender(argument, self._limits.message_size))
        return commands.SENDER_OK

    async def _rcpt(self, argument: str) -> LmtpReply:
        transaction = self._transaction
        if transaction is None:
            return self._needs_mail()
        if transaction.chunks is not None:
            return commands.RCPT_AFTER_BDAT
        address = commands.parse_recipient(argument)
        if len(transaction.recipients) >= self._limits.recipients:
            return commands.TOO_MANY_RECIPIENTS
        recipient, reply = await resolve_or_refuse(
            self._postman, address, self._peer, transaction.sender.size
        )
        if reply.positive:
            self._commands -= 1
            transaction.rcpt_tos.append(address)
            transaction.recipients.append(recipient)
        return reply

    async def _data(self, argument: str) -> LmtpReply | None:
        transaction = self._transaction
        if argument:
            return commands.NO_ARGUMENT
        if transaction is None or not transaction.recipients:
            return commands.NEEDS_RECIPIENT if self._helo else commands.SAY_LHLO
        if transaction.chunks is not None:
            return commands.DATA_AFTER_BDAT
        self._out.append(b"354 end the data with <CR><LF>.<CR><LF>\r\n")
        reader = await self._read_data()
        if reader is None:
            self._over = True  # the client left in mid-message: nothing of it may be delivered
        else:
            await self._finish(transaction, reader, TOO_LARGE if reader.too_large else None)
            self._end_transaction()
        return None

    async def _bdat(self, argument: str) -> LmtpReply | None:
        """Take one chunk; its octets are read whatever the answer (RFC 3030 section 2).

        The last one gets a reply for each recipient, and so none where none was accepted (RFC 2033 section 4.3).
        """
        chunk = parse_chunk(argument)
        if chunk is None:
            self._over = True
            return commands.BAD_CHUNK_SIZE
        transaction = self._transaction
        message = transaction.chunks if transaction is not None else None
        if message is None:
            message = ChunkedMessage(self._limits.message_size)
        message.announce(chunk)
        if transaction is None or not transaction.recipients:
            message.refuse(commands.NEEDS_RECIPIENT)
        if not await self._read_chunk(chunk.size, message):
            self._over = True
            return None
        if transaction is None:
            return self._needs_mail()
        transaction.chunks = message
        if chunk.last:
            await self._finish(transaction, message, message.refusal)
            self._end_transaction()
            return None
        if message.refusal is None and chunk.size:
            self._commands -= 1
        return message.refusal or commands.CHUNK_OK

    def _end_transaction(self) -> None:
        self._transaction = None
        self._commands = 0

    def _needs_mail(self) -> LmtpReply:
        return commands.NEEDS_MAIL if self._helo else commands.SAY_LHLO

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
    "BDAT": LmtpSession._bdat,
    "STARTTLS": LmtpSession._starttls,
    "RSET": LmtpSession._rset,
    "NOOP": LmtpSession._noop,
    "VRFY": LmtpSession._vrfy,
    "QUIT": LmtpSession._quit,
}
_REFUSED_COMMANDS: Mapping[str, LmtpReply] = {
    "HELO": commands.USE_LHLO,
    "EHLO": commands.USE_LHLO,
    **dict.fromkeys(("AUTH", "EXPN", "HELP"), commands.NOT_IMPLEMENTED),
}
