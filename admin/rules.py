"""A user's delivery rules: listing, adding, deleting and switching them."""

import json

from admin.context import Installation
from admin.files import read_text_file
from admin.options import Options
from admin.output import print_json, print_table, say, yes_no
from mailcore.errors import UsageError
from mailcore.next_hop import next_hop_of
from rules.actions import Copy, Move
from rules.conditions import All, AnyOf, Condition, Not
from rules.model import LARGEST_SEQUENCE, VERSION, BadRule, Rule, parse_rule, parse_rules
from store.mailboxes import StoredRule
from store.personal import add_rule, delete_rule, enable_rule, next_sequence
from userstore.resolve import Recipient


def list_all(installation: Installation, options: Options) -> None:
    """Print a user's rules in the order in which they run."""
    stored = installation.recipient(str(options.list_rules)).mailbox.rules
    read = parse_rules(stored)
    good = {rule.id: rule for rule in read.rules}
    bad = {rule.id: rule for rule in read.bad}
    if options.json:
        print_json([_record(one, good.get(one.id), bad.get(one.id)) for one in stored])
        return
    print_table(
        ("ID", "Order", "Enabled", "Name", "What it does"),
        [
            (
                one.id,
                one.sequence,
                yes_no(one.enabled),
                (good.get(one.id) or bad[one.id]).name,
                in_words(good[one.id]) if one.id in good else f"UNREADABLE: {bad[one.id].text}",
            )
            for one in stored
        ],
    )


def _record(stored: StoredRule, good: Rule | None, bad: BadRule | None) -> dict[str, object]:
    return {
        "id": stored.id,
        "sequence": stored.sequence,
        "enabled": stored.enabled,
        "version": stored.version,
        "name": good.name if good else bad.name if bad else "",
        "words": in_words(good) if good else "",
        "error": bad.text if bad else "",
        "reported": stored.reported,
        "rule": _document(stored),
    }


def in_words(rule: Rule) -> str:
    """A rule in one line: when, and what then."""
    when = _condition_in_words(rule.condition)
    then = [*map(str, rule.actions), *(["stop"] if rule.stop else [])]
    away = "while out of office, " if rule.only_when_oof else ""
    return f"{away}{when}: {'; '.join(then)}"


def _condition_in_words(condition: Condition) -> str:
    match condition:
        case Not(negated):
            return f"not ({_condition_in_words(negated)})"
        case All(inner) | AnyOf(inner) if inner:
            word = " and " if isinstance(condition, All) else " or "
            return word.join(
                f"({_condition_in_words(one)})"
                if isinstance(one, All | AnyOf)
                else _condition_in_words(one)
                for one in inner
            )
        case _:
            return str(condition)


def _document(rule: StoredRule) -> object:
    """The rule itself; as text where it is no JSON, so that a bad rule can be seen and deleted."""
    try:
        return json.loads(rule.document)
    except ValueError:
        return rule.document


def add(installation: Installation, options: Options) -> None:
    """Add the rule in a file behind the others; raises UsageError when it is no rule."""
    assert options.add_rule is not None
    name, file = options.add_rule
    recipient = installation.recipient(name)
    document = read_text_file(file).strip()
    rule = parse_rule(document)
    if not next_hop_of(recipient.mailbox.deliver_via, installation.settings.delivery.deliver_via):
        _check_folders(rule, recipient)
    store_id = recipient.mailbox.id
    with installation.database.write() as connection:
        behind = min(next_sequence(connection, store_id), LARGEST_SEQUENCE)
        sequence = rule.sequence or behind
        rule_id = add_rule(connection, store_id, sequence, rule.enabled, VERSION, document)
    say(f"Rule {rule_id} ({rule.name}) added for {recipient.user.name}.")


def _check_folders(rule: Rule, recipient: Recipient) -> None:
    """Refuse a folder that is not there: delivery would leave the mail in the Inbox, silently."""
    folders = recipient.mailbox.folders
    for action in rule.actions:
        if not isinstance(action, Move | Copy) or action.store or action.create:
            continue
        if action.folder not in folders:
            raise UsageError(
                f"rule {rule.name!r}: {recipient.user.name} has no folder {action.folder!r};"
                f" there are: {', '.join(folders)}"
            )


def delete(installation: Installation, options: Options) -> None:
    """Delete one rule of a user."""
    assert options.delete_rule is not None
    name, rule_id = options.delete_rule
    recipient = installation.recipient(name)
    with installation.database.write() as connection:
        delete_rule(connection, recipient.mailbox.id, rule_id)
    say(f"Rule {rule_id} deleted.")


def enable(installation: Installation, options: Options) -> None:
    """Switch one rule of a user on."""
    assert options.enable_rule is not None
    _switch(installation, *options.enable_rule, enabled=True)


def disable(installation: Installation, options: Options) -> None:
    """Switch one rule of a user off."""
    assert options.disable_rule is not None
    _switch(installation, *options.disable_rule, enabled=False)


def _switch(installation: Installation, name: str, rule_id: int, *, enabled: bool) -> None:
    recipient = installation.recipient(name)
    with installation.database.write() as connection:
        enable_rule(connection, recipient.mailbox.id, rule_id, enabled)
    say(f"Rule {rule_id} is {'enabled' if enabled else 'disabled'}.")
