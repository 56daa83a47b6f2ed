"""The same messages once more, in a given order and by a given clock, through a worker and no network."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import func, select

from mailcore.view import MessageView
from store.jobs import PENDING
from store.message import prepare_message
from store.plan import NewJob, StorePlan, Submission
from store.schema import job as job_table
from tests.support.booking_desk import TRACE, Desk, open_desk
from tests.support.simulation_outcome import Calendar, load_calendar
from tests.support.simulation_site import WINDOW_DAYS, furnish

_TOGETHER = 200


class Entry(NamedTuple):
    """A message as a resource got it, and when that was settled, in epoch seconds."""

    mail_from: str
    rcpt_to: str
    content: bytes
    at: float


def replay(url: str, logs: Mapping[str, Sequence[Entry]]) -> dict[str, Calendar]:
    """Settle everything anew on an empty database, resource by resource; return the calendars by name."""
    with open_desk(url, booking_window_days=WINDOW_DAYS) as desk:
        stores = furnish(desk.database)
        for name, entries in logs.items():
            times = _queue(desk, stores[name], entries)
            desk.clock = _clock(desk, stores[name], times)
            desk.worker().drain(stores[name])
        return {name: load_calendar(desk.database, stores[name]) for name in logs}


def _queue(desk: Desk, store_id: int, entries: Sequence[Entry]) -> dict[int, float]:
    """Make jobs of messages; return by their ids when they are to be settled."""
    times: dict[int, float] = {}
    for first in range(0, len(entries), _TOGETHER):
        some = entries[first : first + _TOGETHER]
        staged = desk.committer.stage([_submission(store_id, entry) for entry in some])
        with desk.database.write() as connection:
            receipts = desk.committer.apply(connection, staged)
        for (receipt,), entry in zip(receipts, some, strict=True):
            assert receipt.job_id is not None
            times[receipt.job_id] = entry.at
    assert list(times) == sorted(times)
    return times


def _submission(store_id: int, entry: Entry) -> Submission:
    view = MessageView(entry.content)
    new = NewJob(
        entry.mail_from, entry.rcpt_to, view.message_id, view.subject, entry.content, TRACE
    )
    return Submission(prepare_message(view, imap=False), (StorePlan(store_id, job=new),))


def _clock(desk: Desk, store_id: int, times: Mapping[int, float]) -> Callable[[], float]:
    """The time at which the job at hand, the first that is not done, was settled before."""
    pending = (job_table.c.store_id == store_id, job_table.c.state == PENDING)
    at_hand = select(func.min(job_table.c.id)).where(*pending)

    def now() -> float:
        with desk.database.read() as connection:
            return times[connection.execute(at_hand).scalar_one()]

    return now
