"""The import law: which package may know which.

A package that decides (rules, oof, mr_accept) must not be able to reach the database, and nobody
may reach around the layer below.  The law is the two tables here; `make check` runs this file.
"""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

ALL = {
    "admin",
    "dagent",
    "delivery",
    "mailcore",
    "mr_accept",
    "oof",
    "rules",
    "spooler",
    "store",
    "userstore",
}

# package -> the packages of ours that its modules may import besides itself
MAY_IMPORT: dict[str, set[str]] = {
    "mailcore": set(),
    "store": {"mailcore"},
    "userstore": {"mailcore", "store"},
    "rules": {"mailcore"},
    "oof": {"mailcore"},
    "mr_accept": {"mailcore"},
    "delivery": {"mailcore", "store", "userstore", "rules", "oof"},
    "dagent": ALL,
    "spooler": {"mailcore", "store"},
    "admin": ALL,
}

# modules that stand at an edge: what they may import in addition to their package's share
ALSO: dict[str, set[str]] = {
    "oof/cli.py": {"store", "userstore"},
    "mr_accept/audit.py": {"store", "userstore"},
    "mr_accept/book.py": {"store", "userstore"},
    "mr_accept/booking_rows.py": {"store", "userstore"},
    "mr_accept/busy_time.py": {"store", "userstore"},
    "mr_accept/calendar_writer.py": {"store"},
    "mr_accept/deciding.py": {"store", "userstore"},
    "mr_accept/late_clashes.py": {"store", "userstore"},
    "mr_accept/work.py": {"store", "userstore"},
    "mr_accept/horizon.py": {"store", "userstore"},
    "mr_accept/import_calendar.py": {"store", "userstore"},
    "mr_accept/people.py": {"userstore"},
    "mr_accept/methods.py": set(),
    "mr_accept/policies.py": {"store", "userstore"},
    "mr_accept/rehearsal.py": {"store"},
    "mr_accept/replying.py": {"store", "userstore"},
    "mr_accept/rezone.py": {"store", "userstore"},
    "mr_accept/upkeep.py": {"store", "userstore"},
    "mr_accept/worker.py": {"store", "userstore", "delivery"},
}

MODULES = sorted(path for package in ALL for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    """Return a module's path below the root, as the tables and the messages write it."""
    return path.relative_to(ROOT).as_posix()


def imported_modules(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of every absolute import, also of those inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module


def breaches(name: str, source: str) -> list[str]:
    """Return one sentence for each import in the module `name` that the law forbids."""
    package = name.partition("/")[0]
    allowed = {package} | MAY_IMPORT[package] | ALSO.get(name, set())
    found = []
    for line, module in imported_modules(ast.parse(source)):
        imported = module.partition(".")[0]
        if imported in ALL and imported not in allowed:
            found.append(
                f"{name}:{line}: imports {imported}; it may import of ours only {sorted(allowed)}"
            )
        elif imported == package and name not in ALSO and f"{module.replace('.', '/')}.py" in ALSO:
            found.append(f"{name}:{line}: imports {module}, which acts; only what acts may know it")
    return found


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_keeps_the_law(path: Path) -> None:
    assert not breaches(name_of(path), path.read_text())


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), f"{name_of(path)}: no module docstring"


@pytest.mark.parametrize(
    ("name", "source", "lines"),
    [
        ("mailcore/address.py", "import re\nimport store", [2]),
        ("rules/evaluate.py", "def f():\n    from store.jobs import x", [2]),
        ("rules/evaluate.py", "import rules.actions, mailcore.reply", []),
        ("oof/decide.py", "import userstore", [1]),
        ("oof/cli.py", "import userstore, store", []),
        ("mr_accept/decide.py", "import store", [1]),
        ("mr_accept/decide.py", "from mr_accept.book import Booker", [1]),
        ("mr_accept/worker.py", "import store, delivery\nimport dagent", [2]),
        ("admin/main.py", "import dagent, mr_accept", []),
        ("store/engine.py", "import sqlalchemy\nfrom storehouse import x", []),
    ],
)
def test_the_law_finds_breaches(name: str, source: str, lines: list[int]) -> None:
    found = breaches(name, source)
    assert [int(sentence.split(":")[1]) for sentence in found] == lines


def test_every_package_is_under_the_law_and_installed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    include = settings["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {pattern.rstrip("*") for pattern in include} == ALL == set(MAY_IMPORT)
    here = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert here == ALL
