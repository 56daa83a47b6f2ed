"""Handing finished mail on to the next hop, which has the folders of its recipients (docs/next-hop.md).

What a plan files in the recipient's own folders goes to the hop, and the hop's reply is the recipient's.  The rest is
ours: copies in the public store and in other mailboxes, mail that leaves, jobs, the memory of out-of-office, the
ledger.  It is committed after the hop's 250, so that a crash in between may repeat a mail, and never loses one.
"""

import logging
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from delivery.deliver import Planned
from delivery.filing import inbox
from delivery.hop_session import NextHops, Parcel
from delivery.plan import Plan
from mailcore import failpoint
from mailcore.errors import TemporaryError
from mailcore.next_hop import next_hop_of
from mailcore.reply import DELIVERED, LmtpReply
from store.engine import Database
from store.ledger import find_repeats
from store.mailboxes import INBOX, Mailbox
from store.message import NO_MESSAGE, content_of
from store.plan import Filing, NewFolder, StorePlan, Submission

log = logging.getLogger(__name__)

_RETURN_PATH = b"Return-Path:"


@dataclass(frozen=True, slots=True)
class _Task:
    """A plan with something for a next hop; the same `key` is the same mail for the same mailbox."""

    row: int
    column: int
    plan: Plan
    store: StorePlan
    key: Hashable
    parcel: Parcel


def goes_elsewhere(planned: Planned) -> bool:
    """Whether one of the recipients has a next hop."""
    default = planned.site.settings.delivery.deliver_via
    return any(
        next_hop_of(recipient.mailbox.deliver_via, default)
        for recipients in planned.addresses
        for recipient in recipients
    )


def hand_over(planned: Planned, hops: NextHops, database: Database) -> Planned:
    """Hand a message to the next hops of its recipients; return what is left to be committed, with their replies.

    Takes as long as the hops do.  The ledger is asked first: a mail that was taken is not handed over again.  A
    recipient whom the hop refuses commits nothing.  Raises TemporaryError when the ledger cannot be read.
    """
    tasks = list(_tasks(planned))
    if not tasks:
        return planned
    with database.read() as connection:
        repeats = find_repeats(connection, [planned.submission])
    fresh = {task.key: task.parcel for task in tasks if task.key not in repeats}
    answers = _send(planned, hops, fresh)
    failpoint.hit(failpoint.AFTER_HAND_OVER)
    plans = [list(own) for own in planned.plans]
    for task in tasks:
        plans[task.row][task.column] = _settled(task, answers.get(task.key, DELIVERED))
    return _with_plans(planned, plans)


def hand_over_acknowledged(planned: Planned, hops: NextHops, database: Database) -> Submission:
    """The same for one recipient of a message that has had its 250; return what is to be committed.

    What the hop refuses for good is filed in our own Inbox, with an error in the log.  Raises TemporaryError where
    trying again can help.
    """
    handed = hand_over(planned, hops, database)
    ((recipient,),), ((before,),), ((after,),) = planned.addresses, planned.plans, handed.plans
    if before is None or after is None or before.store is None or after.store is not None:
        return handed.submission
    refusal = f"{recipient.user.name}: {after.hop} said: {after.reply}"
    if after.reply.code < 500:
        raise TemporaryError(refusal)
    log.error("%s; kept in the Inbox of our own store", refusal)
    own, others = _parted(before.store.filings)
    kept = replace(own[0], folder_id=inbox(recipient.mailbox))
    store = replace(before.store, filings=(kept, *others))
    return replace(planned.submission, plans=(store,))


def _tasks(planned: Planned) -> Iterator[_Task]:
    default = planned.site.settings.delivery.deliver_via
    for row, (recipients, plans) in enumerate(zip(planned.addresses, planned.plans, strict=True)):
        for column, (recipient, plan) in enumerate(zip(recipients, plans, strict=True)):
            hop = next_hop_of(recipient.mailbox.deliver_via, default)
            if not hop or plan is None or plan.store is None:
                continue
            own, _ = _parted(plan.store.filings)
            if not own:
                continue
            known = plan.store.ledger_key
            key: Hashable = (row, column) if known is None else (plan.store.store_id, known)
            parcel = Parcel(
                hop,
                recipient.user.address or recipient.user.name,
                tuple(_copy(recipient.mailbox, one) for one in own),
                tuple(content_of(notice.message) for notice in plan.store.notices),
            )
            yield _Task(row, column, plan, plan.store, key, parcel)


def _parted(filings: Sequence[Filing]) -> tuple[list[Filing], list[Filing]]:
    """The filings in folders of the recipient, and those in other mailboxes."""
    own = [filing for filing in filings if filing.store_id is None]
    return own, [filing for filing in filings if filing.store_id is not None]


def _copy(mailbox: Mailbox, filing: Filing) -> tuple[str, bytes]:
    """The folder's path, empty for the Inbox, and the trace headers but for Return-Path, which the hop writes."""
    place = filing.folder_id
    if isinstance(place, NewFolder):
        path = "" if place.path.casefold() == "inbox" else place.path
    elif place == mailbox.special.get(INBOX):
        path = ""
    else:
        path = next(path for path, number in mailbox.folders.items() if number == place)
    trace = filing.trace
    if trace.startswith(_RETURN_PATH):
        trace = trace[trace.index(b"\n") + 1 :]
    return path, trace


def _send(
    planned: Planned, hops: NextHops, parcels: Mapping[Hashable, Parcel]
) -> dict[Hashable, LmtpReply]:
    """Hand the parcels over, those of a hop in one session; return their replies."""
    replies: dict[Hashable, LmtpReply] = {}
    for hop in dict.fromkeys(parcel.hop for parcel in parcels.values()):
        own = {key: parcel for key, parcel in parcels.items() if parcel.hop == hop}
        answers = hops.send(
            hop,
            planned.envelope.mail_from,
            planned.view.raw,
            list(own.values()),
            planned.site.settings.delivery,
        )
        replies |= zip(own, answers, strict=True)
    return replies


def _settled(task: _Task, reply: LmtpReply) -> Plan:
    """The plan after the hop's reply: without what the hop has, or without anything."""
    if not reply.positive:
        return replace(task.plan, store=None, reply=reply, hop=task.parcel.hop)
    _, others = _parted(task.store.filings)
    # That one about a bad rule has been told is remembered with the copy here.
    notices = tuple(notice for notice in task.store.notices if notice.rule_id is not None)
    store = replace(task.store, filings=tuple(others), notices=notices)
    return replace(task.plan, store=store, reply=reply, hop=task.parcel.hop)


def _with_plans(planned: Planned, plans: Sequence[Sequence[Plan | None]]) -> Planned:
    stored = tuple(plan.store for own in plans for plan in own if plan and plan.store)
    message = planned.submission.message
    if not any(store.filings for store in stored):
        message = NO_MESSAGE
    submission = replace(planned.submission, message=message, plans=stored)
    return replace(planned, plans=tuple(map(tuple, plans)), submission=submission)
