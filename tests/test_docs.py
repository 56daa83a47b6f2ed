"""The pages name only modules, pages and test files that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
NAMED = re.compile(r"`([\w/.-]+\.(?:py|md|toml))`")
LINKED = re.compile(r"\]\(([^)#:]+)\)")


def missing_files(page: Path, text: str) -> list[str]:
    """The files a page names that are not there; a bare name lies beside the one before it in its line."""
    missing = [target for target in LINKED.findall(text) if not (page.parent / target).exists()]
    for line in text.splitlines():
        beside = ROOT
        for name in NAMED.findall(line):
            if name.startswith("/"):  # on the administrator's machine
                continue
            found = (ROOT if "/" in name else beside) / name
            if not found.exists() and not (ROOT / name).exists():
                missing.append(name)
            beside = found.parent
    return missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_what_is_there(page: Path) -> None:
    assert missing_files(page, page.read_text()) == []


def test_a_file_that_is_gone_is_found() -> None:
    text = "`store/commit.py`, `ledger.py`, `gone.py`, `store/gone.py` and [a page](gone.md)"
    assert missing_files(ROOT / "README.md", text) == ["gone.md", "gone.py", "store/gone.py"]
