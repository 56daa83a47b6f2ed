"""Senders that behave as an MTA does: what got no positive reply is sent again, with the same bytes."""

import random
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mailcore.errors import TemporaryError
from tests.support.agent import RunningAgent
from tests.support.waiting import wait_for

RETRY_SECONDS = 0.02


class Delivered(NamedTuple):
    """One mail that one recipient has to have exactly once."""

    rcpt_to: str
    content: bytes


@dataclass
class QueuedMail:
    """A mail and the recipients that have not taken it yet."""

    mail_from: str
    rcpt_tos: list[str]
    content: bytes


class Senders:
    """Threads that send without a pause until told to stop, and then until nothing is left."""

    def __init__(self, agent: RunningAgent, rcpt_tos: Sequence[str], seed: int, count: int) -> None:
        self._agent = agent
        self._rcpt_tos = list(rcpt_tos)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._delivered: list[Delivered] = []
        self._threads = [
            threading.Thread(target=self._run, args=(number, random.Random(f"{seed}.{number}")))
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def wait_for_more(self, count: int) -> None:
        """Return when so many more recipients' mails have got their 250."""
        wanted = self._acknowledged() + count
        wait_for(lambda: self._acknowledged() >= wanted, timeout=30, what="mail flows")

    def finish(self, timeout: float = 60.0) -> list[Delivered]:
        """Begin no new mail, send what is left, and return everything that got its 250."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout)
            assert not thread.is_alive(), "a sender did not get rid of its mail"
        return self._delivered

    def _acknowledged(self) -> int:
        with self._lock:
            return len(self._delivered)

    def _run(self, number: int, rng: random.Random) -> None:
        queue: deque[QueuedMail] = deque()
        made = 0
        while queue or not self._stopping.is_set():
            if not queue:
                made += 1
                queue.append(self._compose(f"{number}.{made}", rng))
            if not self._send_all(queue):
                self._stopping.wait(RETRY_SECONDS)

    def _compose(self, unique: str, rng: random.Random) -> QueuedMail:
        body = rng.randbytes(rng.choice((10, 2_000, 100_000))).replace(b"\r", b".")
        content = (
            (
                f"From: load@example.net\r\nMessage-ID: <{unique}@example.net>\r\n"
                "Subject: load\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            ).encode()
            + body.replace(b"\n", b"\r\n")
            + b"\r\n"
        )
        rcpt_tos = rng.sample(self._rcpt_tos, rng.randint(1, len(self._rcpt_tos)))
        return QueuedMail("load@example.net", rcpt_tos, content)

    def _send_all(self, queue: deque[QueuedMail]) -> bool:
        """Send what is queued over one connection; False when something is left."""
        try:
            with self._agent.client() as client:
                while queue:
                    mail = queue[0]
                    replies = client.send(mail.mail_from, mail.rcpt_tos, mail.content)
                    results = list(zip(mail.rcpt_tos, replies, strict=True))
                    taken = [rcpt_to for rcpt_to, reply in results if reply.positive]
                    with self._lock:
                        self._delivered += [Delivered(one, mail.content) for one in taken]
                    mail.rcpt_tos = [one for one in mail.rcpt_tos if one not in taken]
                    if mail.rcpt_tos:
                        break
                    queue.popleft()
        except TemporaryError:
            pass
        return not queue
