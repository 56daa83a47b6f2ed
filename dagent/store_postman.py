"""The postman of the LMTP edge: recipients from the directory, messages to the group-commit writer.

Looking up and large messages go to threads, so that the event loop keeps reading from the other sessions.  A reply
is given only when the commit is on disk.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from dagent.handover import Handover
from dagent.raw_log import RawLog
from delivery.deliver import Planned, Site, plan_message, replies_of
from delivery.hooks import Hooks
from delivery.places import archive_places
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

log = logging.getLogger(__name__)

T = TypeVar("T")
_NO_HOOKS = Hooks()
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
        hooks: Hooks = _NO_HOOKS,
    ) -> None:
        self.settings = settings
        self._database = database
        self._directory = directory
        self._writer = writer
        self._hostname = hostname
        self._hooks = hooks
        self._raw = RawLog()
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
        settings = self.settings
        large = len(content) >= _SMALL
        slow = large or bool(self._hooks) or self._raw.wanted(settings) or elsewhere(settings)
        planned = await self._run(slow, self._plan, settings, envelope, recipients, content)
        receipts = None
        try:
            if planned.submission.plans:
                submission = planned.submission
                if large:
                    submission = await self._run(True, self._writer.write_files, submission)
                receipts = await self._committed(submission)
        except MailError as error:
            log.warning(
                "%s: mail from <%s> not stored: %s", envelope.peer, envelope.mail_from, error
            )
        return await self._run(slow, self._finish, planned, receipts, content)

    async def _run(self, slow: bool, act: Callable[..., T], *arguments: Any) -> T:
        """Call `act`, in a thread where it may take long: the event loop keeps reading from the other sessions."""
        if not slow:
            return act(*arguments)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._large, act, *arguments)

    def _finish(
        self, planned: Planned, receipts: Receipts | None, content: bytes
    ) -> tuple[LmtpReply, ...]:
        replies = replies_of(planned, receipts)
        self._raw.keep(planned, content, replies)
        return replies

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
        self,
        settings: Settings,
        envelope: Envelope,
        recipients: Sequence[tuple[Recipient, ...]],
        content: bytes,
    ) -> Planned:
        foreign = None
        if elsewhere(settings):
            foreign = {
                one.mailbox.id: archive_places(
                    self._database, self._directory, one, settings.delivery
                )
                for some in recipients
                for one in some
            }
        return plan_message(
            envelope,
            recipients,
            content,
            Site(settings, self._hostname, self._hooks),
            deduplicate=True,
            foreign=foreign,
        )


def elsewhere(settings: Settings) -> bool:
    """Whether every message needs a folder in another mailbox, which takes looking up."""
    return bool(settings.delivery.archive_store)
