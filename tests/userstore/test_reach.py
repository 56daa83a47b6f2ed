"""Nothing reaches around the Protocol: who exists is asked of a plugin, whichever it is."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("admin", "dagent", "delivery", "mr_accept", "oof", "rules", "spooler", "store")
PEOPLE = {
    "account",
    "company",
    "group_group",
    "group_user",
    "mail_address",
    "send_as",
    "user_group",
}
MODULES = [
    path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if not path.is_relative_to(ROOT / "store" / "schema")
]


def breaches(source: str) -> list[str]:
    """The names in a module that only the db plugin may know."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [one.name for one in node.names if is_of_a_plugin(one.name)]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {one.name for one in node.names}
            modules = [f"userstore.{name}" for name in names] if node.module == "userstore" else []
            found += filter(is_of_a_plugin, [node.module, *modules])
            if node.module.startswith("store.schema"):
                found += sorted(names & PEOPLE)
    return found


def is_of_a_plugin(module: str) -> bool:
    return module == "userstore.db" or module.startswith("userstore.db_")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_only_the_plugin_knows_its_tables(path: Path) -> None:
    assert not breaches(path.read_text())


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from userstore.db import DbUserStore", ["userstore.db"]),
        ("def f():\n    from userstore.db_edit import DbEditor", ["userstore.db_edit"]),
        ("from userstore import db", ["userstore.db"]),
        ("import userstore.db_rows as rows", ["userstore.db_rows"]),
        ("from store.schema import account, job", ["account"]),
        ("from store.schema.people import send_as", ["send_as"]),
        ("from userstore.plugin import UserStore\nfrom store.schema import job", []),
    ],
)
def test_the_test_finds_them(source: str, found: list[str]) -> None:
    assert breaches(source) == found
