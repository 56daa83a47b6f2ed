"""A real kopano-dagent in a process of its own, with its data directory and a port for LMTP.

It is started, killed and started again on the same data; the test process looks at the result
through the command lines, or opens the same database itself.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dagent.wiring import Parts, open_parts
from delivery.lmtp_client import LmtpClient
from mailcore.errors import MailError
from mailcore.settings import parse_settings
from store.jobs import JobRecord, list_jobs
from store.listing import list_folder, read_mail
from store.mailboxes import create_mailbox, load_mailbox, update_mailbox
from store.outbox import OutboxEntry, list_outbox
from tests.support.servers import free_port
from tests.support.waiting import wait_for
from userstore.db_edit import DbEditor

COMMANDS = Path(sys.executable).parent
HOST = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 40.0


class RunningAgent:
    """An agent; `database` is its URL (SQLite in the data directory if empty), `smtp_port` the MTA's.

    `environ` are further settings as environment variables.
    """

    def __init__(
        self,
        data: Path,
        *,
        smtp_port: int | None = None,
        database: str = "",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.data = data
        self.port = free_port()
        self.log_file = data / "agent.log"
        self.config = data / "kopano.toml"
        self.config.write_text("")
        self.settings = {
            "DAGENT_DATA": str(data),
            "DAGENT_LMTP_LISTEN": f"{HOST}:{self.port}",
            "DAGENT_LMTP_HOSTNAME": "mx.example.org",
            "DAGENT_SPOOLER_SMTP_URL": f"smtp://{HOST}:{smtp_port or free_port()}",
            "DAGENT_STORE_DATABASE": database,
            **(environ or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self.kill()

    # -- the process

    def start(self, failpoints: str = "") -> None:
        """Start it and wait until it greets; `failpoints` as for mailcore.failpoint."""
        self._process = self.run("kopano-dagent", "-l", failpoints=failpoints)
        wait_for(self._greets, timeout=START_SECONDS, what="the agent listens")

    def run(
        self,
        command: str,
        *words: str,
        failpoints: str = "",
        log_file: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> "subprocess.Popen[bytes]":
        """Start a command of ours with this agent's settings; it writes to the agent's log, if to no other."""
        with (log_file or self.log_file).open("ab") as log:
            return subprocess.Popen(
                [COMMANDS / command, *words, "--config", self.config],
                env=self._environ(failpoints) | dict(environ or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """SIGKILL, whatever it is doing."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        self._process = None

    def stop(self) -> int:
        """TERM; return the exit code."""
        assert self._process is not None
        self._process.terminate()
        code = self._process.wait(STOP_SECONDS)
        self._process = None
        return code

    def hang_up(self) -> None:
        """HUP."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def wait_until_killed(self) -> None:
        """Return when it has died of SIGKILL by its own failpoint."""
        assert self._process is not None
        assert self._process.wait(START_SECONDS) == -signal.SIGKILL, self.log()
        self._process = None

    def log(self) -> str:
        """What it has said so far."""
        return self.log_file.read_text("utf-8", "replace")

    # -- talking to it

    def client(self) -> LmtpClient:
        """A client for LMTP, not connected yet."""
        listen = self.settings["DAGENT_LMTP_LISTEN"]
        path = Path(listen.removeprefix("unix:")) if listen.startswith("unix:") else None
        return LmtpClient(HOST, self.port, path=path, timeout=30)

    def admin(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run kopano-admin."""
        return subprocess.run(
            [COMMANDS / "kopano-admin", *words],
            env=self._environ(),
            capture_output=True,
            text=True,
            check=False,
        )

    def admin_json(self, *words: str) -> Any:
        """Run kopano-admin, which has to succeed, and return its JSON."""
        done = self.admin(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def deliver(
        self, *words: str, content: bytes = b"", failpoints: str = ""
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run kopano-dagent with a message on standard input."""
        return subprocess.run(
            [COMMANDS / "kopano-dagent", *words],
            env=self._environ(failpoints),
            input=content,
            capture_output=True,
            check=False,
        )

    # -- its store

    @contextmanager
    def store(self) -> Iterator[Parts]:
        """Open its database in this process."""
        parts = open_parts(parse_settings({}, self.settings, source="test"))
        try:
            yield parts
        finally:
            parts.database.close()

    def add_user(self, name: str, **values: Any) -> None:
        """Create a user NAME@example.org; `values` with `mr_` are the mailbox's, others the account's."""
        own = {key: value for key, value in values.items() if key.startswith("mr_")}
        account = {key: value for key, value in values.items() if key not in own}
        with self.store() as parts, parts.database.write() as connection:
            account = {"address": f"{name}@example.org", **account}
            user = DbEditor().create_user(connection, name, account)
            store_id = create_mailbox(connection, user.external_id, name)
            if own:
                update_mailbox(connection, store_id, own)

    def add_room(self, name: str, *, capacity: int = 0) -> None:
        """Create a room, or equipment of that capacity, that books by itself."""
        kind = {"resource_type": "equipment", "capacity": capacity} if capacity else {}
        room = {"resource_type": "room", **kind}
        self.add_user(name, mr_accept=True, mr_decline_conflict=True, **room)

    def jobs(self) -> list[JobRecord]:
        """All jobs by id."""
        with self.store() as parts, parts.database.read() as connection:
            return list_jobs(connection)

    def wait_for_jobs(self, count: int, timeout: float = 60.0) -> list[JobRecord]:
        """Return all jobs once each of them has ended; there have to be `count`."""
        with self.store() as parts:

            def ended() -> list[JobRecord]:
                with parts.database.read() as connection:
                    jobs = list_jobs(connection)
                done = len(jobs) >= count and all(job.state == "done" for job in jobs)
                return jobs if done else []

            jobs = wait_for(ended, timeout=timeout, what=f"{count} jobs have ended")
        assert len(jobs) == count
        return jobs

    def outbox(self) -> list[OutboxEntry]:
        """Everything in the outbox, by id."""
        with self.store() as parts, parts.database.read() as connection:
            return list_outbox(connection)

    def mails(self, name: str, path: str = "Inbox") -> list[bytes]:
        """The bytes of every mail in a folder, our trace headers included."""
        with self.store() as parts, parts.database.read() as connection:
            (user,) = parts.directory.plugin.by_name(name)
            mailbox = load_mailbox(connection, user.external_id)
            assert mailbox is not None
            folder_id, blobs = mailbox.folders[path], parts.committer.blobs
            uids = [mail.uid for mail in list_folder(connection, folder_id, path)]
            return [read_mail(connection, blobs, folder_id, uid) for uid in uids]

    def _greets(self) -> bool:
        assert self.running, f"the agent ended at once:\n{self.log()}"
        client = self.client()
        try:
            client.connect()
        except MailError:
            return False
        client.quit()
        return True

    def _environ(self, failpoints: str = "") -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("DAGENT_")}
        return {**inherited, **self.settings, "DAGENT_FAILPOINTS": failpoints}
