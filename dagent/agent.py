"""The daemon `kopano-dagent -l`: the LMTP listener, and, without Redis, booking workers and spooler beside it."""

import asyncio
import gc
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dagent.activation import take_sockets
from dagent.audit_log import audit_signal, audit_startup, setup_audit
from dagent.event_scripts import EventScripts
from dagent.heartbeat import Heartbeat, watchdog_interval
from dagent.listening import Listener, open_listener
from dagent.lmtp import LmtpLimits, LmtpServer
from dagent.log import setup_logging
from dagent.notify import notify, notify_reloading
from dagent.signals import STOPPING, SignalQueue
from dagent.socketmap import SocketmapServer
from dagent.store_postman import StorePostman
from dagent.tls import load_certificate
from dagent.unix_socket import unlink_socket
from dagent.upkeep import Upkeep
from dagent.wakeups import WakeUps
from dagent.wiring import open_parts
from delivery.site import open_site
from mailcore.errors import UsageError
from mailcore.listen import (
    TcpAddress,
    UnixAddress,
    parse_listen_address,
    parse_listen_addresses,
)
from mailcore.settings import LmtpSettings, Settings
from mailcore.settings_change import SettingsChange, settings_change
from mr_accept.worker import Worker
from spooler.spooler import Spooler
from store.writer import GroupCommitWriter

log = logging.getLogger(__name__)

PROGRAM = "kopano-dagent"
SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter: with Python's 5 ms the writer waits that long after each statement."""

GC_THRESHOLD = 10_000
"""Objects made and not dropped before the cycle collector looks; a mail makes hundreds, and hardly ever cycles."""

SESSIONS_SHARE = 0.9
"""How much of the shutdown's grace the sessions may use; the rest is for the jobs and mails in hand."""

SOCKETMAP_NAME = "socketmap"
"""FileDescriptorName= of inherited sockets that are for lookups; all others are for LMTP."""


class Agent:
    """One running agent."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings  # those in effect now
        self._parts = parts = open_parts(settings)
        self._socket_paths: list[Path] = []
        self._wakeups = WakeUps(settings.queue.url)
        self._spooler = Spooler(parts.database, parts.committer, settings.spooler, parts.hostname)
        # Through Redis a spooler elsewhere is woken; without it ours is at hand.
        mail_leaves = self._wakeups.mail_leaves if settings.queue.url else self._spooler.wake
        self._worker = Worker(
            parts.committer, parts.directory, settings, parts.hostname, mail_leaves=mail_leaves
        )
        self._writer = GroupCommitWriter(
            parts.committer, wake=self._wakeups.resource_has_work, mail_leaves=mail_leaves
        )
        self._upkeep = Upkeep(parts)
        self._event_scripts = EventScripts(parts.database, settings.events)
        self._postman = StorePostman(parts.database, parts.directory, self._writer, parts.site)
        self._socketmap = SocketmapServer(self._postman, settings.socketmap.idle_timeout)

    async def run(self, reload: Callable[[], Settings]) -> None:
        """Serve until TERM or INT, then let everything in progress finish within `shutdown_grace`.

        HUP takes over what `reload` returns, as far as that can change while running.
        """
        sys.setswitchinterval(SWITCH_SECONDS)
        gc.freeze()  # what was loaded so far stays; looking through it again and again is for nothing
        gc.set_threshold(GC_THRESHOLD)
        signals = SignalQueue()
        server = await self._listen(take_sockets(os.environ, os.getpid()))
        self._begin_work()
        heartbeat = Heartbeat(
            self._writer, lambda: _status(server), watchdog_interval(os.environ, os.getpid())
        )
        beating = asyncio.create_task(heartbeat.run())
        audit_startup(PROGRAM)
        notify("READY=1")
        log.info("ready: %s, data in %s", _status(server), self._settings.data_directory)
        while audit_signal(PROGRAM, await signals.get()) not in STOPPING:
            self._reload(server, reload)
        signals.close()
        notify("STOPPING=1")
        log.info("stopping")
        await self._stop(server)
        beating.cancel()
        log.info("stopped")

    async def _listen(self, inherited: Mapping[str, Sequence[socket.socket]]) -> LmtpServer:
        """Listen on the sockets of the service manager, or else where the settings say."""
        lmtp, socketmap = self._settings.lmtp, self._settings.socketmap
        server = LmtpServer(
            self._postman, self._parts.hostname, limits_of(lmtp), load_certificate(lmtp)
        )
        lookups = inherited.get(SOCKETMAP_NAME, ())
        mail = [one for name, some in inherited.items() if name != SOCKETMAP_NAME for one in some]
        name = "[lmtp] listen"
        await self._open(server, name, parse_listen_addresses(lmtp.listen, name), mail)
        name = "[socketmap] listen"
        asked = [parse_listen_address(socketmap.listen, name)] if socketmap.listen else []
        await self._open(self._socketmap, name, asked, lookups)
        return server

    async def _open(
        self,
        server: Listener,
        name: str,
        addresses: Sequence[TcpAddress | UnixAddress],
        inherited: Sequence[socket.socket],
    ) -> None:
        """Listen on the inherited sockets, or else at the addresses of the setting `name`."""
        for one in inherited:
            await server.listen_on(one)
        for address in () if inherited else addresses:
            path = await open_listener(server, address, name, self._settings.lmtp)
            if path is not None:
                self._socket_paths.append(path)

    def _begin_work(self) -> None:
        """Start the threads behind the listener."""
        if not self._settings.queue.url:
            self._spooler.start()
            self._wakeups.receive_bookings(self._worker.drain, self._settings.queue.workers)
            self._worker.start_polling()
        self._upkeep.start()
        self._event_scripts.start()

    def _reload(self, server: LmtpServer, reload: Callable[[], Settings]) -> None:
        """HUP: take over what may change while running; a bad file keeps the old settings and says why."""
        notify_reloading()
        try:
            change = settings_change(self._settings, reload())
            certificate = load_certificate(change.settings.lmtp)
            site = open_site(change.settings, self._parts.hostname, self._parts.site.hooks)
            setup_audit(change.settings, PROGRAM)
            self._spooler.adopt(change.settings.spooler)
        except UsageError as error:
            log.error("settings not reloaded, the old ones stay: %s", error)
        else:
            server.certificate = certificate
            self._postman.site = site
            self._adopt(server, change)
        notify("READY=1")

    def _adopt(self, server: LmtpServer, change: SettingsChange) -> None:
        """Go on with the changed settings; sessions that are open keep their limits."""
        settings = self._settings = change.settings
        server.limits = limits_of(settings.lmtp)
        self._worker.adopt(settings)
        self._upkeep.settings = settings
        self._event_scripts.settings = settings.events
        setup_logging(settings.log.log_level, settings.log.log_format)
        log.info("settings reloaded; changed: %s", ", ".join(change.applied) or "none")
        if change.waiting:
            log.warning("changed, but only a restart takes it over: %s", ", ".join(change.waiting))

    async def _stop(self, server: LmtpServer) -> None:
        """Let sessions and then the work behind them end, all within `shutdown_grace`."""
        grace = self._settings.lmtp.shutdown_grace
        deadline = time.monotonic() + grace
        if not await server.drain(grace * SESSIONS_SHARE):
            log.warning("some sessions did not end in time; their mail will be sent again")
        await self._socketmap.close()
        for path in self._socket_paths:
            unlink_socket(path)
        await asyncio.to_thread(self._end_work, lambda: max(0.0, deadline - time.monotonic()))

    def _end_work(self, left: Callable[[], float]) -> None:
        """Acknowledged mail is on disk already; this lets the work behind it end in good order.

        `left` tells how many seconds there are; what needs longer is cut off, rolled back by the
        database, and done by whoever runs next.
        """
        self._postman.hand_nothing_over()
        if not self._writer.stop(left()):
            log.warning("the group-commit writer did not end; its mail was not acknowledged")
        self._upkeep.stop(left())
        self._worker.stop(left())
        self._wakeups.stop(left())
        if not self._settings.queue.url:
            self._spooler.stop(left())
        self._event_scripts.stop(left())
        self._postman.close()
        self._parts.close()


def limits_of(settings: LmtpSettings) -> LmtpLimits:
    """The limits of one LMTP session."""
    return LmtpLimits(
        message_size=settings.max_message_size,
        recipients=settings.max_recipients,
        idle_timeout=settings.idle_timeout,
        commands=settings.max_commands,
        sessions=settings.max_sessions,
        sessions_per_host=settings.max_sessions_per_host,
    )


def _status(server: LmtpServer) -> str:
    """One line on what the agent does, for the log and for `systemctl status`."""
    return f"LMTP on {', '.join(server.addresses) or 'no socket'}; {server.sessions} sessions"
