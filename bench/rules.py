"""What rules add to a mail of 4 KB: fifty of them of all kinds, of which none matches.

    .venv/bin/python -m bench.rules [--rounds 9] [--mails 200]

Three things in turn, each with mails of its own: the message parsed as every delivery needs it, the same and the rules,
and the rules once more for a second recipient of the same message.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

from bench.mails import MailSeries
from mailcore.envelope import Envelope
from mailcore.meeting import meeting_method
from mailcore.view import MessageView
from rules.evaluate import evaluate
from rules.message import Folded, Me
from rules.model import parse_rules

ENVELOPE = Envelope("anna@example.net", ("u@example.org",))
ME = Me(frozenset({"u@example.org"}), frozenset({"team@example.org"}), "X-Spam-Status")
NOW = 1_800_000_000.0
LIMIT_MS = 0.3

CONDITIONS: list[object] = [
    {"header": "List-Id", "contains": "announce"},
    {"property": "subject", "contains": "invoice"},
    {"property": "subject", "prefix": "[café]", "accents": "ignore"},
    {"property": "sender", "contains": "newsletter"},
    {"property": "recipients", "contains": "sales@"},
    {"property": "body", "contains": "unsubscribe"},
    {"property": "attachment", "contains": ".exe"},
    {"address": ["ben@example.net", "@example.com"], "in": "sender"},
    {"all": ["to-me", {"property": "size", "gt": 1_000_000}]},
    {"any": ["cc-me", "meeting", {"not": {"exists": "Date"}}, {"attachment_type": "image/*"}]},
]


class StoredRule(NamedTuple):
    """A rule as the store gives it."""

    id: int
    sequence: int
    enabled: bool
    document: str


def stored_rules(count: int) -> list[StoredRule]:
    return [
        StoredRule(
            number,
            number,
            True,
            json.dumps(
                {
                    "name": f"rule {number}",
                    "when": CONDITIONS[number % len(CONDITIONS)],
                    "then": [{"move": "Lists"}],
                }
            ),
        )
        for number in range(count)
    ]


def parse(raw: bytes) -> MessageView:
    view = MessageView(raw)
    assert not meeting_method(view.root)
    assert view.subject and view.message_id
    return view


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--mails", type=int, default=200)
    options = parser.parse_args()
    series = MailSeries(4096, "rules")
    rules = parse_rules(stored_rules(50)).rules

    def run(mail: Folded) -> None:
        assert not evaluate(mail, rules, me=ME, oof_active=True, now=NOW)

    def mean_ms(work: Callable[[bytes], object]) -> float:
        mails = [b"".join(series.next()) for _ in range(options.mails)]
        began = time.perf_counter()
        for raw in mails:
            work(raw)
        return 1000 * (time.perf_counter() - began) / options.mails

    def with_rules(raw: bytes, times: int) -> None:
        mail = Folded(parse(raw), ENVELOPE)
        for _ in range(times):
            run(mail)

    rounds = [
        (
            mean_ms(parse),
            mean_ms(lambda raw: with_rules(raw, 1)),
            mean_ms(lambda raw: with_rules(raw, 2)),
        )
        for _ in range(options.rounds)
    ]
    figures = {
        "parsed, ms": [parsed for parsed, _, _ in rounds],
        "50 rules add, ms": [once - parsed for parsed, once, _ in rounds],
        "a second recipient adds, ms": [twice - once for _, once, twice in rounds],
        "with rules / without": [once / parsed for parsed, once, _ in rounds],
    }
    for name, values in figures.items():
        least, middle, most = min(values), statistics.median(values), max(values)
        print(
            json.dumps(
                {
                    "rules": name,
                    "median": round(middle, 3),
                    "range": [round(least, 3), round(most, 3)],
                }
            )
        )
    added = statistics.median(figures["50 rules add, ms"])
    print(
        json.dumps({"rules": "within the limit", "limit_ms": LIMIT_MS, "holds": added < LIMIT_MS})
    )


if __name__ == "__main__":
    main()
