"""docs/troubleshooting.md names commands that exist, with options they have, and anchors that lead somewhere."""

import re
import shlex
from pathlib import Path

import pytest
from click import Command, Context
from click.testing import CliRunner

from admin.main import command as admin_command
from dagent.main import main as dagent_command
from oof.cli import main as oof_command
from tests.admin.shell import Installed, Shell

PAGE = (Path(__file__).parents[2] / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
COMMANDS: dict[str, Command] = {
    "kopano-admin": admin_command,
    "kopano-dagent": dagent_command,
    "kopano-set-oof": oof_command,
}
_BLOCKS = re.findall(r"^```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
_LINES = [line for block in _BLOCKS for line in block.splitlines()]
_SPANS = re.findall(r"`((?:kopano-admin|kopano-dagent|kopano-set-oof) [^`]+)`", PAGE)
TYPED = sorted({line for line in (*_LINES, *_SPANS) if line.split()[0] in COMMANDS})
_NEEDS_SOMETHING_BOOKED_OR_DELIVERED = ("--show-", "--retry-job", "--cancel-booking")
_NEEDS_A_FILE = ("--import-calendar", "--dry-run-booking")
ADMIN = [
    line
    for line in TYPED
    if line.startswith("kopano-admin ")
    and not any(word in line for word in _NEEDS_SOMETHING_BOOKED_OR_DELIVERED)
    and not any(word in line for word in _NEEDS_A_FILE)
]


def test_there_are_commands_in_the_page() -> None:
    assert len(TYPED) > 15
    assert len(ADMIN) > 10


@pytest.mark.parametrize("typed", TYPED)
def test_every_option_is_one_of_the_command(typed: str) -> None:
    name, *words = shlex.split(typed.partition(" < ")[0])
    with Context(COMMANDS[name]) as context:
        known = {
            option for parameter in COMMANDS[name].get_params(context) for option in parameter.opts
        }
    used = {word for word in words if word.startswith("-")}
    assert used <= known


@pytest.mark.parametrize("typed", ADMIN)
def test_it_runs(typed: str, embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    shell.ok(*shlex.split(typed)[1:])


def test_links_within_the_page_lead_somewhere() -> None:
    titles = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= anchors


def test_help_is_what_the_page_says_it_is() -> None:
    for name, entry in COMMANDS.items():
        assert CliRunner().invoke(entry, ["--help"], prog_name=name).exit_code == 0
