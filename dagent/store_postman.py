"""The postman of the LMTP edge: recipients from the directory, messages to the group-commit writer.

Looking up and large messages go to threads, so that the event loop keeps reading from the other sessions.  A reply
is given only when the commit is on disk.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from delivery.deliver import Planned, plan_message, replies_of
from mailcore.envelope import Envelope
from mailcore.errors import MailError
from mailcore.reply import LmtpReply
from mailcore.settings import LmtpSettings
from store.writer import GroupCommitWriter
from userstore.resolve import Directory, Recipient

_SMALL = 65536  # octets; planning less than this costs less than moving it to a thread
_LOOKUP_THREADS = 4


class StorePostman:
    """Resolves and delivers for `dagent.lmtp`; `settings` may be replaced while it runs."""

    def __init__(
        self,
        directory: Directory,
        writer: GroupCommitWriter,
        settings: LmtpSettings,
        hostname: str,
    ) -> None:
        self.settings = settings
        self._directory = directory
        self._writer = writer
        self._hostname = hostname
        self._threads = ThreadPoolExecutor(_LOOKUP_THREADS, thread_name_prefix="postman")

    async def resolve(self, address: str) -> Recipient:
        """See dagent.postman.Postman."""
        known = self._directory.known(address)
        if known is not None:
            return known
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._directory.resolve, address)

    async def deliver(
        self, envelope: Envelope, recipients: Sequence[Recipient], content: bytes
    ) -> Sequence[LmtpReply]:
        """See dagent.postman.Postman."""
        if len(content) < _SMALL:
            planned = self._plan(envelope, recipients, content)
        else:
            planned = await asyncio.get_running_loop().run_in_executor(
                self._threads, self._plan, envelope, recipients, content
            )
        if not planned.submission.plans:
            return replies_of(planned, None)
        try:
            receipts = await asyncio.wrap_future(self._writer.submit(planned.submission))
        except MailError:
            replies_of(planned, None)  # the log line of each recipient
            raise
        return replies_of(planned, receipts)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()

    def _plan(self, envelope: Envelope, recipients: Sequence[Recipient], content: bytes) -> Planned:
        return plan_message(
            envelope,
            recipients,
            content,
            settings=self.settings,
            hostname=self._hostname,
            deduplicate=True,
        )
