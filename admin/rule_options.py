"""The options of kopano-admin that are about a user's rules."""

from dataclasses import dataclass

from admin.declare import ROW, action, option
from admin.store_options import StoreOptions

RULES = "Rules"


@dataclass(frozen=True, slots=True)
class RuleOptions(StoreOptions):
    """The part of a command line on rules; an option that was not given is None."""

    list_rules: str | None = action(
        RULES, "admin.rules:list_all", "--list-rules", "list a user's rules", metavar="USER"
    )
    add_rule: tuple[str, str] | None = action(
        RULES,
        "admin.rules:add",
        "--add-rule",
        "add the rule in a JSON file (-: standard input), behind the others if it names no place",
        metavar="USER FILE",
        nargs=2,
    )
    delete_rule: tuple[str, int] | None = action(
        RULES,
        "admin.rules:delete",
        "--delete-rule",
        "delete a rule",
        metavar="USER ID",
        type=(str, ROW),
    )
    enable_rule: tuple[str, int] | None = action(
        RULES,
        "admin.rules:enable",
        "--enable-rule",
        "switch a rule on",
        metavar="USER ID",
        type=(str, ROW),
    )
    disable_rule: tuple[str, int] | None = action(
        RULES,
        "admin.rules:disable",
        "--disable-rule",
        "switch a rule off, and keep it",
        metavar="USER ID",
        type=(str, ROW),
    )
    test_rules: tuple[str, str] | None = action(
        RULES,
        "admin.rule_trial:test",
        "--test-rules",
        "explain what a mail in a file (-: standard input) would meet, and deliver nothing",
        metavar="USER FILE",
        nargs=2,
    )
    sender: str | None = option(
        RULES,
        "--sender",
        "its envelope sender ('': none; default: its Return-Path, else its From)",
        goes_with=("test_rules",),
        clearable=True,
        metavar="ADDRESS",
    )
