"""docs/direct.md: its commands run, one after the other, end as it says and print what it shows."""

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from click.testing import CliRunner, Result

from dagent import main as program
from oof.cli import main as set_oof
from store.engine import Database
from store.listing import list_folder
from tests.admin.shell import Installed, Shell

PAGE = (Path(__file__).parents[2] / "docs" / "direct.md").read_text(encoding="utf-8")
COMMAND = "kopano-dagent "
_BLOCKS = re.findall(r"^```([\w.]*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
(MAIL,) = [text for name, text in _BLOCKS if name == "mail.eml"]


class Example(NamedTuple):
    """A command of the page, the exit code that its comment names, and the lines below it."""

    words: list[str]
    code: int
    shown: str


def examples() -> Iterator[Example]:
    for name, text in _BLOCKS:
        if name or not text.startswith(COMMAND):
            continue
        for one in re.split(rf"^(?={COMMAND})", text, flags=re.MULTILINE)[1:]:
            line, _, shown = one.partition("\n")
            typed, _, code = line.partition("#")
            yield Example(shlex.split(typed)[1:], int(code or 0), shown)


EXAMPLES = list(examples())


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """What the page says is there; the log belongs to the test run."""
    monkeypatch.setattr(program, "setup_logging", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mail.eml").write_text(MAIL)
    shell = Shell(f"sqlite:///{tmp_path / 'kopano.db'}", tmp_path)
    for name in ("anna", "ben", "carla"):
        shell.ok("-c", name, "-p", "x", "-e", f"{name}@example.org", "-f", name.title())
    shell.ok("-g", "sales", "-e", "sales@example.org")
    shell.ok("-b", "ben", "-i", "sales")
    shell.ok("-s")
    rule = {
        "name": "lists",
        "when": {"header": "Subject", "contains": "lunch"},
        "then": ["mark-read", {"copy": "Lists", "create": True}],
    }
    shell.ok("--add-rule", "carla", "-", stdin=json.dumps(rule))
    away = CliRunner().invoke(
        set_oof, ["-u", "carla", "-m", "1", "-t", "Away"], env=shell.environment
    )
    assert away.exit_code == 0, away.output
    return shell


def run(shell: Shell, words: list[str]) -> Result:
    redirected = words[-2:] == ["<", "mail.eml"]
    return CliRunner().invoke(
        program.main,
        words[:-2] if redirected else words,
        input=MAIL if redirected else None,
        env=shell.environment,
        prog_name="kopano-dagent",
    )


def test_the_page_runs_from_its_beginning_to_its_end(shell: Shell) -> None:
    for example in EXAMPLES:
        done = run(shell, example.words)
        assert done.exit_code == example.code, (example, done.output, done.exception)
        if example.shown:
            assert done.output == example.shown, example
    with closing(Database(shell.url)) as database:
        installed = Installed(database)
        assert folders_of(installed, "anna") == {
            "Inbox": 5,
            "Junk E-mail": 1,
            "Drafts": 1,
            "Projects/2030": 1,
            "Projects/2031": 1,
        }
        assert folders_of(installed, "ben") == {"Inbox": 2, "Drafts": 1}
        assert folders_of(installed, "carla") == {}  # the dry run


def folders_of(installed: Installed, name: str) -> dict[str, int]:
    """The folders in which a user has mail, and how many."""
    found: Counter[str] = Counter()
    with installed.database.read() as connection:
        for path, number in installed.mailbox(name).folders.items():
            found.update(mail.folder for mail in list_folder(connection, number, path))
    return dict(found)


def test_every_option_is_on_the_page() -> None:
    named = set(
        re.findall(r"(?<![\w-])--?[a-zA-Z][a-z-]*", " ".join(re.findall("`[^`\n]+`", PAGE)))
    )
    typed = {word for example in EXAMPLES for word in example.words if word.startswith("-")}
    other = {"listen", "show", "version"}  # not of direct delivery
    options = [option for option in program.main.params if isinstance(option, click.Option)]
    missing = {option.name for option in options if not {*option.opts} & (named | typed)}
    assert missing <= other
    assert typed <= {spelling for option in options for spelling in option.opts}
