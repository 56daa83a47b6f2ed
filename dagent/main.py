"""kopano-dagent: the mail-delivery agent, as a daemon (`-l`) or for one message (`USER < mail`)."""

import asyncio
import faulthandler
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from dagent.log import setup_logging
from dagent.signals import ignore_hangups
from mailcore.errors import MailError, UsageError
from mailcore.settings import Settings, load_settings, parse_settings, read_document

EX_USAGE = 64
EX_TEMPFAIL = 75
EX_CONFIG = 78


class _Command(click.Command):
    """Wrong usage ends with 64 (sysexits.h), which an MTA takes for a mistake in its own configuration."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """See click.Command."""
        try:
            return super().main(*args, **{**kwargs, "standalone_mode": False})
        except click.ClickException as error:
            error.show()
            sys.exit(EX_USAGE)
        except click.Abort:
            sys.exit(EX_TEMPFAIL)


@click.command(cls=_Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("user", required=False)
@click.option("-l", "--listen", is_flag=True, help="Run as a daemon that listens for LMTP.")
@click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The settings file; without it /etc/kopano/kopano.toml, if there is one.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="The data directory (also: DAGENT_DATA).",
)
@click.option("--sender", default="", help="Envelope sender of a message read from standard input.")
@click.option("--check-config", "show", flag_value="check", help="Tell what is wrong, or ok.")
@click.option("--dump-config", "show", flag_value="dump", help="Print the settings in effect.")
@click.option("--sample-config", "show", flag_value="sample", help="Print every default.")
@click.version_option(package_name="kopano-dagent")
def main(
    user: str | None,
    listen: bool,
    config: Path | None,
    data: Path | None,
    sender: str,
    show: str | None,
) -> None:
    """Deliver mail.

    With -l: take it over LMTP until TERM or INT; HUP reads the settings again.
    With USER (a name or an address): deliver the message on standard input and exit with 0 when it is safe,
    64 for wrong usage, 70 when it can never be delivered, 75 when it should be tried again.

    The options that end in -config print and exit: with 0, or with 78 for settings that cannot work.
    """
    if show is not None and not (listen or user):
        sys.exit(_show(show, config, data))
    if show is not None or listen == bool(user):
        raise click.UsageError("give either -l or the USER who gets the message on standard input")
    try:
        settings = _load(config, data)
    except UsageError as error:
        click.echo(f"kopano-dagent: {error}", err=True)
        # An MTA that runs us for one message has to keep it until this is mended.
        sys.exit(EX_CONFIG if listen else EX_TEMPFAIL)
    setup_logging(settings.log.log_level)
    sys.exit(_listen(settings, config, data) if user is None else _deliver(settings, user, sender))


def _load(config: Path | None, data: Path | None) -> Settings:
    return load_settings(config, _environ(data))


def _environ(data: Path | None) -> Mapping[str, str]:
    """The environment, with what `--data` says in the place of DAGENT_DATA."""
    return os.environ if data is None else {**os.environ, "DAGENT_DATA": str(data)}


def _show(what: str, config: Path | None, data: Path | None) -> int:
    from dagent.config_check import check_settings  # noqa: PLC0415 - loads the database library
    from mailcore.settings_text import dump_text, sample_text  # noqa: PLC0415

    if what == "sample":
        click.echo(sample_text(), nl=False)
        return 0
    environ = _environ(data)
    try:
        document, source = read_document(config)
        settings = parse_settings(document, environ, source=source)
        check_settings(settings)
    except UsageError as error:
        click.echo(f"kopano-dagent: {error}", err=True)
        return EX_CONFIG
    click.echo(
        "ok\n" if what == "check" else dump_text(settings, document, environ, source), nl=False
    )
    return 0


def _listen(settings: Settings, config: Path | None, data: Path | None) -> int:
    ignore_hangups()
    faulthandler.enable()  # when a watchdog ends us, the log gets the stack of every thread
    from dagent.agent import Agent  # noqa: PLC0415 - slow to load, and not needed for one message

    try:
        asyncio.run(Agent(settings).run(lambda: _load(config, data)))
    except MailError as error:
        click.echo(f"kopano-dagent: {error}", err=True)
        return EX_CONFIG if isinstance(error, UsageError) else EX_TEMPFAIL
    return 0


def _deliver(settings: Settings, user: str, sender: str) -> int:
    from dagent.direct import deliver_directly  # noqa: PLC0415

    content = sys.stdin.buffer.read()
    return deliver_directly(
        settings,
        user,
        sender,
        content,
        say=lambda text: click.echo(f"kopano-dagent: {text}", err=True),
    )
