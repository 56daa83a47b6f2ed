"""The postman of the LMTP edge: recipients from the directory, messages to the group-commit writer.

Looking up, large messages and next hops go to threads, so that the event loop keeps reading from the other sessions.
A reply is given only when the commit is on disk.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from dagent.handover import Handover
from dagent.raw_log import RawLog
from dagent.srs_relay import PassingOn, compose_passing, passing_on
from delivery.arrival import Foreign, Wish
from delivery.deliver import Planned, plan_message, replies_of
from delivery.hop_session import NextHops
from delivery.next_hop import goes_elsewhere, hand_over
from delivery.places import Wanted, find_places, wanted_places
from delivery.replies import full_reply
from delivery.site import Site
from mailcore.envelope import Envelope
from mailcore.errors import MailboxFullError, MailError
from mailcore.log_fields import LogFields
from mailcore.next_hop import next_hop_of
from mailcore.reply import DELIVERED, TRY_LATER, LmtpReply
from store.engine import Database
from store.message import NO_MESSAGE
from store.plan import Submission
from store.quota import sizes_of
from store.writer import GroupCommitWriter, Receipts
from userstore.resolve import Directory, Recipient

log = logging.getLogger(__name__)

T = TypeVar("T")
_NO_WISH = Wish()
Resolved = tuple[Recipient, ...] | PassingOn
"""What RCPT found: the mailboxes, or an address that only stands for one elsewhere."""
_SMALL = 65536  # octets; planning less than this costs less than moving it to a thread
_FEW = 50  # recipients, for whom the same holds
_LOOKUP_THREADS = 4
_LARGE_MAIL_THREADS = 4  # most of their time is the disk's


class StorePostman:
    """Resolves and delivers for `dagent.lmtp`; `site` may be replaced while it runs."""

    def __init__(
        self,
        database: Database,
        directory: Directory,
        writer: GroupCommitWriter,
        site: Site,
    ) -> None:
        self.site = site
        self._database = database
        self._directory = directory
        self._writer = writer
        self._raw = RawLog()
        self._threads = ThreadPoolExecutor(_LOOKUP_THREADS, thread_name_prefix="postman")
        self._large = ThreadPoolExecutor(_LARGE_MAIL_THREADS, thread_name_prefix="large-mail")
        hops = max(1, site.settings.delivery.deliver_via_connections)
        self._hop_threads = ThreadPoolExecutor(hops, thread_name_prefix="next-hop")
        self._hops = NextHops(site.hostname)
        self._handover: Handover[Receipts] | None = None

    async def resolve(self, address: str, size: int | None) -> Resolved:
        """See dagent.postman.Postman; several recipients are the members of a group."""
        passing = passing_on(self.site, address, time.time())
        if passing is not None:
            return passing
        known = self._directory.known(address)
        limited = size is not None and any(one.quota.hard for one in known or ())
        if known is not None and not limited:
            return known
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._look_up, address, size)

    def _look_up(self, address: str, size: int | None) -> tuple[Recipient, ...]:
        """The recipients, if one of them at least has room; the commit looks again at each."""
        recipients = self._directory.recipients(address)
        default = self.site.settings.delivery.deliver_via
        hard = {
            one.mailbox.id: one.quota.hard
            for one in recipients
            if one.quota.hard and not next_hop_of(one.mailbox.deliver_via, default)
        }
        if size is not None and len(hard) == len(recipients):
            with self._database.read() as connection:
                sizes = sizes_of(connection, hard)
            if all(sizes.get(number, 0) + max(size, 1) > most for number, most in hard.items()):
                reply = full_reply(self.site.settings.delivery)
                raise MailboxFullError(f"{address}: the hard quota is reached", reply)
        return recipients

    async def deliver(
        self, envelope: Envelope, recipients: Sequence[Resolved], content: bytes
    ) -> Sequence[LmtpReply]:
        """See dagent.postman.Postman."""
        here = [one for one in recipients if not isinstance(one, PassingOn)]
        if len(here) == len(recipients):
            return await self._deliver_here(envelope, here, content)
        rcpt_tos = tuple(
            address
            for address, one in zip(envelope.rcpt_tos, recipients, strict=True)
            if not isinstance(one, PassingOn)
        )
        rest = replace(envelope, rcpt_tos=rcpt_tos)
        # These come first: should what follows fail, the ledger knows their repeat, and nobody that of a report.
        replies = iter(await self._deliver_here(rest, here, content) if here else ())
        passed = await self._pass_on(envelope, recipients, content)
        return [passed if isinstance(one, PassingOn) else next(replies) for one in recipients]

    async def _pass_on(
        self, envelope: Envelope, recipients: Sequence[Resolved], content: bytes
    ) -> LmtpReply:
        """Let a report go on to those whose rewritten addresses it came to."""
        targets = [one for one in recipients if isinstance(one, PassingOn)]
        leaving = compose_passing(envelope, content, targets, self.site.hostname, time.time())
        try:
            await self._committed(Submission(NO_MESSAGE, (), passing=leaving))
        except MailError as error:
            log.warning("%s: report not passed on: %s", envelope.peer, error)
            return TRY_LATER
        for one in targets:
            fields = {"recipient": one.address, "route": "srs", "to": one.original}
            log.info("%s", LogFields({**fields, "reply": str(DELIVERED)}))
        return DELIVERED

    async def _deliver_here(
        self, envelope: Envelope, recipients: Sequence[tuple[Recipient, ...]], content: bytes
    ) -> Sequence[LmtpReply]:
        site = self.site
        large = len(content) >= _SMALL
        wanted = {
            one.mailbox.id: (one, places)
            for some in recipients
            for one in some
            if (places := wanted_places(one, site.settings.delivery, _NO_WISH))
        }
        many = sum(map(len, recipients)) > _FEW
        slow = large or many or bool(site.hooks or wanted) or self._raw.wanted(site.settings)
        planned = await self._run(slow, self._plan, site, envelope, recipients, content, wanted)
        if goes_elsewhere(planned):
            loop = asyncio.get_running_loop()
            planned = await loop.run_in_executor(
                self._hop_threads, hand_over, planned, self._hops, self._database
            )
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

    def hand_nothing_over(self) -> None:
        """End the sessions with next hops: what they would still take could not be committed any more."""
        self._hops.close()

    def close(self) -> None:
        """End the threads; what a next hop has not answered yet is tried again by the client."""
        self.hand_nothing_over()
        self._hop_threads.shutdown()
        self._threads.shutdown()
        self._large.shutdown()

    async def _committed(self, submission: Submission) -> Receipts:
        if self._handover is None:
            self._handover = Handover(asyncio.get_running_loop())
            self._writer.call_when_settled(self._handover.bring)
        return await self._handover.expect(self._writer.submit(submission))

    def _plan(
        self,
        site: Site,
        envelope: Envelope,
        recipients: Sequence[tuple[Recipient, ...]],
        content: bytes,
        wanted: Mapping[int, tuple[Recipient, Sequence[Wanted]]],
    ) -> Planned:
        foreign: dict[int, Foreign] = {
            number: find_places(self._database, self._directory, one, places)
            for number, (one, places) in wanted.items()
        }
        return plan_message(envelope, recipients, content, site, deduplicate=True, foreign=foreign)
