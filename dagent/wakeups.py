"""Wake-ups: a hint "this resource has work", carried by dramatiq.

The hint is all that travels: jobs, retries and order are in the database, and workers look there by themselves
every few seconds, so a hint that is lost costs seconds and nothing else.  Hence no Retries, AgeLimit or Pipelines
middleware: an actor never raises, and there is nothing to keep.
"""

import logging
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import dramatiq
from dramatiq.brokers.stub import StubBroker

from mailcore.errors import MailError

log = logging.getLogger(__name__)

QUEUE = "booking"
ACTOR = "book_resource"
WORKER_TIMEOUT_MS = 50  # dramatiq's own second of idling would be the latency of most bookings
SOCKET_SECONDS = 2.0


class _Forgotten(list[Any]):
    """Where dead letters go: nowhere, or a long-lived process would keep them all."""

    def append(self, _message: Any) -> None:
        """Forget it."""


class InProcessBroker(StubBroker):
    """The broker of a single machine: queues in memory, for the workers of this process."""

    def __init__(self) -> None:
        super().__init__(middleware=[])
        self.dead_letters_by_queue = defaultdict(_Forgotten)


def open_broker(url: str) -> dramatiq.Broker:
    """The broker for `queue.url`: in this process when it is empty, else Redis with short time-outs."""
    if not url:
        return InProcessBroker()
    from dramatiq.brokers.redis import RedisBroker  # noqa: PLC0415 - loads redis, which most do not use
    from redis import ConnectionPool, Redis  # noqa: PLC0415

    pool = ConnectionPool.from_url(
        url, socket_timeout=SOCKET_SECONDS, socket_connect_timeout=SOCKET_SECONDS
    )
    make: Any = RedisBroker  # its constructor has no annotations
    broker: dramatiq.Broker = make(
        client=Redis(connection_pool=pool), middleware=[], namespace="kopano-dagent"
    )
    return broker


class WakeUps:
    """Sends wake-ups, and, once `start` was called, receives them in this process."""

    def __init__(self, url: str, drain: Callable[[int], None]) -> None:
        self._broker = open_broker(url)
        self._drain = drain
        declare = dramatiq.actor(broker=self._broker, actor_name=ACTOR, queue_name=QUEUE)
        self._actor = declare(self._book_resource)
        self._worker: dramatiq.Worker | None = None

    def send(self, store_id: int) -> None:
        """Tell some worker that this resource has jobs; raises whatever the queue's trouble is."""
        self._actor.send(store_id)

    def start(self, threads: int) -> None:
        """Receive wake-ups in `threads` threads of this process."""
        self._worker = dramatiq.Worker(
            self._broker, worker_threads=threads, worker_timeout=WORKER_TIMEOUT_MS
        )
        self._worker.start()

    def stop(self, grace: float) -> None:
        """Stop receiving; wait up to `grace` seconds for the work at hand."""
        if self._worker is not None:
            self._worker.stop(timeout=int(grace * 1000))
        self._broker.close()

    def _book_resource(self, store_id: int) -> None:
        """The actor: safe to run twice, never raises; what it could not do is still in the jobs table."""
        try:
            self._drain(store_id)
        except MailError as error:
            log.warning("resource %s: %s; its jobs are tried again", store_id, error)
        except Exception:
            log.exception("resource %s: its jobs are tried again", store_id)
