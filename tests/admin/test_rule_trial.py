"""--test-rules: it changes nothing, and a delivery of the same mail does what it has said."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from mailcore.settings import DeliverySettings, RuleSettings
from store.mailboxes import StoredOof, create_folder
from store.personal import add_rule, save_oof
from store.schema import mailbox_entry as entry
from store.schema import rule
from tests.admin.shell import Installed, Shell
from tests.support.office import Office

MAIL = "From: carla@example.net\r\nTo: anna@example.org\r\nSubject: Lunch\r\n\r\nAt noon? %d\r\n"
SRS = {"srs_domain": "srs.example.org", "srs_secret": "tops3cret"}
FLAGS = {"\\Seen": "read", "\\Flagged": "flagged"}
DOCUMENTS: list[Any] = [
    {
        "when": {"property": "subject", "contains": "lunch"},
        "then": [{"move": "Lists"}, "mark-read"],
    },
    {
        "then": [
            {"copy": "New/One", "create": True},
            "flag",
            {"tag": "Work"},
            {"importance": "high"},
        ]
    },
    {"then": [{"move": "Team", "store": "ben"}]},
    {"then": [{"move": "No such"}]},
    {"when": "list", "then": ["delete"]},
    {"when": "to-me", "then": ["stop", {"redirect": "dora@example.com"}]},
    {"then": [{"redirect": ["anna@example.org", "carla@example.net"]}, "delete"]},
    {"then": [{"forward": ["ben@example.org", "x@evil.test"]}]},
    {"then": [{"reply": {"text": "Thanks"}}]},
    {"then": [{"bounce": "No"}]},
    {"then": ["mark-read"], "only_when_oof": True},
    {"then": ["delete"], "enabled": False},
    {"then": ["shred"]},
    {"then": [{"delegate": "ben@example.org"}, "delete"], "stop": True},
]
HEADS = [
    "",
    "List-Id: <x.example.net>\r\n",
    "X-Kopano-Rule-Action: redirect\r\n",
    "X-Spam-Status: Yes, score=9\r\n",
    "Received: x\r\nDelivered-To: anna@example.org\r\n",
    "Auto-Submitted: auto-generated\r\n",
    "Expiry-Time: Mon, 1 Jan 2001 00:00:00 +0000\r\n",
]
SENDERS = ["carla@example.net", "", "ben@example.org", "anna@example.org", "noreply@example.net"]


class Bench:
    """An office, the command line before its database, and what lies in it."""

    def __init__(self, data: Path) -> None:
        self.office = Office(data)
        self.office.configure(
            rules=RuleSettings(forward_whitelist_domains="*.org *.com *.net", **SRS),
            delivery=DeliverySettings(
                internal_domains="example.org", spam_header_name="X-Spam-Status"
            ),
        )
        self.shell = Shell(self.office.settings.database_url, data)
        self.shell.environment |= {
            "DAGENT_RULES_SRS_DOMAIN": SRS["srs_domain"],
            "DAGENT_RULES_SRS_SECRET": SRS["srs_secret"],
            "DAGENT_RULES_FORWARD_WHITELIST_DOMAINS": "*.org *.com *.net",
            "DAGENT_DELIVERY_INTERNAL_DOMAINS": "example.org",
            "DAGENT_DELIVERY_SPAM_HEADER_NAME": "X-Spam-Status",
        }
        self.installed = Installed(self.office.parts.database)
        self.number = 0
        for name, path in (("anna", "Lists"), ("ben", "Team")):
            with self.office.parts.database.write() as connection:
                create_folder(connection, self._mailbox(name).id, path)
        self.shell.ok("--set-rights", "ben", "anna", "create,visible", "--folder", "Team")

    def _mailbox(self, name: str) -> Any:
        return self.office.mailbox(self.office.users[name].external_id)

    def set(self, documents: list[Any], away: bool) -> None:
        """Exactly these rules, and an out-of-office that is on or off."""
        number = self._mailbox("anna").id
        with self.office.parts.database.write() as connection:
            connection.execute(delete(rule))
            for place, document in enumerate(documents, 1):
                text = json.dumps({"name": f"r{place}", **document})
                add_rule(connection, number, place, document.get("enabled", True), 1, text)
            save_oof(connection, number, StoredOof(away, "Away", "I am away.", None, None, 0.0))

    def tested(self, raw: bytes, sender: str, to: str = "anna@example.org") -> dict[str, Any]:
        """What --test-rules says, and that it changes nothing."""
        before = self.installed.contents()
        words = ("--test-rules", to, "-", f"--sender={sender}")
        found = json.loads(self._ok(*words, "--json", stdin=raw))
        assert self._ok(*words, stdin=raw).startswith(f"Mail from <{sender}>")
        assert self.installed.contents() == before
        return dict(found)

    def _ok(self, *words: str, stdin: bytes) -> str:
        result = self.shell(*words, stdin=stdin)
        assert (result.exit_code, result.stderr) == (0, ""), result.exception
        return result.stdout

    def delivered(self, raw: bytes, sender: str, to: str = "anna@example.org") -> dict[str, Any]:
        """What a delivery does, in the same words."""
        mails, sent = self._mails(), len(self.office.outbox())
        (reply,) = self.office.deliver(to, raw=raw, sender=sender)
        new = [one for one in self._mails() if one not in mails]
        own = [one for one in new if one[4] in ("Lunch", "")]
        return {
            "reply": str(reply),
            "copies": sorted((store, path, flags) for store, path, _, flags, _ in own),
            "notices": sorted(one[4] for one in new if one not in own and one[1] != "Sent Items"),
            "leaves": sorted(
                (entry.kind, entry.mail.mail_from, entry.mail.rcpt_to)
                for entry in self.office.outbox()[sent:]
            ),
        }

    def _mails(self) -> list[tuple[str, str, int, tuple[str, ...], str]]:
        """Every mail: whose (empty: anna's), where, its UID, its marks, its subject."""
        with self.office.parts.database.read() as connection:
            rows = connection.execute(select(entry.c.folder_id, entry.c.uid, entry.c.keywords))
            words = {(row.folder_id, row.uid): row.keywords.split() for row in rows}
        return [
            (
                "" if name == "anna" else name,
                path,
                mail.uid,
                tuple(sorted([*(FLAGS[flag] for flag in mail.flags), *words[number, mail.uid]])),
                mail.subject,
            )
            for name in ("anna", "ben")
            for path, number in self._mailbox(name).folders.items()
            for mail in self.office.mails(name, path)
        ]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    opened = Bench(tmp_path_factory.mktemp("trial"))
    yield opened
    opened.office.close()


def in_the_same_words(said: dict[str, Any]) -> dict[str, Any]:
    return {
        "reply": said["reply"],
        "copies": sorted(
            (c["store"], c["folder"], tuple(sorted(c["flags"]))) for c in said["copies"]
        ),
        "notices": sorted(said["notices"]),
        "leaves": sorted((o["kind"], o["mail_from"], o["rcpt_to"]) for o in said["leaves"]),
    }


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    documents=st.lists(st.sampled_from(DOCUMENTS), max_size=4),
    head=st.sampled_from(HEADS),
    sender=st.sampled_from(SENDERS),
    away=st.booleans(),
)
def test_a_delivery_does_what_it_says(
    bench: Bench, documents: list[Any], head: str, sender: str, away: bool
) -> None:
    bench.set(documents, away)
    bench.number += 1
    raw = (head + MAIL % bench.number).encode()
    said = bench.tested(raw, sender)
    assert bench.delivered(raw, sender) == in_the_same_words(said)


@pytest.mark.parametrize("number", range(len(DOCUMENTS)))
def test_every_rule_by_itself(bench: Bench, number: int) -> None:
    bench.set([DOCUMENTS[number]], away=False)
    bench.number += 1
    raw = (MAIL % bench.number).encode()
    said = bench.tested(raw, "carla@example.net")
    assert bench.delivered(raw, "carla@example.net") == in_the_same_words(said)
    assert len(said["rules"]) + len(said["bad_rules"]) == 1


def test_what_it_tells(bench: Bench) -> None:
    """Why a rule matches or not, who gets what from whom, and what is refused."""
    lunch = {"when": {"property": "subject", "contains": "dinner"}, "then": ["delete"]}
    passed = {"then": [{"redirect": ["dora@example.com", "anna@example.org"]}]}
    bench.set([lunch, passed, {"then": ["shred"]}], away=True)
    bench.number += 1
    raw = (MAIL % bench.number).encode()
    ids = [one.id for one in bench._mailbox("anna").rules]
    text = bench.shell.ok("--test-rules", "anna", "-", stdin=raw)
    lines = text.splitlines()
    assert lines[:7] == [
        "Mail from <carla@example.net> to anna@example.org: Lunch",
        f"Rule {ids[0]} 'r1' does not match",
        "  no  subject contains 'dinner' (found: 'lunch')",
        f"Rule {ids[1]} 'r2' matches",
        "  yes always",
        "  -> redirect to dora@example.com, anna@example.org",
        f"Rule {ids[2]} cannot be read: rule 'r3': then[0]: " + lines[6].partition("then[0]: ")[2],
    ]
    done = lines[lines.index("What would be done:") + 1 :]
    assert done[0] == "  a copy in 'Inbox'"
    assert done[1].startswith("  redirect to <dora@example.com>, sender <SRS0=")
    assert "  not done: not passed on to anna@example.org: the target is one's own address" in done
    assert any(line.startswith("  a notice in the Inbox: Rule cannot be read") for line in done)
    assert done[-1] == "  reply: 250 2.1.5 delivered"


@pytest.mark.parametrize(
    ("head", "to", "why"),
    [
        ("X-Spam-Status: Yes, 9\r\n", "anna", "the mail is marked as spam"),
        (
            "Received: x\r\nDelivered-To: anna@example.org\r\n",
            "anna",
            "the mail has been delivered here before",
        ),
        ("Expiry-Time: Mon, 1 Jan 2001 00:00:00 +0000\r\n", "anna", "the mail has expired"),
    ],
)
def test_why_rules_are_not_asked(bench: Bench, head: str, to: str, why: str) -> None:
    bench.set([{"then": ["delete"]}], away=False)
    raw = (head + MAIL).encode()
    assert f"The rules are not asked: {why}" in bench.shell.ok("--test-rules", to, "-", stdin=raw)


@pytest.mark.parametrize(
    ("head", "words", "sender"),
    [
        ("", (), "carla@example.net"),
        ("Return-Path: <list@example.net>\r\n", (), "list@example.net"),
        ("Return-Path: <>\r\n", (), ""),
        ("", ("--sender", "x@example.net"), "x@example.net"),
        ("", ("--sender", ""), ""),
    ],
)
def test_the_envelope_sender(
    bench: Bench, tmp_path: Path, head: str, words: tuple[str, ...], sender: str
) -> None:
    file = tmp_path / "mail.eml"
    file.write_bytes((head + MAIL).replace("\r\n", "\n").encode())  # a file of Unix
    assert bench.shell.json("--test-rules", "anna", str(file), *words)["sender"] == sender


def test_what_is_wrong_with_the_request_is_named(bench: Bench, tmp_path: Path) -> None:
    missing = str(tmp_path / "none.eml")
    assert "none.eml: cannot be read" in bench.shell.refuses("--test-rules", "anna", missing)
    words = ("--test-rules", "anna", "-", "--sender", "a b")
    assert "expected an address, not 'a b'" in bench.shell.refuses(*words, stdin=MAIL)
    assert "--sender does not go with" in bench.shell.refuses("-l", "--sender", "x@y.org")


def test_a_rule_is_reported_anew_once_it_is_replaced(bench: Bench) -> None:
    bad = {"then": ["shred"]}
    for _ in range(2):
        bench.set([bad], away=False)
        told = []
        for _ in range(2):
            bench.number += 1
            raw = (MAIL % bench.number).encode()
            said = bench.tested(raw, "carla@example.net")
            found = bench.delivered(raw, "carla@example.net")
            assert found == in_the_same_words(said)
            told.append(found["notices"])
        assert told == [["Rule cannot be read: r1"], []]
