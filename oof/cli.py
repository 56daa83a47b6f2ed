"""kopano-set-oof: out-of-office from the command line (manual, chapter 8.9).

Exit codes: 0, or 1 with one line on standard error that says what to do; nothing was changed then.
"""

import json
import locale
import os
import sys
import time
from contextlib import closing
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from mailcore.errors import MailError, NoSuchRecipientError, UsageError
from mailcore.settings import Settings, load_settings
from oof.change import (
    OFF,
    ON,
    TEXTS_ONLY,
    Change,
    apply_change,
    describe,
    document_of,
    read_zone,
    shown_in,
)
from oof.settings import EXTERNAL, OofSettings

if TYPE_CHECKING:
    from store.engine import Database
    from store.mailboxes import StoredOof

# What needs the database is loaded in the functions below: --help and mistakes answer at once.

PROGRAM = "kopano-set-oof"
_MESSAGES = {
    "message": "-n",
    "internal_message": "--internal-message",
    "external_message": "--external-message",
}
EXAMPLES = """
\b
Examples:
  kopano-set-oof -u anna -m 1 -t "On holiday" -n away.txt --until "2030-06-30 18:00"
  kopano-set-oof -u anna -m 0
  kopano-set-oof -u anna
"""


class _Command(click.Command):
    """A command whose every error is one line and exit code 1."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run, and end the process with its exit code."""
        try:
            status = super().main(*args, **{**extra, "standalone_mode": False})
        except click.Abort:
            status = _fail("interrupted; nothing was changed")
        except click.ClickException as error:
            status = _fail(f"{error.format_message().rstrip('.')} (--help explains the options)")
        except MailError as error:
            status = _fail(str(error))
        sys.exit(status)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words; none at all ask for the help."""
        return super().parse_args(ctx, args or ["--help"])


def _fail(text: str) -> int:
    click.echo(f"{PROGRAM}: {' '.join(text.split())}", err=True)
    return 1


@click.command(cls=_Command, epilog=EXAMPLES)
@click.option("-u", "--user", metavar="USER", help="The user (a login name or an address).")
@click.option(
    "-m",
    "--mode",
    type=click.Choice([ON, OFF, TEXTS_ONLY]),
    default=TEXTS_ONLY,
    help="1 switches on, 0 off; - (the default) changes texts only, and not while it is on.",
)
@click.option("-t", "--subject", help="The subject of the answers.")
@click.option(
    "-n", "--message", metavar="FILE", help="The file with their text; - is standard input."
)
@click.option(
    "--internal-message",
    metavar="FILE",
    help="The same for senders inside; else they get that of -n.",
)
@click.option(
    "--external-message", metavar="FILE", help="The same for senders outside; else that of -n."
)
@click.option(
    "--external",
    type=click.Choice(EXTERNAL),
    help="Who outside is answered: nobody, who answers mail of ours, or (the default) all.",
)
@click.option(
    "--decline-meetings",
    type=click.Choice(["yes", "no"]),
    help="Whether the auto-booker declines meetings during the absence.",
)
@click.option("--from", "starts", metavar="TIME", help='When it begins: "YYYY-MM-DD HH:MM".')
@click.option("--until", metavar="TIME", help='When it ends: "YYYY-MM-DD HH:MM", or infinite.')
@click.option(
    "--timezone",
    metavar="ZONE",
    help="IANA zone of these times, kept with them; else the mailbox's own zone.",
)
@click.option("--dump-json", is_flag=True, help="Print the state as JSON.")
@click.option("--config", type=click.Path(path_type=Path), help="The settings file.")
@click.version_option(package_name="kopano-dagent", prog_name=PROGRAM)
def main(**options: Any) -> int:
    """Switch a user's out-of-office on or off, and change its subject and text.

    Without -m 0 or -m 1 and without a text it shows what is set.
    """
    if not options["user"]:
        raise UsageError("whose out-of-office? Name the user with -u USER")
    decline = options["decline_meetings"]
    change = Change(
        mode=options["mode"],
        subject=_checked_text(options["subject"], "-t"),
        starts=options["starts"],
        until=options["until"],
        timezone=options["timezone"],
        external=options["external"],
        decline_meetings=None if decline is None else decline == "yes",
        **_read_messages(options),
    )
    settings = load_settings(options["config"], os.environ)
    now = time.time()
    oof, zone = _perform(options["user"], change, settings, now)
    if options["dump_json"]:
        click.echo(json.dumps(document_of(oof, zone, now), ensure_ascii=False))
    else:
        click.echo("\n".join(describe(options["user"], oof, zone, now)))
    return 0


def _checked_text(text: str | None, option: str) -> str | None:
    """Refuse octets that are no text in the locale's charset: they arrive as lone surrogates."""
    if text is not None and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise UsageError(f"{option}: the value is not valid text in the locale's charset")
    return text


def _read_messages(options: dict[str, Any]) -> dict[str, str | None]:
    """The texts in the files that are named."""
    files = {name: options[name] for name in _MESSAGES}
    if list(files.values()).count("-") > 1:
        raise UsageError("only one text can come from standard input; name files for the others")
    return {
        name: None if file is None else _read_message(_MESSAGES[name], file)
        for name, file in files.items()
    }


def _read_message(option: str, name: str) -> str:
    """The text in a file, in the locale's charset."""
    charset = locale.getpreferredencoding(False)
    try:
        octets = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        text = octets.decode("utf-8-sig" if charset.lower() in {"utf-8", "utf8"} else charset)
    except OSError as error:
        raise UsageError(f"{option} {name}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(
            f"{option} {name}: is not {charset} text; convert the file, or set LC_ALL to its charset"
        ) from error
    return text.replace("\r\n", "\n")


def _perform(
    name: str, change: Change, settings: Settings, now: float
) -> tuple[OofSettings, ZoneInfo]:
    """Make the change in one transaction; return what is set then, and the zone of its times."""
    from store.mailboxes import load_mailbox  # noqa: PLC0415 - see above
    from store.migrate import open_database  # noqa: PLC0415
    from store.personal import save_oof  # noqa: PLC0415

    with closing(open_database(settings.database_url)) as database:
        external_id = _external_id(settings, database, name)
        with database.read() if change.empty else database.write() as connection:
            mailbox = load_mailbox(connection, external_id)
            if mailbox is None:
                raise UsageError(f"user {name!r} has no mailbox")
            home = read_zone(mailbox.timezone or settings.userstore.default_timezone)
            oof = _settings_of(mailbox.oof)
            zone = shown_in(oof, home, change.timezone)
            if not change.empty:
                oof = apply_change(oof, change, home, now)
                save_oof(connection, mailbox.id, _stored(oof))
                zone = shown_in(oof, home, change.timezone)
    return oof, zone


def _external_id(settings: Settings, database: "Database", name: str) -> str:
    from userstore.lookup import find  # noqa: PLC0415
    from userstore.model import User  # noqa: PLC0415
    from userstore.plugins import open_plugin  # noqa: PLC0415

    try:
        found = find(open_plugin(settings, database).users, name, delimiter="").entry
    except NoSuchRecipientError as error:
        raise UsageError(f"no user {name!r}; kopano-admin -l lists them") from error
    if not isinstance(found, User):
        raise UsageError(f"{name!r} is a group; expected a user")
    return found.external_id


def _settings_of(stored: "StoredOof | None") -> OofSettings:
    if stored is None:
        return OofSettings(enabled=False, subject="", message="")
    return OofSettings(**{field.name: getattr(stored, field.name) for field in fields(OofSettings)})


def _stored(oof: OofSettings) -> "StoredOof":
    from store.mailboxes import StoredOof  # noqa: PLC0415

    since = 0.0  # the store's own to keep
    return StoredOof(**asdict(oof), switched_on_at=since)


if __name__ == "__main__":
    main()
