"""kopano-mr-accept: booking workers as a process of their own, woken through Redis.

Runs in the foreground until TERM or INT, and ends after the jobs at hand; HUP reads the settings again.  Several may
run on one database; with `queue.url` empty it lives on looking for jobs by itself.  Exit codes: 0; 75 when the
database cannot be reached at the start; 78 for a configuration that cannot work.
"""

import logging
import os
import signal
import sys
import time
from pathlib import Path

import click

from dagent.audit_log import audit_signal, audit_startup, setup_audit
from dagent.log import setup_logging
from dagent.notify import notify, notify_reloading
from dagent.wakeups import WakeUps
from dagent.wiring import open_parts
from delivery.site import open_site
from mailcore.errors import MailError, UsageError
from mailcore.settings import Settings, load_settings
from mailcore.settings_change import settings_change
from mr_accept.worker import Worker

log = logging.getLogger(__name__)

PROGRAM = "kopano-mr-accept"
EX_TEMPFAIL = 75
EX_CONFIG = 78
_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The settings file; without it /etc/kopano/kopano.toml, if there is one.",
)
@click.version_option(package_name="kopano-dagent")
def main(config: Path | None) -> None:
    """Book rooms and equipment: work on the meeting messages that kopano-dagent has accepted.

    TERM and INT end it after the jobs at hand; HUP reads the settings again.
    """
    # Signals wait for sigwait() in run(): threads that are started later inherit the mask.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        settings = load_settings(config, os.environ)
        setup_logging(settings.log.log_level, settings.log.log_format)
        setup_audit(settings, PROGRAM)
        run(settings, config)
    except MailError as error:
        click.echo(f"kopano-mr-accept: {error}", err=True)
        sys.exit(EX_CONFIG if isinstance(error, UsageError) else EX_TEMPFAIL)


def run(settings: Settings, config: Path | None) -> None:
    """Work until told to end; raises UsageError or TemporaryError where that cannot even begin."""
    parts = open_parts(settings)
    try:
        wakeups = WakeUps(settings.queue.url)
        worker = Worker(
            parts.committer,
            parts.directory,
            settings,
            parts.hostname,
            mail_leaves=wakeups.mail_leaves if settings.queue.url else _nobody_to_tell,
        )
        wakeups.receive_bookings(worker.drain, settings.queue.workers)
        worker.start_polling()
        audit_startup(PROGRAM)
        notify("READY=1")
        log.info("ready: %d booking threads", settings.queue.workers)
        while audit_signal(PROGRAM, signal.sigwait(_SIGNALS)) == signal.SIGHUP:
            settings = _reload(worker, settings, config)
        # Who asks a second time does not want to wait for the jobs at hand.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        notify("STOPPING=1")
        _stop(worker, wakeups, settings.lmtp.shutdown_grace)
        log.info("stopped")
    finally:
        parts.close()


def _nobody_to_tell() -> None:
    """Without a queue the spooler finds out by itself, within `spooler.poll_interval`."""


def _stop(worker: Worker, wakeups: WakeUps, grace: float) -> None:
    """End after the jobs at hand; what takes longer than `grace` seconds is rolled back and done by another."""
    deadline = time.monotonic() + grace
    worker.stop(grace)
    wakeups.stop(max(0.0, deadline - time.monotonic()))


def _reload(worker: Worker, settings: Settings, config: Path | None) -> Settings:
    """Take over what may change while running; a bad file keeps the old settings and says why."""
    notify_reloading()
    try:
        change = settings_change(settings, load_settings(config, os.environ))
        open_site(change.settings, change.settings.lmtp.hostname)
        setup_audit(change.settings, PROGRAM)
    except UsageError as error:
        log.error("settings not reloaded, the old ones stay: %s", error)
    else:
        settings = change.settings
        worker.adopt(settings)
        setup_logging(settings.log.log_level, settings.log.log_format)
        log.info("settings reloaded; changed: %s", ", ".join(change.applied) or "none")
        if change.waiting:
            log.warning("changed, but only a restart takes it over: %s", ", ".join(change.waiting))
    notify("READY=1")
    return settings
