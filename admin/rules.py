"""A user's delivery rules: listing, adding and deleting them."""

import json

from admin.context import Installation
from admin.files import read_text_file
from admin.options import Options
from admin.output import print_json, print_table, say, yes_no
from mailcore.errors import UsageError
from mailcore.next_hop import next_hop_of
from rules.actions import Copy, Move
from rules.model import VERSION, Rule, parse_rule
from store.mailboxes import StoredRule
from store.personal import add_rule, delete_rule, next_sequence
from userstore.resolve import Recipient


def list_all(installation: Installation, options: Options) -> None:
    """Print a user's rules in the order in which they run."""
    stored = installation.recipient(str(options.list_rules)).mailbox.rules
    if options.json:
        print_json(
            [
                {
                    "id": rule.id,
                    "sequence": rule.sequence,
                    "enabled": rule.enabled,
                    "version": rule.version,
                    "rule": _document(rule),
                }
                for rule in stored
            ]
        )
        return
    print_table(
        ("ID", "Order", "Enabled", "Rule"),
        [(rule.id, rule.sequence, yes_no(rule.enabled), rule.document) for rule in stored],
    )


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
        sequence = rule.sequence or next_sequence(connection, store_id)
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
