"""What delivering a message would do, in words and as values: the plan as it would be committed, and nothing done."""

from collections.abc import Iterator
from dataclasses import dataclass

from delivery.deliver import Planned
from delivery.plan import Plan
from delivery.replies import full_reply, reply_of
from mailcore.next_hop import next_hop_of
from mailcore.reply import LmtpReply
from store.engine import Database
from store.plan import DELETED, FLAGGED, SEEN, Filing, Receipt
from store.quota import sizes_of
from userstore.resolve import Recipient

_FLAGS = ((SEEN, "read"), (FLAGGED, "flagged"), (DELETED, "deleted"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one recipient would get; `fields` are the facts in their order, `answers` the mails that would leave."""

    recipient: str
    reply: LmtpReply
    fields: dict[str, object]
    answers: tuple[bytes, ...]

    def record(self) -> dict[str, object]:
        """The same for programs."""
        answers = [content.decode("utf-8", "replace") for content in self.answers]
        return {**self.fields, "answers": answers, "reply": str(self.reply)}

    def lines(self) -> Iterator[str]:
        """The same for people."""
        yield f"{self.recipient}: {self.reply}"
        for name, value in self.fields.items():
            if value not in ("", [], None):
                shown = ", ".join(map(str, value)) if isinstance(value, list) else value
                yield f"  {name}: {shown}"


def outcomes_of(database: Database, planned: Planned) -> list[Outcome]:
    """One outcome for each recipient, in the order of the addresses and within groups of their members."""
    return [
        _outcome(database, planned, recipient, plan)
        for recipients, plans in zip(planned.addresses, planned.plans, strict=True)
        for recipient, plan in zip(recipients, plans, strict=True)
    ]


def _outcome(
    database: Database, planned: Planned, recipient: Recipient, plan: Plan | None
) -> Outcome:
    store = plan.store if plan else None
    reply = reply_of(plan, Receipt() if store else None, planned.site.settings.delivery)
    fields: dict[str, object] = {"user": recipient.user.name, "group": recipient.via}
    if plan is not None:
        fields |= {
            "route": plan.route,
            "folder": plan.folder,
            "rule": plan.rule,
            "out-of-office": plan.oof,
            "next hop": next_hop_of(
                recipient.mailbox.deliver_via, planned.site.settings.delivery.deliver_via
            ),
        }
    if store is not None:
        octets = sum(
            len(filing.trace) + planned.submission.message.size
            for filing in store.filings
            if filing.store_id is None
        )
        with database.read() as connection:
            size = sizes_of(connection, [store.store_id]).get(store.store_id, 0)
        if store.hard_quota and octets and size + octets > store.hard_quota:
            reply = full_reply(planned.site.settings.delivery)
        fields |= {
            "copies": len(store.filings),
            "flags": flags_of(*store.filings),
            "booker": "the message would be handed to the auto-booker" if store.job else "",
            "leaves": [f"{out.kind} to {out.mail.rcpt_to}" for out in store.outgoing],
            "mailbox": f"{size} octets" + (f" of {store.hard_quota}" if store.hard_quota else ""),
        }
    answers = tuple(out.mail.content for out in store.outgoing) if store else ()
    return Outcome(recipient.address, reply, fields, answers)


def flags_of(*filings: Filing) -> list[str]:
    """The flags and keywords that copies have, in words."""
    names = [name for bit, name in _FLAGS if any(filing.flags & bit for filing in filings)]
    return [*names, *sorted({word for filing in filings for word in filing.keywords})]
