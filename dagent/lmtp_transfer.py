"""The content of a message on its way from the client to the postman, and the replies on their way back.

By DATA or by BDAT, in blocks; the message is handed over in a task of its own, and each recipient that was
accepted gets exactly one reply (RFC 2033 sections 4.2 and 4.3).
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dagent import lmtp_commands as commands
from dagent.bdat import ChunkedMessage
from dagent.command_lines import CommandLines
from dagent.data_reader import DataReader
from dagent.lmtp_commands import DEFAULT_LIMITS, LmtpLimits, reply_line
from dagent.lmtp_connection import LmtpConnection, OpenWork
from dagent.postman import Postman, deliver_or_try_later
from mailcore.envelope import Envelope
from mailcore.reply import TRY_LATER, LmtpReply

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Transaction:
    """A mail transaction (RFC 5321 section 3.3); `recipients` are the resolved `rcpt_tos`.

    `chunks` is what has come by BDAT so far, None before the first.
    """

    sender: commands.Sender
    rcpt_tos: list[str] = field(default_factory=list)
    recipients: list[Any] = field(default_factory=list)
    chunks: ChunkedMessage | None = None

    @property
    def under_way(self) -> bool:
        """Whether chunks have been taken, and the last is still to come."""
        return self.chunks is not None and self.chunks.refusal is None

    @property
    def failed(self) -> bool:
        """Whether a BDAT was refused: nothing can come of this one any more."""
        return self.chunks is not None and self.chunks.refusal is not None


class LmtpTransfer(LmtpConnection):
    """Reads messages, hands them over, and answers for each recipient."""

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
        self._lines = CommandLines(limits.command_length)
        self._helo = ""
        self._in_data = False  # what comes next from the client is message content

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

    async def _read_chunk(self, size: int, message: ChunkedMessage) -> bool:
        """Read the octets of a chunk; False when the connection ends before."""
        self._in_data = True
        block = self._lines.take_rest()
        while len(block) < size:
            message.add(block)
            size -= len(block)
            block = await self._read()
            if not block:
                return False
        message.add(block[:size])
        self._lines.feed(block[size:])
        self._in_data = False
        return True

    async def _finish(
        self,
        transaction: Transaction,
        message: DataReader | ChunkedMessage,
        refusal: LmtpReply | None,
    ) -> None:
        """Hand the message over unless it is refused, and give one reply per recipient in any case."""
        replies: Sequence[LmtpReply] = [refusal or TRY_LATER] * len(transaction.recipients)
        if refusal is None and replies:
            try:
                replies = await self._deliver(transaction, message.content())
            except Exception:  # one reply for each is due, whatever has happened
                log.exception("%s: a message could not be handed over", self._peer)
        self._out.extend(map(reply_line, replies))
        await self._flush()

    async def _deliver(self, transaction: Transaction, content: bytes) -> Sequence[LmtpReply]:
        """Hand the message over, in a task that outlives this session if the client goes away."""
        envelope = Envelope(
            mail_from=transaction.sender.address,
            rcpt_tos=tuple(transaction.rcpt_tos),
            peer=self._peer,
            helo=self._helo,
            protocol=commands.protocol_name(utf8=transaction.sender.utf8, tls=self._secured),
        )
        delivery = self.loop.create_task(
            self._deliver_and_log(envelope, transaction.recipients, content)
        )
        self._open_work.track(delivery)
        return await asyncio.shield(delivery)

    async def _deliver_and_log(
        self, envelope: Envelope, recipients: Sequence[Any], content: bytes
    ) -> Sequence[LmtpReply]:
        replies = await deliver_or_try_later(self._postman, envelope, recipients, content)
        if self.transport is None:
            answers = ", ".join(map(str, replies))
            log.warning("%s: left without waiting for its replies: %s", self._peer, answers)
        return replies
