"""The daemon `kopano-dagent -l`: the LMTP listener, and, without Redis, booking workers and spooler beside it."""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable

from dagent.lmtp import LmtpLimits, LmtpServer, serve
from dagent.notify import notify, notify_reloading
from dagent.store_postman import StorePostman
from dagent.upkeep import Upkeep
from dagent.wakeups import WakeUps
from dagent.wiring import Parts, open_parts
from mailcore.errors import UsageError
from mailcore.settings import Settings, split_host_port
from mr_accept.worker import Worker
from spooler.spooler import Spooler
from store.writer import GroupCommitWriter

log = logging.getLogger(__name__)

SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter: with Python's 5 ms the writer waits that long after each statement."""


class Agent:
    """One running agent."""

    def __init__(self, settings: Settings) -> None:
        self._parts = open_parts(settings)
        self._spooler = self._make_spooler(self._parts)
        self._worker = Worker(
            self._parts.committer,
            self._parts.directory,
            settings,
            self._parts.hostname,
            mail_leaves=self._spooler.wake,
        )
        self._wakeups = WakeUps(settings.queue.url, self._worker.drain)
        self._writer = GroupCommitWriter(self._parts.committer, wake=self._wakeups.send)
        self._upkeep = Upkeep(self._parts)
        self._postman = StorePostman(
            self._parts.directory, self._writer, settings.lmtp, self._parts.hostname
        )

    @staticmethod
    def _make_spooler(parts: Parts) -> Spooler:
        return Spooler(parts.database, parts.committer, parts.settings.spooler, parts.hostname)

    async def run(self, reload: Callable[[], Settings]) -> None:
        """Serve until TERM or INT, then let everything in progress finish within `shutdown_grace`."""
        sys.setswitchinterval(SWITCH_SECONDS)
        settings = self._parts.settings
        server = await self._listen(settings)
        if not settings.queue.url:
            self._spooler.start()
            self._wakeups.start(settings.queue.workers)
            self._worker.start_polling()
        self._upkeep.start()
        notify("READY=1")
        log.info("ready: LMTP on %s, data in %s", self._address(server), settings.data_directory)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload, reload)
        await stop.wait()
        notify("STOPPING=1")
        log.info("stopping")
        if not await server.drain(settings.lmtp.shutdown_grace):
            log.warning("some sessions did not end in time; their mail will be sent again")
        await asyncio.to_thread(self._stop, settings)
        log.info("stopped")

    async def _listen(self, settings: Settings) -> LmtpServer:
        host, port = split_host_port(settings.lmtp.listen, "[lmtp] listen")
        limits = LmtpLimits(
            message_size=settings.lmtp.max_message_size,
            recipients=settings.lmtp.max_recipients,
            idle_timeout=settings.lmtp.idle_timeout,
        )
        try:
            return await serve(self._postman, host, port, self._parts.hostname, limits)
        except OSError as error:
            raise UsageError(
                f"[lmtp] listen: cannot listen on {settings.lmtp.listen}: {error.strerror};"
                " is another agent running there?"
            ) from error

    def _address(self, server: LmtpServer) -> str:
        return f"{self._parts.settings.lmtp.listen.rpartition(':')[0]}:{server.port}"

    def _reload(self, reload: Callable[[], Settings]) -> None:
        """HUP: take over what may change while running; a bad file keeps the old settings and says why."""
        notify_reloading()
        try:
            fresh = reload()
        except UsageError as error:
            log.error("settings not reloaded, the old ones stay: %s", error)
        else:
            self._postman.settings = fresh.lmtp
            logging.getLogger().setLevel(fresh.log.log_level.upper())
            log.info("settings reloaded; listeners, database and queue change with a restart only")
        notify("READY=1")

    def _stop(self, settings: Settings) -> None:
        """Acknowledged mail is on disk already; this lets the work behind it end in good order."""
        self._upkeep.stop()
        self._writer.stop()
        self._worker.stop()
        self._wakeups.stop(settings.lmtp.shutdown_grace)
        if not settings.queue.url:
            self._spooler.stop(settings.lmtp.shutdown_grace)
        self._postman.close()
        self._parts.database.close()
