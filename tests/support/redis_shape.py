"""The agent as it runs on several hosts: LMTP, booking workers and spooler each a process, woken through Redis.

The MTA to which replies go is a sink in the test's own process.
"""

import email
import email.policy
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.spooler.sink import Sink, running_sink
from tests.support.agent import RunningAgent
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_for

START_SECONDS = 30.0
STOP_SECONDS = 40.0


class RedisShape:
    """One agent, its workers and its spooler, and the sink to which replies go."""

    def __init__(self, agent: RunningAgent, redis: RedisServer, sink: Sink) -> None:
        self.agent = agent
        self.redis = redis
        self.sink = sink
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def begin(self, command: str, name: str, **options: Any) -> None:
        """Start a command of ours; `name` is also that of its log, and stands for it in `end`."""
        log_file = self.log_file(name)
        said = log_file.read_text() if log_file.exists() else ""
        self.processes[name] = self.agent.run(command, log_file=log_file, **options)
        ready = "sends to" if command == "kopano-spooler" else "ready:"
        wait_for(
            lambda: ready in log_file.read_text()[len(said) :],
            timeout=START_SECONDS,
            what=f"{name} is ready",
        )

    def kill(self, name: str) -> None:
        """SIGKILL, whatever it is doing."""
        process = self.processes.pop(name)
        process.kill()
        process.wait(STOP_SECONDS)

    def end(self, name: str) -> int:
        """TERM; return the exit code."""
        process = self.processes.pop(name)
        process.terminate()
        return process.wait(STOP_SECONDS)

    def log_file(self, name: str) -> Path:
        """Where a process writes its log."""
        return self.agent.data / f"{name}.log"

    def log(self, name: str) -> str:
        """What a process has said so far."""
        return self.log_file(name).read_text("utf-8", "replace")

    def has_answered(self, count: int) -> bool:
        """Whether so many mails have reached the MTA."""
        return len(self.sink.received) >= count

    def check_answers(self, count: int, timeout: float = 60.0) -> Counter[str]:
        """So many requests, each from an organizer of its own, have one fate and one true answer each.

        Returns how often each fate was given.
        """
        jobs = self.agent.wait_for_jobs(count, timeout)
        sent = lambda: [entry.state for entry in self.agent.outbox()] == ["sent"] * count  # noqa: E731
        wait_for(sent, timeout=timeout, what=f"{count} mails have left")
        asked = {job.mail_from: job.fate for job in jobs}
        answered = Counter(mail.rcpt_to for mail in self.sink.received)
        assert len(asked) == count
        assert answered == dict.fromkeys(asked, 1)
        assert {mail.rcpt_to: partstat(mail.content) for mail in self.sink.received} == asked
        return Counter(asked.values())


def partstat(content: bytes) -> str:
    """What the iTIP reply in a mail says, in lower case."""
    message = email.message_from_bytes(content, policy=email.policy.default)
    (part,) = [p for p in message.walk() if p.get_content_type() == "text/calendar"]
    unfolded = re.sub(r"\r?\n[ \t]", "", part.get_content())
    said = re.findall(r"^ATTENDEE\b[^:]*;PARTSTAT=([A-Z-]+)", unfolded, re.MULTILINE)
    assert len(said) == 1
    return str(said[0]).lower()


@contextmanager
def running_shape(
    data: Path,
    redis: RedisServer,
    *,
    workers: int = 2,
    database: str = "",
    environ: Mapping[str, str] | None = None,
) -> Iterator[RedisShape]:
    """Start everything for the time of the `with` block; in the end what still runs is killed.

    `environ` are further settings of all processes.
    """
    settings = {"DAGENT_QUEUE_URL": redis.url, **(environ or {})}
    with (
        running_sink() as sink,
        RunningAgent(data, smtp_port=sink.port, database=database, environ=settings) as agent,
    ):
        shape = RedisShape(agent, redis, sink)
        try:
            for number in range(1, workers + 1):
                shape.begin("kopano-mr-accept", f"worker{number}")
            shape.begin("kopano-spooler", "spooler")
            yield shape
        finally:
            for name in list(shape.processes):
                shape.kill(name)
