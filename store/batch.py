"""A batch on its way into one transaction: its ids, and which of its plans are new.

Nothing here touches the database.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from mailcore.errors import TemporaryError
from store.message import NewBlob, NewMessage
from store.plan import Receipt, StorePlan, Submission

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
    """Submissions whose files are on disk and whose ids are allocated."""

    submissions: tuple[Submission, ...]
    message_ids: range
    blobs: tuple[NewBlob, ...]
    blob_ids: range


@dataclass(frozen=True, slots=True)
class Work:
    """One plan that is to be carried out (not a repeat), and the id of its message."""

    plan: StorePlan
    message_id: int
    message: NewMessage


Works = dict[Place, Work]


@dataclass(frozen=True, slots=True)
class Selection:
    """The plans of a batch, parted: to be carried out, known to the ledger, and repeated within the batch.

    `again` gives for each of the last the place of the first.
    """

    works: Works
    known: dict[Place, Receipt]
    again: dict[Place, Place]


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
            selection.works[place] = Work(plan, staged.message_ids[index], submission.message)
    return selection
