"""docs/admin.md: its commands run, one after the other, as somebody would who tries them while reading."""

import re
import shlex
from pathlib import Path

from admin.main import EXAMPLES
from admin.options import DECLARED
from admin.rights import WORDS
from tests.admin.shell import Shell

PAGE = (Path(__file__).parents[2] / "docs" / "admin.md").read_text(encoding="utf-8")
_BLOCKS = re.findall(r"^```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TYPED = [line for block in _BLOCKS for line in block.splitlines()]


def test_the_page_has_commands_everywhere() -> None:
    assert len(TYPED) > 35
    assert all(line.startswith("kopano-admin ") for line in TYPED)


def test_the_page_runs_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    shell = Shell(f"sqlite:///{tmp_path / 'kopano.db'}", tmp_path)
    for line in TYPED:
        result = shell(*shlex.split(line)[1:], stdin="tall-ladder\ntall-ladder\n")
        assert result.exit_code == 0, (line, result.stderr)


def test_every_option_in_the_text_exists() -> None:
    spellings = {spelling for declared in DECLARED.values() for spelling in declared["spelling"]}
    named = set(
        re.findall(r"(?<![\w-])--?[a-zA-Z][a-z-]*", " ".join(re.findall("`[^`\n]+`", PAGE)))
    )
    assert named - {"--help"} <= spellings


def test_every_right_is_explained() -> None:
    assert set(WORDS) <= set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE))


def test_every_option_in_the_examples_of_the_help_exists() -> None:
    spellings = {spelling for declared in DECLARED.values() for spelling in declared["spelling"]}
    lines = [
        line for line in EXAMPLES.splitlines() if line.startswith("    ") and "eval" not in line
    ]
    assert {word for line in lines for word in line.split() if word.startswith("-")} <= spellings
