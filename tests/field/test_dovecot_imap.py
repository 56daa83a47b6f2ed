"""What we save for IMAP is what a real Dovecot answers for the same mail, but for the differences that are listed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from mailcore.imap import ImapCopy, Section, imap_copy
from mailcore.mime import scan
from tests.corpus.dovecot_differences import BARE_LF, DIFFERENCES
from tests.corpus.shapes import shapes
from tests.support.dovecot import RunningDovecot, running_dovecot
from tests.support.imap_client import Value, parse_values
from tests.support.mta import mail_directory

MAILS = shapes()
LISTED = {mail: difference for difference in DIFFERENCES for mail in difference.mails}
ITEMS = "ENVELOPE BODY BODYSTRUCTURE RFC822.SIZE BODY.PEEK[HEADER]"
MOST_SECTIONS = 40  # of one mail
PAGE = Path(__file__).resolve().parents[2] / "docs" / "imap.md"


class Answers(NamedTuple):
    """What Dovecot says of one mail: its data, and the octets of the sections that we number."""

    items: dict[str, Value]
    sections: dict[str, Value]


@pytest.fixture(scope="module")
def dovecot() -> Iterator[RunningDovecot]:
    with mail_directory() as directory, running_dovecot(directory, ["anna", "ben"]) as running:
        yield running


@pytest.fixture(scope="module")
def answers(dovecot: RunningDovecot) -> dict[str, Answers]:
    """Dovecot's answers for each mail, by its name."""
    with dovecot.imap("anna") as session:
        session.append("INBOX", list(MAILS.values()))
        session.run("SELECT INBOX")
        all_items = session.fetch("1:*", ITEMS)
        found: dict[str, Answers] = {}
        for (name, raw), items in zip(MAILS.items(), all_items, strict=True):
            peeks = " ".join(
                f"BODY.PEEK[{section.path}] BODY.PEEK[{section.path}.MIME]"
                for section in numbered_sections(copy_of(raw))
            )
            (sections,) = session.fetch(str(len(found) + 1), peeks)
            found[name] = Answers(items, sections)
    return found


def copy_of(raw: bytes) -> ImapCopy:
    return imap_copy(raw, scan(raw))


def numbered_sections(copy: ImapCopy) -> tuple[Section, ...]:
    return copy.sections[:MOST_SECTIONS]


def differing(raw: bytes, theirs: Answers) -> set[str]:
    """What differs between our copy of a mail and Dovecot's answers."""
    copy = copy_of(raw)
    found = {item for item, value in our_items(copy).items() if value != theirs.items[item]}
    for section in numbered_sections(copy):
        body = raw[section.start : section.start + section.length]
        mime = raw[section.mime_start : section.start]
        if body != theirs.sections[f"BODY[{section.path}]"]:
            found.add("sections")
        if mime != theirs.sections[f"BODY[{section.path}.MIME]"]:
            found.add("sections")
    return found


def our_items(copy: ImapCopy) -> dict[str, Value]:
    return {
        "ENVELOPE": parse_values(copy.envelope)[0],
        "BODY": parse_values(copy.body)[0],
        "BODYSTRUCTURE": parse_values(copy.bodystructure)[0],
        "RFC822.SIZE": str(copy.size),
        "BODY[HEADER]": copy.header,
    }


def test_there_are_enough_mails() -> None:
    assert len(MAILS) > 600
    assert set(LISTED) <= set(MAILS)
    assert len(LISTED) == sum(len(difference.mails) for difference in DIFFERENCES)


@pytest.mark.parametrize("name", MAILS)
def test_the_same_as_dovecot(answers: dict[str, Answers], name: str) -> None:
    found = differing(MAILS[name], answers[name])
    listed = LISTED.get(name)
    if listed is None:
        assert not found
    else:
        assert found, f"no longer different: {listed.reason}"
        assert found <= listed.items, listed.reason


@pytest.mark.parametrize("name", next(d.mails for d in DIFFERENCES if d.reason == BARE_LF))
def test_with_crlf_for_bare_lf_it_is_the_same(answers: dict[str, Answers], name: str) -> None:
    with_crlf = re.sub(rb"(?<!\r)\n", b"\r\n", MAILS[name])
    assert differing(with_crlf, answers[name]) == set()


def test_the_page_explains_every_difference() -> None:
    page = PAGE.read_text()
    explained = re.findall(r"(?m)^\| \*\*(.+?)\*\* \|", page)
    assert explained == [difference.reason for difference in DIFFERENCES]


def test_mail_that_came_by_lmtp(dovecot: RunningDovecot) -> None:
    raw = MAILS["tree: related in alternative in mixed"]
    with dovecot.lmtp() as client:
        replies = client.send("ben@example.net", ["ben@example.org", "nobody@example.org"], raw)
    assert [reply.code for reply in replies] == [250, 550]
    with dovecot.imap("ben") as session:
        session.run("SELECT INBOX")
        (fetched,) = session.fetch("1", f"{ITEMS} BODY.PEEK[]")
    stored = fetched["BODY[]"]
    assert isinstance(stored, bytes)
    assert stored.endswith(raw)
    assert {item: fetched[item] for item in our_items(copy_of(stored))} == our_items(
        copy_of(stored)
    )
