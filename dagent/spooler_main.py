"""kopano-spooler: the daemon that sends the outbox to the MTA.

Runs in the foreground until TERM or INT, and then ends after the mail it is at; HUP reads the
settings again.  Several may run on one database.  Exit codes: 0; 75 when the database cannot be
reached at the start; 78 for a configuration that cannot work (sysexits.h).
"""

import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import click

from dagent.audit_log import audit_signal, audit_startup, setup_audit
from dagent.log import setup_logging
from dagent.notify import notify, notify_reloading
from dagent.wiring import Parts, open_parts
from mailcore.errors import MailError, UsageError
from mailcore.settings import Settings, load_settings
from spooler.smtp_server import parse_smtp_url
from spooler.spooler import Spooler

log = logging.getLogger("spooler")

PROGRAM = "kopano-spooler"
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
    """Send queued replies, out-of-office answers and forwarded mail to the MTA.

    TERM and INT end it after the mail it is at; HUP reads the settings again.
    """
    # Signals wait for sigwait() in run(): threads that are started later inherit the mask.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        settings = load_settings(config, os.environ)
        setup_logging(settings.log.log_level, settings.log.log_format)
        setup_audit(settings, PROGRAM)
        run(settings, config)
    except MailError as error:
        click.echo(f"kopano-spooler: {error}", err=True)
        sys.exit(EX_CONFIG if isinstance(error, UsageError) else EX_TEMPFAIL)


def run(settings: Settings, config: Path | None) -> None:
    """Open the database and send from it until told to end.

    Raises UsageError for settings that cannot work, TemporaryError when the database is away.
    """
    parse_smtp_url(settings.spooler.smtp_url)  # a mistake there should not wait for the database
    parts = open_parts(settings)
    try:
        spooler = _start(parts, settings)
        stop_listening = _listen_for_mail(settings.queue.url, spooler)
        audit_startup(PROGRAM)
        notify("READY=1")
        while audit_signal(PROGRAM, signal.sigwait(_SIGNALS)) == signal.SIGHUP:
            _reload(spooler, config)
        # Who asks a second time does not want to wait for the mail in hand.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        notify("STOPPING=1")
        spooler.stop()
        stop_listening(settings.lmtp.shutdown_grace)
        log.info("kopano-spooler has ended")
    finally:
        parts.close()


def _start(parts: Parts, settings: Settings) -> Spooler:
    spooler = Spooler(parts.database, parts.committer, settings.spooler, parts.hostname)
    spooler.start()
    log.info("kopano-spooler sends to %s", spooler.server)
    return spooler


def _listen_for_mail(url: str, spooler: Spooler) -> Callable[[float], None]:
    """Let whoever puts mail into the outbox wake the spooler through the queue, if there is one.

    Returns what ends that, within a number of seconds.
    """
    if not url:
        return lambda _grace: None
    from dagent.wakeups import WakeUps  # noqa: PLC0415 - loads dramatiq, which only a queue needs

    wakeups = WakeUps(url)
    wakeups.receive_mail(spooler.wake)
    return wakeups.stop


def _reload(spooler: Spooler, config: Path | None) -> None:
    """Go on with `[spooler]` and `[log]` as they are now; with the old ones when the new are bad.

    The database, the queue and the host's name stay what they were at the start.
    """
    notify_reloading()
    try:
        settings = load_settings(config, os.environ)
        setup_audit(settings, PROGRAM)
        spooler.adopt(settings.spooler)
    except UsageError as error:
        log.error("the settings were not reloaded: %s", error)
    else:
        setup_logging(settings.log.log_level, settings.log.log_format)
        log.info("settings reloaded; kopano-spooler sends to %s", spooler.server)
    notify("READY=1")
