"""The postman of the LMTP edge: recipients from the directory, messages to the group-commit writer.

Looking up and large messages go to threads, so that the event loop keeps reading from the other sessions.  A reply
is given only when the commit is on disk.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from dagent.handover import Handover
from delivery.deliver import Planned, plan_message, replies_of
from delivery.replies import full_reply
from mailcore.envelope import Envelope
from mailcore.errors import MailboxFullError, MailError
from mailcore.reply import LmtpReply
from mailcore.settings import Settings
from store.engine import Database
from store.plan import Submission
from store.quota import sizes_of
from store.writer import GroupCommitWriter, Receipts
from userstore.resolve import Directory, Recipient

_SMALL = 65536  # octets; planning less than this costs less than moving it to a thread
_LOOKUP_THREADS = 4
_LARGE_MAIL_THREADS = 4  # most of their time is the disk's


class StorePostman:
    """Resolves and delivers for `dagent.lmtp`; `settings` may be replaced while it runs."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        writer: GroupCommitWriter,
        settings: Settings,
        hostname: str,
    ) -> None:
        self.settings = settings
        self._database = database
        self._directory = directory
        self._writer = writer
        self._hostname = hostname
        self._threads = ThreadPoolExecutor(_LOOKUP_THREADS, thread_name_prefix="postman")
        self._large = ThreadPoolExecutor(_LARGE_MAIL_THREADS, thread_name_prefix="large-mail")
        self._handover: Handover[Receipts] | None = None

    async def resolve(self, address: str, size: int | None) -> tuple[Recipient, ...]:
        """See dagent.postman.Postman; several recipients are the members of a group."""
        known = self._directory.known(address)
        limited = size is not None and any(one.quota.hard for one in known or ())
        if known is not None and not limited:
            return known
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._look_up, address, size)

    def _look_up(self, address: str, size: int | None) -> tuple[Recipient, ...]:
        """The recipients, if one of them at least has room; the commit looks again at each."""
        recipients = self._directory.recipients(address)
        hard = {one.mailbox.id: one.quota.hard for one in recipients if one.quota.hard}
        if size is not None and len(hard) == len(recipients):
            with self._database.read() as connection:
                sizes = sizes_of(connection, hard)
            if all(sizes.get(number, 0) + max(size, 1) > most for number, most in hard.items()):
                reply = full_reply(self.settings.delivery)
                raise MailboxFullError(f"{address}: the hard quota is reached", reply)
        return recipients

    async def deliver(
        self, envelope: Envelope, recipients: Sequence[tuple[Recipient, ...]], content: bytes
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

    def _plan(
        self, envelope: Envelope, recipients: Sequence[tuple[Recipient, ...]], content: bytes
    ) -> Planned:
        return plan_message(
            envelope,
            recipients,
            content,
            settings=self.settings,
            hostname=self._hostname,
            deduplicate=True,
        )
