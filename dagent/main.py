"""kopano-dagent: the mail-delivery agent, as a daemon (`-l`) or for one message (`USER... < mail`)."""

import asyncio
import faulthandler
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from dagent.audit_log import setup_audit
from dagent.direct_options import DirectOptions, direct_options
from dagent.log import setup_logging
from dagent.signals import ignore_hangups
from mailcore.errors import MailError, UsageError
from mailcore.settings import Settings, load_settings, parse_settings, read_document

EX_USAGE = 64
EX_SOFTWARE = 70
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
@click.argument("users", nargs=-1, metavar="[USER]...")
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
@click.option("--check-config", "show", flag_value="check", help="Tell what is wrong, or ok.")
@click.option("--dump-config", "show", flag_value="dump", help="Print the settings in effect.")
@click.option("--sample-config", "show", flag_value="sample", help="Print every default.")
@direct_options
@click.version_option(package_name="kopano-dagent")
def main(
    users: tuple[str, ...],
    listen: bool,
    config: Path | None,
    data: Path | None,
    show: str | None,
    **direct: Any,
) -> None:
    """Deliver mail.

    With -l: take it over LMTP until TERM or INT; HUP reads the settings again.
    With USER (names or addresses): deliver the message on standard input and exit with 0 when it is safe,
    64 for wrong usage, 70 when it can never be delivered, 75 when it should be tried again. With several
    users it is delivered to all of them or to nobody.

    The options that end in -config print and exit: with 0, or with 78 for settings that cannot work.
    """
    options = DirectOptions(**direct)
    if show is not None and not (listen or users):
        sys.exit(_show(show, config, data))
    if show is not None or listen == bool(users):
        raise click.UsageError("give either -l or the USER who gets the message on standard input")
    if listen and options != DirectOptions():
        raise click.UsageError("with -l nothing is delivered by hand: leave the other options out")
    options.check()
    try:
        settings = _load(config, data)
        level = settings.log.log_level
        level = level if listen else options.log_level(level)
        setup_logging(level, settings.log.log_format)
        setup_audit(settings, "kopano-dagent")
    except UsageError as error:
        click.echo(f"kopano-dagent: {error}", err=True)
        # An MTA that runs us for one message has to keep it until this is mended.
        sys.exit(EX_CONFIG if listen else options.exit_code(EX_TEMPFAIL))
    if listen:
        sys.exit(_listen(settings, config, data))
    sys.exit(options.exit_code(_deliver(settings, users, options)))


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


def _deliver(settings: Settings, users: tuple[str, ...], options: DirectOptions) -> int:
    def say(text: str) -> None:
        if not options.silent:
            click.echo(f"kopano-dagent: {text}", err=True)

    try:
        content = options.read_message(settings.lmtp.max_message_size)
    except MailError as error:
        say(str(error))
        return EX_SOFTWARE if error.permanent else EX_TEMPFAIL
    from dagent.direct import deliver_directly, explain_directly  # noqa: PLC0415 - slow to load

    request = options.request(users)
    if options.dry_run:
        return explain_directly(settings, request, content, say=say, show=options.show)
    return deliver_directly(settings, request, content, say=say)


if __name__ == "__main__":
    main()
