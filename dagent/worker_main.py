"""kopano-mr-accept: booking workers as a process of their own, woken through Redis.

Runs in the foreground until TERM or INT, and ends after the job at hand.  Several may run on one database; with
`queue.url` empty it lives on looking for jobs by itself.  Exit codes: 0; 75 when the database cannot be reached at
the start; 78 for a configuration that cannot work.
"""

import logging
import os
import signal
import sys
from pathlib import Path

import click

from dagent.log import setup_logging
from dagent.notify import notify
from dagent.wakeups import WakeUps
from dagent.wiring import open_parts
from mailcore.errors import MailError, UsageError
from mailcore.settings import Settings, load_settings
from mr_accept.worker import Worker

log = logging.getLogger(__name__)

EX_TEMPFAIL = 75
EX_CONFIG = 78
_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The settings file; without it /etc/kopano/kopano.toml, if there is one.",
)
@click.version_option(package_name="kopano-dagent")
def main(config: Path | None) -> None:
    """Book rooms and equipment: work on the meeting messages that kopano-dagent has accepted."""
    # Signals wait for sigwait() in run(): threads that are started later inherit the mask.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        settings = load_settings(config, os.environ)
        setup_logging(settings.log.log_level)
        run(settings)
    except MailError as error:
        click.echo(f"kopano-mr-accept: {error}", err=True)
        sys.exit(EX_CONFIG if isinstance(error, UsageError) else EX_TEMPFAIL)


def run(settings: Settings) -> None:
    """Work until told to end; raises UsageError or TemporaryError where that cannot even begin."""
    parts = open_parts(settings)
    worker = Worker(
        parts.committer,
        parts.directory,
        settings,
        parts.hostname,
        mail_leaves=lambda: None,  # the spooler of this store looks by itself
    )
    wakeups = WakeUps(settings.queue.url, worker.drain)
    wakeups.start(settings.queue.workers)
    worker.start_polling()
    notify("READY=1")
    log.info("ready: %d booking threads", settings.queue.workers)
    signal.sigwait(_SIGNALS)
    notify("STOPPING=1")
    worker.stop()
    wakeups.stop(settings.lmtp.shutdown_grace)
    parts.database.close()
    log.info("stopped")
