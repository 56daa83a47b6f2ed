"""A dramatiq broker for hints: a capped list in Redis for each queue, waited for and not polled.

dramatiq's own RedisBroker keeps every message until it is acknowledged.  A hint is worth less: what it points to is
in the database, and found there anyway.  So nothing is acknowledged, requeued or kept in a dead-letter queue; a
killed worker leaves nothing behind in Redis, and an emptied Redis has lost nothing.  For that a hint arrives within a
millisecond instead of after the pause of a poll, and Redis is idle while the agent is.
"""

import logging
import threading
import time
from collections.abc import Iterable
from typing import Any

import dramatiq
import redis
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.errors import DecodeError
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from dagent.outage import Outage
from mailcore.queue_url import QueuePlace

log = logging.getLogger(__name__)

TROUBLE = (redis.RedisError, OSError)
"""Whatever Redis, or the way to it, can be out of order with."""
SOCKET_SECONDS = 2.0
WAIT_SECONDS = 1
"""How long one question for a hint waits in Redis; less than SOCKET_SECONDS, and whole for old servers."""
RETRY_SECONDS = 1.0
MOST_HINTS = 10_000
"""Hints that nobody fetches, because no worker runs: the oldest go first, and all after HINT_SECONDS."""
HINT_SECONDS = 3600
_NAMESPACE = "kopano-dagent"


def open_redis(place: QueuePlace) -> Any:
    """A client for the place.  It connects when it is used, and never waits longer than SOCKET_SECONDS."""
    options: dict[str, Any] = {
        "db": place.database,
        "username": place.username or None,
        "password": place.password or None,
        **_limits(),
        **_tls(place),
    }
    if place.path:
        return redis.Redis(unix_socket_path=place.path, **options)
    if not place.service:
        ((host, port),) = place.hosts
        return redis.Redis(host=host, port=port, **options)
    for_sentinels = {
        "username": place.options.get("sentinel_username"),
        "password": place.options.get("sentinel_password"),
        **_limits(),
        **_tls(place),
    }
    sentinels: Any = Sentinel  # it has no annotations
    return sentinels(place.hosts, sentinel_kwargs=for_sentinels, **options).master_for(
        place.service
    )


def _limits() -> dict[str, Any]:
    """redis-py tries again with pauses of its own, which would add up to many seconds; we do that ourselves."""
    return {
        "socket_timeout": SOCKET_SECONDS,
        "socket_connect_timeout": SOCKET_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }


def _tls(place: QueuePlace) -> dict[str, Any]:
    if not place.tls:
        return {}
    options: dict[str, Any] = {"ssl": True}
    for name, value in place.options.items():
        if name.startswith("ssl_"):
            options[name] = value == "yes" if name == "ssl_check_hostname" else value
    if options.get("ssl_cert_reqs") == "none":
        options["ssl_check_hostname"] = False
    return options


class RedisHintBroker(dramatiq.Broker):
    """Carries hints through Redis; what it cannot do because Redis is away is told to `outage`."""

    def __init__(self, client: Any, outage: Outage) -> None:
        super().__init__(middleware=[])
        self.client = client
        self.outage = outage

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue; there are none for delayed messages."""
        if queue_name not in self.queues:
            self.queues[queue_name] = None
            self.emit_after("declare_queue", queue_name)

    def enqueue(
        self, message: dramatiq.Message[Any], *, delay: int | None = None
    ) -> dramatiq.Message[Any]:
        """Send a hint; raises one of TROUBLE.  A delay has no meaning here."""
        if delay is not None:
            raise ValueError("a hint cannot be delayed")
        self.push(message.queue_name, message.encode())
        return message

    def push(self, queue_name: str, *hints: bytes) -> None:
        """Append encoded hints to a queue; raises one of TROUBLE."""
        key = list_key(queue_name)
        with self.client.pipeline(transaction=False) as pipeline:
            pipeline.rpush(key, *hints)
            pipeline.ltrim(key, -MOST_HINTS, -1)
            pipeline.expire(key, HINT_SECONDS)
            pipeline.execute()

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 0) -> Consumer:  # noqa: ARG002
        """A consumer that has at most `prefetch` hints in work."""
        return RedisHintConsumer(self, queue_name, prefetch)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


class RedisHintConsumer(Consumer):
    """Waits for the hints of one queue; never raises for Redis being away."""

    def __init__(self, broker: RedisHintBroker, queue_name: str, prefetch: int) -> None:
        self._broker = broker
        self._queue_name = queue_name
        self._prefetch = prefetch
        self._in_work = 0
        self._changed = threading.Condition()

    def __next__(self) -> MessageProxy | None:
        """The next hint, or None when there was none for WAIT_SECONDS."""
        if not self._may_fetch():
            return None
        try:
            found = self._broker.client.blpop([list_key(self._queue_name)], timeout=WAIT_SECONDS)
        except TROUBLE as error:
            self._broker.outage.note("receive", error)
            time.sleep(RETRY_SECONDS)
            return None
        self._broker.outage.end("receive")
        return None if found is None else self._decode(found[1])

    def ack(self, message: MessageProxy) -> None:
        """The hint was acted upon: there is room for another one."""
        del message
        with self._changed:
            self._in_work -= 1
            self._changed.notify()

    nack = ack

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Leave fetched hints to other workers when this one stops; if that fails they find the work later."""
        hints = [message.encode() for message in messages]
        if not hints:
            return
        try:
            self._broker.push(self._queue_name, *hints)
        except TROUBLE as error:
            log.debug("hints were not left to others: %s", error)

    def _may_fetch(self) -> bool:
        """Wait for a while until fewer hints than allowed are in work; what waits in Redis is for everybody."""
        with self._changed:
            if self._in_work >= self._prefetch:
                self._changed.wait(WAIT_SECONDS)
            return self._in_work < self._prefetch

    def _decode(self, data: bytes) -> MessageProxy | None:
        try:
            message = MessageProxy(dramatiq.Message.decode(data))
        except (DecodeError, KeyError, TypeError):
            log.warning("%s holds something that is no hint of ours", list_key(self._queue_name))
            return None
        with self._changed:
            self._in_work += 1
        return message


def list_key(queue_name: str) -> str:
    """The key of a queue's list in Redis."""
    return f"{_NAMESPACE}:{queue_name}"
