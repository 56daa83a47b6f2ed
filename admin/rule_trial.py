"""What a mail would meet: a user's rules one by one, and all that delivering it would do.

The plan is made by the code that delivers (delivery.deliver.plan_message) and then thrown away, so nothing is changed.
Hooks that convert mail or judge it are asked as for a delivery.  What only a delivery can find out is not told: whether
the same mail has come before, and what a next hop says.
"""

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

from admin.context import Installation
from admin.files import read_file
from admin.options import Options
from admin.output import print_json
from dagent.direct import with_crlf
from delivery.answer import absence_of
from delivery.arrival import Foreign, ForeignFolder, Wish
from delivery.by_rules import me_of, parsed
from delivery.deliver import Planned, plan_message
from delivery.dry_run import flags_of, outcomes_of
from delivery.hooks import load_hooks
from delivery.places import find_places, wanted_places
from delivery.plan import Plan
from delivery.site import open_site
from mailcore.charset import one_line
from mailcore.envelope import Envelope
from mailcore.errors import PermanentError, UsageError
from mailcore.path import parse_path_argument
from mailcore.view import MessageView
from rules.explain import RuleOutcome, Seen, explain
from rules.message import Folded
from store.personal import is_answered
from store.plan import Filing, NewFolder, Outgoing, StorePlan
from userstore.resolve import Recipient

_WHY_NOT_ASKED = {
    "loop": "the mail has been delivered here before, or goes round in circles",
    "expired": "the mail has expired",
    "junk": "the mail is marked as spam",
    "booking": "the mail is for the auto-booker, which hands back what it cannot handle",
    "detail": "the address names a folder",
}
_BY_HOOK = "a hook has decided"


@dataclass(frozen=True, slots=True)
class Trial:
    """A plan that nobody carries out, and what explains it."""

    installation: Installation
    recipient: Recipient
    planned: Planned
    foreign: Foreign

    def record(self) -> dict[str, Any]:
        """Everything as JSON takes it; the keys are always the same."""
        (plan,) = self.planned.plans[0]
        (outcome,) = outcomes_of(self.installation.database, self.planned)
        store = plan.store if plan and outcome.reply.positive else None
        leaving = self._leaving(store) if store else []
        asked = plan is not None and plan.by_rules is not None
        return {
            "user": self.recipient.user.name,
            "recipient": self.recipient.address,
            "sender": self.planned.envelope.mail_from,
            "subject": self.planned.view.subject,
            "rules": [_rule(one) for one in self._explained()] if asked else [],
            "bad_rules": self._bad_rules() if asked else [],
            "not_asked": "" if asked else _why_not_asked(plan),
            "route": plan.route if plan else "",
            "copies": [self._copy(one) for one in store.filings] if store else [],
            "leaves": [_leaf(one) for one in leaving],
            "notices": [one.message.subject for one in store.notices] if store else [],
            "remarks": list(plan.by_rules.remarks) if plan and plan.by_rules else [],
            "booker": bool(store and store.job),
            "out_of_office": self._absence(plan, store, leaving),
            "next_hop": outcome.fields.get("next hop", ""),
            "reply": str(outcome.reply),
        }

    def _explained(self) -> tuple[RuleOutcome, ...]:
        """The same rules, on the same mail at the same time as in the plan."""
        mailbox, now = self.recipient.mailbox, self.planned.received_at
        oof = absence_of(mailbox.oof)
        return explain(
            Folded(self.planned.view, self.planned.envelope),
            parsed(mailbox.rules).rules,
            me=me_of(self.recipient, self.planned.site),
            oof_active=oof is not None and oof.active(now),
            now=now,
        )

    def _bad_rules(self) -> list[dict[str, Any]]:
        bad = parsed(self.recipient.mailbox.rules).bad
        return [{"id": one.id, "name": one.name, "error": one.text} for one in bad]

    def _leaving(self, store: StorePlan) -> list[Outgoing]:
        """What would leave: no answer to who has had it."""
        leaving: list[Outgoing] = []
        claimed = set()
        with self.installation.database.read() as connection:
            for out in store.outgoing:
                if out.claim is not None:
                    key = out.claim.sender_key
                    if key in claimed or is_answered(connection, store.store_id, out.claim):
                        continue
                    claimed.add(key)
                leaving.append(out)
        return leaving

    def _absence(self, plan: Plan | None, store: StorePlan | None, leaving: list[Outgoing]) -> str:
        if plan is None or store is None:
            return ""
        lost = [out for out in store.outgoing if out.kind == "oof" and out not in leaving]
        return "answered before" if lost else plan.oof

    def _copy(self, filing: Filing) -> dict[str, Any]:
        store, path = self._place(filing)
        return {
            "store": store,
            "folder": path,
            "made": isinstance(filing.folder_id, NewFolder),
            "flags": flags_of(filing),
            "importance": MessageView(filing.trace + b"\r\n").header("Importance") or "",
        }

    def _place(self, filing: Filing) -> tuple[str, str]:
        """The store, as the rule calls it (empty: the user's own), and the path in it."""
        for (store, path), place in self.foreign.items():
            if place == ForeignFolder(filing.store_id or 0, filing.folder_id):
                return store, path
        if isinstance(filing.folder_id, NewFolder):
            return "", filing.folder_id.path
        paths = {number: path for path, number in self.recipient.mailbox.folders.items()}
        return "", paths[filing.folder_id]


def _rule(outcome: RuleOutcome) -> dict[str, Any]:
    return {
        "id": outcome.rule.id,
        "name": outcome.rule.name,
        "obeyed": outcome.obeyed,
        "fate": outcome.fate.value,
        "condition": _condition(outcome.seen) if outcome.seen else None,
        "actions": [str(action) for action in outcome.rule.actions],
        "explanation": outcome.lines(),
    }


def _condition(seen: Seen) -> dict[str, Any]:
    return {
        "condition": seen.condition,
        "true": seen.true,
        "found": seen.value,
        "inner": [_condition(one) for one in seen.inner],
    }


def _leaf(out: Outgoing) -> dict[str, str]:
    return {
        "kind": out.kind,
        "mail_from": out.mail.mail_from,
        "rcpt_to": out.mail.rcpt_to,
        "subject": MessageView(out.mail.content).subject,
    }


def _why_not_asked(plan: Plan | None) -> str:
    if plan is None:
        return "no plan could be made now"
    return _WHY_NOT_ASKED.get(plan.route, _BY_HOOK)


def test(installation: Installation, options: Options) -> None:
    """Print what a mail would meet; raises UsageError for a file that cannot be read and a sender that is none."""
    assert options.test_rules is not None
    name, file = options.test_rules
    recipient = installation.recipient(name)
    content = with_crlf(read_file(file))
    record = try_mail(installation, recipient, content, _sender(content, options.sender)).record()
    if options.json:
        print_json(record)
        return
    for line in _lines(record):
        click.echo(line[: len(line) - len(line.lstrip())] + one_line(line))


def try_mail(
    installation: Installation, recipient: Recipient, content: bytes, sender: str
) -> Trial:
    """Plan what a delivery of `content` (with CRLF) by LMTP would do now, and do nothing."""
    settings = installation.settings
    hooks = load_hooks(settings.delivery.hooks, settings.delivery.hook_failure)
    site = open_site(settings, settings.lmtp.hostname or socket.gethostname(), hooks)
    wanted = wanted_places(recipient, settings.delivery, Wish())
    foreign = find_places(installation.database, installation.directory, recipient, wanted)
    planned = plan_message(
        Envelope(sender, (recipient.address,)),
        [(recipient,)],
        content,
        site,
        deduplicate=False,
        foreign={recipient.mailbox.id: foreign},
    )
    return Trial(installation, recipient, planned, foreign)


def _sender(content: bytes, said: str | None) -> str:
    """The envelope sender that is meant."""
    if said is None:
        view = MessageView(content)
        path = view.header("Return-Path")
        author = view.from_.address if view.from_ else ""
        said = author if path is None else path.strip().removeprefix("<").removesuffix(">")
    try:
        return parse_path_argument("FROM", f"FROM:<{said}>").address
    except PermanentError as error:
        raise UsageError(f"--sender: expected an address, not {said!r}") from error


def _lines(record: Mapping[str, Any]) -> Iterator[str]:
    """The record for people."""
    yield f"Mail from <{record['sender']}> to {record['recipient']}: {record['subject']}"
    if record["not_asked"]:
        yield f"The rules are not asked: {record['not_asked']}."
    for rule in record["rules"]:
        first, *others = rule["explanation"]
        yield f"Rule {rule['id']} {first}"
        yield from others
    for bad in record["bad_rules"]:
        yield f"Rule {bad['id']} cannot be read: {bad['error']}"
    yield "What would be done:"
    yield from (f"  {line}" for line in _deeds(record))


def _deeds(record: Mapping[str, Any]) -> Iterator[str]:
    for copy in record["copies"]:
        marks = [
            *copy["flags"],
            *filter(None, [copy["importance"] and f"importance {copy['importance']}"]),
        ]
        place = f"{copy['folder']!r}" + (f" of {copy['store']}" if copy["store"] else "")
        made = ", made for it" if copy["made"] else ""
        yield f"a copy in {place}{made}" + (f" ({', '.join(marks)})" if marks else "")
    for leaf in record["leaves"]:
        yield f"{leaf['kind']} to <{leaf['rcpt_to']}>, sender <{leaf['mail_from']}>: {leaf['subject']}"
    for subject in record["notices"]:
        yield f"a notice in the Inbox: {subject}"
    for remark in record["remarks"]:
        yield f"not done: {remark}"
    if record["booker"]:
        yield "a job for the auto-booker"
    if record["next_hop"]:
        yield f"all folders are those of the next hop {record['next_hop']}, which has the last word"
    if record["out_of_office"]:
        yield f"out-of-office: {record['out_of_office']}"
    yield f"reply: {record['reply']}"
