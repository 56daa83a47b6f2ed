"""Runs the scripts of directory events (manual, 8.5.1), as run-parts(8) would.

An event's scripts are the executable files of `<scripts_directory>/<event>.d`, in the order of their names.  Each runs
in a process group of its own, with a clean environment and nothing to read, and whatever it leaves behind there is
killed with it.  A script that fails is logged, and the next one runs.  A script or directory that anybody but
root and we may write is refused: it would run with our rights.

A script may be run again from the start, after a stop or a crash in its midst.
"""

import logging
import os
import re
import selectors
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dagent.outage import Outage
from mailcore.charset import one_line
from mailcore.errors import TemporaryError
from mailcore.settings import EventSettings
from store.engine import Database
from store.events import (
    DONE,
    FAILED,
    LONGEST_OUTPUT,
    DirectoryEvent,
    finish_event,
    finish_same,
    lease_event,
    release_event,
    renew_event,
)

log = logging.getLogger(__name__)

INTERVAL = 3.0
"""Seconds between two looks for events."""

LEASE = 30.0
"""Seconds after which another process takes an event over that nobody has renewed the lease of."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_LEFT_OVER = re.compile(r"\.(?:bak|dpkg-[^.]*)\Z")
_KEPT_OUTPUT = 8192  # octets of each script's output
_CHUNK = 65_536  # octets; more than is kept is read as well, but so much a turn
_TURN = 0.1  # seconds between two looks at a script
_AFTER_KILL = 5.0  # seconds that a stop waits for what it has killed


class CutOffError(Exception):
    """The event was left in its midst: we have to end, or it has got into other hands."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a script ended: `trouble` in words, or empty, and what it has written."""

    trouble: str
    output: str = ""


class EventScripts:
    """A thread that runs events as they come; safe in any number of processes at once.

    `settings` may be replaced while it runs.
    """

    def __init__(self, database: Database, settings: EventSettings) -> None:
        self.settings = settings
        self._database = database
        self._outage = Outage("the database", "scripts of events wait")
        self._stopping = threading.Event()
        self._cut_off = threading.Event()
        self._thread = threading.Thread(target=self._run, name="event scripts", daemon=True)

    def start(self) -> None:
        """Begin, with a first look now."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """End after the event at hand; what needs longer than `timeout` seconds is killed, and run again later."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
            self._cut_off.set()
            self._thread.join(_AFTER_KILL)

    def run_due(self) -> int:
        """Run every event that is due and not in other hands; return how many ended."""
        count = 0
        while not self._stopping.is_set() and (event := lease_event(self._database, LEASE)):
            try:
                count += self._run_event(event)
            except CutOffError as error:
                log.warning("event %d %s: %s; run again later", event.id, event.name, error)
                release_event(self._database, event)
        return count

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.run_due()
                self._outage.end("events")
            except TemporaryError as error:
                self._outage.note("events", error)
            except Exception:
                log.exception("events: tried again")
            self._stopping.wait(INTERVAL)

    def _run_event(self, event: DirectoryEvent) -> int:
        """Run an event's scripts; return how many events that ends.  Raises CutOffError."""
        directory = Path(self.settings.scripts_directory).absolute() / f"{event.name}.d"
        try:
            scripts = scripts_in(directory)
        except OSError as error:
            said = f"{directory} cannot be read: {error.strerror}"
            log.error("event %d: %s", event.id, said)
            return finish_event(self._database, event, FAILED, said)
        if not scripts:
            return finish_same(self._database, event)
        return self._run_scripts(event, scripts)

    def _run_scripts(self, event: DirectoryEvent, scripts: Sequence[Path]) -> bool:
        watch = self._watch(event)
        said: list[str] = []
        state = DONE
        share = LONGEST_OUTPUT // len(scripts)
        for script in scripts:
            outcome = run_script(script, event.variables, self.settings.script_timeout, watch)
            _log_outcome(event, script, outcome)
            said.append(_summary(script, outcome, share))
            if outcome.trouble:
                state = FAILED
        return finish_event(self._database, event, state, "\n".join(said))

    def _watch(self, event: DirectoryEvent) -> Callable[[], None]:
        """What is called while a script runs: keeps the lease, and raises CutOffError when the script has to end."""
        renewed = time.monotonic()

        def watch() -> None:
            nonlocal renewed
            if self._cut_off.is_set():
                raise CutOffError("no time left")
            if time.monotonic() - renewed < LEASE / 3:
                return
            renewed = time.monotonic()
            try:
                held = renew_event(self._database, event, LEASE)
            except TemporaryError as error:
                log.warning("event %d: the lease was not renewed: %s", event.id, error)
            else:
                if not held:
                    raise CutOffError("taken over by another process")

        return watch


def run_events(database: Database, settings: EventSettings) -> int:
    """Run every event that is due here and now; return how many ended.  Safe beside a daemon that does the same."""
    return EventScripts(database, settings).run_due()


def scripts_in(directory: Path) -> list[Path]:
    """The executable files of a directory, in the order of their names; none where there is no such directory.

    Names are made of letters, digits, `_`, `-` and, but for the first, `.`; what an editor or dpkg left behind
    (`.bak`, `~`, `.dpkg-old`) is none.  Raises OSError when the directory cannot be read.
    """
    try:
        names = sorted(path.name for path in directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    good = [name for name in names if _NAME.fullmatch(name) and not _LEFT_OVER.search(name)]
    paths = [directory / name for name in good]
    return [path for path in paths if path.is_file() and os.access(path, os.X_OK)]


def run_script(
    script: Path, variables: Mapping[str, str], timeout: float, watch: Callable[[], None]
) -> Outcome:
    """Run one script to its end, or to its death after `timeout` seconds.

    `watch` is called several times a second; what it raises ends the script and is passed on.
    """
    watch()
    for path in (script.parent, script):
        if trouble := others_may_write(path):
            return Outcome(trouble)
    try:
        process = subprocess.Popen(  # noqa: S603 - the administrator's own script
            [script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": PATH, "LANG": "C.UTF-8", **variables},
            start_new_session=True,
        )
    except OSError as error:
        return Outcome(f"cannot be run: {error.strerror}")
    with process:
        try:
            output, in_time = _follow(process, time.monotonic() + timeout, watch)
        finally:
            # Before it is waited for: until then its process group's number can be nobody else's.
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
    trouble = _trouble(code) if in_time else f"killed after {timeout:g} seconds"
    return Outcome(trouble, output.decode("utf-8", "replace"))


def others_may_write(path: Path) -> str:
    """What is wrong with a script or its directory, with the fix; empty when only root and we may write it."""
    try:
        status = path.stat()
    except OSError as error:
        return f"{path}: {error.strerror}"
    if status.st_uid not in {0, os.geteuid()}:
        return f"refused: {path} belongs to user {status.st_uid}; give it to root"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"refused: others may write {path}; chmod go-w"
    return ""


def _follow(
    process: "subprocess.Popen[bytes]", deadline: float, watch: Callable[[], None]
) -> tuple[bytes, bool]:
    """What a script writes until it ends or the deadline passes, and whether it ended; it is not waited for."""
    assert process.stdout is not None
    pipe = process.stdout.fileno()
    os.set_blocking(pipe, False)
    kept = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            watch()
            late = time.monotonic() >= deadline
            ended = _has_ended(process.pid)
            if not _read(pipe, kept) and pipe in selector.get_map():
                selector.unregister(pipe)
            if ended or late:
                return bytes(kept), ended
            selector.select(_TURN)


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _read(pipe: int, kept: bytearray) -> bool:
    """Take what is there; False when it is not worth waiting for more: at the end, or with as much as is kept."""
    while len(kept) < _KEPT_OUTPUT:
        try:
            chunk = os.read(pipe, _CHUNK)
        except BlockingIOError:
            return True
        if not chunk:
            return False
        kept += chunk[: _KEPT_OUTPUT - len(kept)]
    with suppress(BlockingIOError):
        os.read(pipe, _CHUNK)
    return False


def _trouble(code: int) -> str:
    if code < 0:
        return f"killed by signal {-code}"
    return f"exit code {code}" if code else ""


def _summary(script: Path, outcome: Outcome, length: int) -> str:
    """How a script ended and the end of its output, shorter than `length` so that it hides no other script's."""
    heading = f"{script.name}: {outcome.trouble or 'exit code 0'}\n"
    hidden = max(0, len(heading) + len(outcome.output) + 1 - length)
    return f"{heading}{outcome.output[hidden:]}".rstrip()


def _log_outcome(event: DirectoryEvent, script: Path, outcome: Outcome) -> None:
    where = f"event {event.id}: {script.parent.name}/{script.name}"
    for line in outcome.output.splitlines():
        if shown := one_line(line):
            log.info("%s: %s", where, shown)
    level = logging.ERROR if outcome.trouble else logging.INFO
    log.log(level, "%s: %s", where, outcome.trouble or "exit code 0")
