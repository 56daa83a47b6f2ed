"""The click command made of the declared options: grouped help, and errors in one line.

Exit codes: 0, 1 for whatever is wrong with the request, 75 (EX_TEMPFAIL) for trouble that may pass.
"""

import os
import re
import sys
from collections.abc import Callable
from typing import Any

import click

from admin.options import DECLARED, GENERAL, HEADINGS, Options
from mailcore.errors import MailError, UsageError

PROGRAM = "kopano-admin"
_SURROGATE = re.compile("[\ud800-\udfff]")


class AdminCommand(click.Command):
    """A command whose help has headings and whose every error is one line on standard error."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run, and end the process with its exit code."""
        try:
            status = super().main(*args, **{**extra, "standalone_mode": False})
        except click.Abort:
            status = _fail("interrupted; nothing was changed")
        except click.ClickException as error:
            status = _fail(f"{error.format_message().rstrip('.')} (--help explains the options)")
        except MailError as error:
            status = _fail(str(error), 1 if error.permanent else os.EX_TEMPFAIL)
        sys.exit(status)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage line: click's own would name nothing."""
        formatter.write_usage(ctx.command_path, "ACTION [OPTION]...")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under the headings of their groups."""
        for group in HEADINGS:
            records = [
                record
                for parameter in self.get_params(ctx)
                if _group_of(parameter) == group and (record := parameter.get_help_record(ctx))
            ]
            with formatter.section(group):
                formatter.write_dl(records, col_max=36)


def _group_of(parameter: click.Parameter) -> str:
    return str(DECLARED.get(parameter.name or "", {}).get("group", GENERAL))


def _fail(text: str, status: int = 1) -> int:
    click.echo(f"{PROGRAM}: {' '.join(text.split())}", err=True)
    return status


def build_command(run: Callable[[Options], int], *, help_text: str, examples: str) -> AdminCommand:
    """Make the command that reads the options and hands them to `run`, which returns the exit code.

    Without any argument it prints its help.
    """

    def callback(**values: Any) -> int:
        context = click.get_current_context()
        options = Options(**values, words=tuple(context.args))
        if options == Options():
            click.echo(context.get_help())
            return 0
        return run(options)

    command = AdminCommand(
        PROGRAM,
        params=[_parameter(name) for name in DECLARED],
        callback=callback,
        help=help_text,
        epilog=examples,
        context_settings={"allow_extra_args": True},
    )
    version = click.version_option(package_name="kopano-dagent", prog_name=PROGRAM)
    decorated: AdminCommand = version(command)
    return decorated


def _parameter(name: str) -> click.Option:
    declared = DECLARED[name]
    keywords = dict(declared["keywords"])
    if choices := keywords.pop("choices", ()):
        keywords["type"] = click.Choice(choices, case_sensitive=False)
    # The empty text of an optional value stands for no value.
    may_be_empty = keywords.pop("clearable", False) or "flag_value" in keywords
    keywords["callback"] = _check_text if may_be_empty else _check_filled
    return click.Option([name, *declared["spelling"]], help=declared["meaning"], **keywords)


def _check_text(_context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """Refuse octets that are no UTF-8: they arrive as lone surrogates, which no database takes."""
    for text in value if isinstance(value, tuple) else (value,):
        if isinstance(text, str) and not text.isascii() and _SURROGATE.search(text):
            raise UsageError(f"{parameter.opts[0]}: the value is not valid UTF-8")
    return value


def _check_filled(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """Refuse an empty value too: it is a shell variable that was not set, not a wish."""
    if value == "" or (isinstance(value, tuple) and "" in value):
        raise UsageError(f"{parameter.opts[0]}: the value is empty")
    return _check_text(context, parameter, value)
