"""The options of direct delivery, spelt as mail administrators know them, and what they ask for.

`-N` and `-R` are taken and change nothing: nobody is notified of new mail here, and a USER is always looked up, as a
name and as an address.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from mailcore.errors import PermanentError, TemporaryError

if TYPE_CHECKING:
    from dagent.direct import Request
    from delivery.dry_run import Outcome

_QMAIL = {70: 100, 75: 111}
"""The exit codes of qmail-command(8) for permanent and temporary failures."""
_BLOCK = 65_536


@dataclass(frozen=True, slots=True)
class DirectOptions:
    """The options as they were given."""

    sender: str = ""
    file: Path | None = None
    junk: bool = False
    folder: str | None = None
    public: str | None = None
    separator: str = "/"
    create: bool = False
    read: bool = False
    now: bool = False
    strip_domain: bool = False
    qmail: bool = False
    silent: bool = False
    verbose: bool = False
    dry_run: bool = False
    as_json: bool = False

    def check(self) -> None:
        """Raises click.UsageError for options that contradict each other."""
        places = [self.junk, self.folder is not None, self.public is not None]
        if sum(places) > 1:
            raise click.UsageError("-j, -F and -P each say where the message goes: one of them")
        if self.create and not any(places[1:]):
            raise click.UsageError("-C creates the folder that -F or -P names: give one of them")
        if self.as_json and not self.dry_run:
            raise click.UsageError("--json goes with --dry-run")
        if len(self.separator) != 1:
            raise click.UsageError("-p: expected one character")
        if any(path is not None and not self._path(path) for path in (self.folder, self.public)):
            raise click.UsageError("-F and -P: expected the path of a folder")

    def exit_code(self, code: int) -> int:
        """The exit code as the MTA wants it."""
        return _QMAIL.get(code, code) if self.qmail else code

    def log_level(self, level: str) -> str:
        """What is logged: as the settings say, unless -v or -s says otherwise."""
        if self.verbose:
            return "debug"
        return "error" if self.silent else level

    def read_message(self, largest: int) -> bytes:
        """The message, from the file or from standard input; raises MailError."""
        try:
            if self.file is None:
                return _read_all(sys.stdin.buffer, largest)
            with self.file.open("rb") as handle:
                return _read_all(handle, largest)
        except OSError as error:
            source = self.file or "standard input"
            raise TemporaryError(f"{source}: cannot be read: {error.strerror}") from error

    def request(self, users: tuple[str, ...]) -> "Request":
        """What is asked for."""
        from dagent.direct import Request  # noqa: PLC0415 - slow to load, and not needed by --help
        from delivery.arrival import Wish  # noqa: PLC0415 - as above

        wish = Wish(
            junk=self.junk,
            folder=self._path(self.folder or self.public or ""),
            public=self.public is not None,
            create=self.create,
            read=self.read,
        )
        return Request(users, self.sender, wish, now=self.now, strip_domain=self.strip_domain)

    def show(self, outcomes: "Sequence[Outcome]") -> None:
        """Print what a delivery would do."""
        if self.as_json:
            records = [outcome.record() for outcome in outcomes]
            click.echo(json.dumps(records, ensure_ascii=False, indent=2))
            return
        for outcome in outcomes:
            for line in outcome.lines():
                click.echo(line)

    def _path(self, text: str) -> str:
        return "/".join(part for part in text.split(self.separator) if part)


def _read_all(source: BinaryIO, largest: int) -> bytes:
    """Everything, unless that is more than `largest` octets."""
    blocks, size = [], 0
    while block := source.read(_BLOCK):
        size += len(block)
        if size > largest:
            raise PermanentError(
                f"the message is larger than {largest} octets ([lmtp] max_message_size)"
            )
        blocks.append(block)
    return b"".join(blocks)


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--sender", default="", help="Envelope sender of the message."),
    click.option(
        "-f",
        "--file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Read the message from FILE instead of standard input.",
    ),
    click.option("-j", "--junk", is_flag=True, help="Deliver into the junk folder."),
    click.option(
        "-F", "--folder", metavar="PATH", help="Into this folder, or the Inbox where it is missing."
    ),
    click.option("-P", "--public", metavar="PATH", help="The same, in the public store."),
    click.option("-p", "--separator", default="/", help="What separates folders in PATH (/)."),
    click.option("-C", "--create", is_flag=True, help="Make the folder where it is missing."),
    click.option("-r", "--read", is_flag=True, help="Mark the message as read."),
    click.option(
        "-n", "--now", is_flag=True, help="Date it now, not by its newest Received header."
    ),
    click.option(
        "-N",
        "--no-notify",
        is_flag=True,
        expose_value=False,
        help="Taken; nobody is notified here anyway.",
    ),
    click.option("-e", "--strip-domain", is_flag=True, help="USER is what stands before the @."),
    click.option(
        "-R", "--resolve", is_flag=True, expose_value=False, help="Taken; USER is always looked up."
    ),
    click.option("-q", "--qmail", is_flag=True, help="Exit codes of qmail: 100 and 111."),
    click.option("-s", "--silent", is_flag=True, help="Print nothing but mistakes in the call."),
    click.option("-v", "--verbose", is_flag=True, help="Log in detail."),
    click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing."),
    click.option("--json", "as_json", is_flag=True, help="With --dry-run: for programs."),
)


def direct_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of direct delivery to a command, in the order of the help."""
    for add in reversed(_OPTIONS):
        command = add(command)
    return command
