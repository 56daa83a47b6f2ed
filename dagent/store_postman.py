"""The postman of the LMTP edge: recipients from the directory, messages to the group-commit writer.

Looking up and large messages go to threads, so that the event loop keeps reading from the other sessions.  A reply
is given only when the commit is on disk.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from dagent.handover import Handover
from delivery.deliver import Planned, plan_message, replies_of
from mailcore.envelope import Envelope
from mailcore.errors import MailError
from mailcore.reply import LmtpReply
from mailcore.settings import LmtpSettings
from store.plan import Submission
from store.writer import GroupCommitWriter, Receipts
from userstore.resolve import Directory, Recipient

_SMALL = 65536  # octets; planning less than this costs less than moving it to a thread
_LOOKUP_THREADS = 4
_LARGE_MAIL_THREADS = 4  # most of their time is the disk's


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
        self._large = ThreadPoolExecutor(_LARGE_MAIL_THREADS, thread_name_prefix="large-mail")
        self._handover: Handover[Receipts] | None = None

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
        large = len(content) >= _SMALL
        loop = asyncio.get_running_loop()
        if large:
            planned = await loop.run_in_executor(
                self._large, self._plan, envelope, recipients, content
            )
        else:
            planned = self._plan(envelope, recipients, content)
        submission = planned.submission
        if not submission.plans:
            return replies_of(planned, None)
        try:
            if large:
                submission = await loop.run_in_executor(
                    self._large, self._writer.write_files, submission
                )
            receipts = await self._committed(submission)
        except MailError:
            replies_of(planned, None)  # the log line of each recipient
            raise
        return replies_of(planned, receipts)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()
        self._large.shutdown()

    async def _committed(self, submission: Submission) -> Receipts:
        if self._handover is None:
            self._handover = Handover(asyncio.get_running_loop())
            self._writer.call_when_settled(self._handover.bring)
        return await self._handover.expect(self._writer.submit(submission))

    def _plan(self, envelope: Envelope, recipients: Sequence[Recipient], content: bytes) -> Planned:
        return plan_message(
            envelope,
            recipients,
            content,
            settings=self.settings,
            hostname=self._hostname,
            deduplicate=True,
        )
