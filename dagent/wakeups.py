"""Wake-ups: the hints "this resource has work" and "mail is due", carried by dramatiq.

The hint is all that travels: jobs, retries and order are in the database, and workers and spoolers look there by
themselves every few seconds, so a hint that is lost costs seconds and nothing else.  Hence no Retries, AgeLimit or
Pipelines middleware: an actor never raises, and there is nothing to keep.
"""

import logging
from collections import defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import dramatiq
from dramatiq.brokers.stub import StubBroker

from dagent.courier import Courier
from dagent.outage import Outage
from mailcore.errors import MailError
from mailcore.queue_url import parse_queue_url

log = logging.getLogger(__name__)

BOOKING_QUEUE = "booking"
SPOOL_QUEUE = "spool"
STOP_LOOK_MS = 50
"""How often an idle thread looks whether it should end; a hint wakes it at once."""


class Hint(NamedTuple):
    """A resource with work, or mail that is due (`store_id` 0)."""

    queue: str
    store_id: int = 0


class _Forgotten(list[Any]):
    """Where dead letters go: nowhere, or a long-lived process would keep them all."""

    def append(self, _message: Any) -> None:
        """Forget it."""


class InProcessBroker(StubBroker):
    """The broker of a single machine: queues in memory, for the workers of this process."""

    def __init__(self) -> None:
        super().__init__(middleware=[])
        self.dead_letters_by_queue = defaultdict(_Forgotten)


class WakeUps:
    """Sends wake-ups, and receives them in this process once one of the `receive_` methods was called.

    `url` is `queue.url`: with an empty one wake-ups stay in this process, else they go through Redis.  Redis may be
    away now or at any time: that is one warning.  Raises UsageError for a URL that cannot work.
    """

    def __init__(self, url: str) -> None:
        self._drain: Callable[[int], None] = _nobody_drains
        self._send_mail: Callable[[], None] = _nobody_sends
        self._courier: Courier[Hint] | None = None
        self._broker: dramatiq.Broker = InProcessBroker()
        if url:
            self._go_through_redis(url)
        self._actors = {
            BOOKING_QUEUE: self._declare("book_resource", BOOKING_QUEUE, self._book_resource),
            SPOOL_QUEUE: self._declare("send_outbox", SPOOL_QUEUE, self._send_outbox),
        }
        self._worker: dramatiq.Worker | None = None

    def _go_through_redis(self, url: str) -> None:
        from dagent.redis_broker import (  # noqa: PLC0415 - loads redis, which most do not use
            TROUBLE,
            RedisHintBroker,
            open_redis,
        )

        place = parse_queue_url(url, "[queue] url")
        outage = Outage(
            f"the wake-up queue at {place}", "jobs and mail are found in the database instead"
        )
        self._broker = RedisHintBroker(open_redis(place), outage)
        self._courier = Courier(self._enqueue, trouble=TROUBLE, outage=outage)

    def _declare(self, name: str, queue: str, act: Callable[..., None]) -> Any:
        return dramatiq.actor(broker=self._broker, actor_name=name, queue_name=queue)(act)

    # -- sending

    def resource_has_work(self, store_id: int) -> None:
        """Tell some worker that this resource has jobs; never waits for the network."""
        self._send(Hint(BOOKING_QUEUE, store_id))

    def mail_leaves(self) -> None:
        """Tell some spooler that the outbox has mail; never waits for the network."""
        self._send(Hint(SPOOL_QUEUE))

    def _send(self, hint: Hint) -> None:
        if self._courier is None:
            self._enqueue(hint)
        else:
            self._courier.take(hint)

    def _enqueue(self, hint: Hint) -> None:
        self._actors[hint.queue].send(hint.store_id)

    # -- receiving

    def receive_bookings(self, drain: Callable[[int], None], threads: int) -> None:
        """Have `drain` called with each resource that has work, in `threads` threads."""
        self._drain = drain
        self._receive(BOOKING_QUEUE, threads)

    def receive_mail(self, send_mail: Callable[[], None]) -> None:
        """Have `send_mail` called when mail is due; it must return soon."""
        self._send_mail = send_mail
        self._receive(SPOOL_QUEUE, 1)

    def _receive(self, queue: str, threads: int) -> None:
        self._worker = dramatiq.Worker(
            self._broker,
            queues={queue},
            worker_threads=threads,
            worker_timeout=STOP_LOOK_MS,
        )
        # A hint fetched ahead would wait behind a long job here while another process is idle.
        self._worker.queue_prefetch = threads
        self._worker.start()

    def stop(self, grace: float) -> None:
        """Stop receiving; wait up to `grace` seconds for the work at hand, then send what is left to be sent."""
        if self._worker is not None:
            self._worker.stop(timeout=int(grace * 1000))
        if self._courier is not None:
            self._courier.stop(grace)
        self._broker.close()

    # -- the actors: safe to run twice; they never raise, what they could not do is still in the database

    def _book_resource(self, store_id: int) -> None:
        try:
            self._drain(store_id)
        except MailError as error:
            log.warning("resource %s: %s; its jobs are tried again", store_id, error)
        except Exception:
            log.exception("resource %s: its jobs are tried again", store_id)

    def _send_outbox(self, _store_id: int) -> None:
        self._send_mail()


def _nobody_drains(_store_id: int) -> None:
    """Stands in as long as this process books nothing."""


def _nobody_sends() -> None:
    """Stands in as long as this process sends nothing."""
