"""A batch on its way into one transaction: its ids, which of its plans are new, and the mails they file.

Nothing here touches the database.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mailcore.errors import TemporaryError
from store.message import NewBlob, NewMessage, blobs_of
from store.plan import Filing, Notice, Outgoing, Receipt, StorePlan, Submission

Place = tuple[int, int]
"""A plan of a batch: the position of its submission, and its own within that."""


class RepeatSinglyError(TemporaryError):
    """One submission cannot be committed as planned; the others of its batch can."""


@dataclass(frozen=True, slots=True)
class Reserved:
    """Ids for messages and blobs that are not known yet."""

    message_ids: range
    blob_ids: range


@dataclass(frozen=True, slots=True)
class StagedBatch:
    """Submissions whose files are on disk and whose ids are allocated.

    A submission has an id for its message and, behind it, one for each mail of our own that goes with it.
    """

    submissions: tuple[Submission, ...]
    message_ids: tuple[range, ...]
    blob_ids: range


@dataclass(frozen=True, slots=True)
class Work:
    """One plan that is to be carried out (not a repeat), and the id of its message."""

    plan: StorePlan
    message_id: int
    message: NewMessage


Works = dict[Place, Work]


@dataclass(frozen=True, slots=True)
class Mail:
    """One message on its way into folders of `store_id` or, where a filing says so, of another store."""

    store_id: int
    message_id: int
    message: NewMessage
    filings: tuple[Filing, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """The plans of a batch, parted: to be carried out, known to the ledger, and repeated within the batch.

    `again` gives for each of the last the place of the first.
    """

    works: Works
    known: dict[Place, Receipt]
    again: dict[Place, Place]


def own_mails(submission: Submission) -> list[tuple[int, Notice]]:
    """The mails of our own that go with a submission, each with the position of its plan."""
    return [
        (position, notice)
        for position, plan in enumerate(submission.plans)
        for notice in _own_mails(plan)
    ]


def _own_mails(plan: StorePlan) -> Iterator[Notice]:
    yield from plan.notices
    for leaving in plan.outgoing:
        if leaving.filed is not None:
            yield leaving.filed


def staged_blobs(submission: Submission) -> list[NewBlob]:
    """Every blob that a submission may need."""
    messages = [submission.message, *(notice.message for _, notice in own_mails(submission))]
    return [blob for one in messages for blob in blobs_of(one)]


def select_work(staged: StagedBatch, repeats: Mapping[tuple[int, bytes], Receipt]) -> Selection:
    """Part the plans of a batch; `repeats` is what the ledger knows, by store and ledger key."""
    selection = Selection({}, {}, {})
    first: dict[tuple[int, bytes], Place] = {}
    for index, submission in enumerate(staged.submissions):
        for position, plan in enumerate(submission.plans):
            place = (index, position)
            if plan.ledger_key is not None:
                key = (plan.store_id, plan.ledger_key)
                if key in repeats:
                    selection.known[place] = repeats[key]
                    continue
                if key in first:
                    selection.again[place] = first[key]
                    continue
                first[key] = place
            selection.works[place] = Work(plan, staged.message_ids[index][0], submission.message)
    return selection


def mails_of(
    staged: StagedBatch,
    works: Works,
    leaving: Mapping[Place, Sequence[Outgoing]],
    told: Mapping[Place, Sequence[Notice]],
) -> list[Mail]:
    """The mails to be filed: first that of each work, in their order, then our own.

    `leaving` is what really goes into the outbox, `told` the notices that are due.
    """
    mails = [Mail(w.plan.store_id, w.message_id, w.message, w.plan.filings) for w in works.values()]
    for index, submission in enumerate(staged.submissions):
        for number, (position, notice) in enumerate(own_mails(submission), start=1):
            place = (index, position)
            due = (*told.get(place, ()), *(out.filed for out in leaving.get(place, ())))
            if any(notice is one for one in due):
                store_id = submission.plans[position].store_id
                message_id = staged.message_ids[index][number]
                mails.append(Mail(store_id, message_id, notice.message, (notice.filing,)))
    return mails


def growth_of(mails: Sequence[Mail]) -> dict[int, int]:
    """By how many octets each store grows; a mail that is filed nowhere still touches its own."""
    growth: dict[int, int] = {}
    for mail in mails:
        growth.setdefault(mail.store_id, 0)
        for filing in mail.filings:
            store_id = filing.store_id or mail.store_id
            octets = len(filing.trace) + mail.message.size
            growth[store_id] = growth.get(store_id, 0) + octets
    return growth
