"""The hourly round: what it purges, and that no task keeps the others from their work."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagent.upkeep import Upkeep
from dagent.wiring import Parts, open_parts
from mailcore.settings import parse_settings
from store.entries import delete_entries
from store.mailboxes import Mailbox
from store.schema import ledger, mailbox_entry, message
from tests.support.mailboxes import PostOffice

DAY = 86_400.0


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    settings = parse_settings({"store": {"data": str(tmp_path)}}, {}, source="test")
    opened = open_parts(settings)
    yield opened
    opened.close()


@pytest.fixture
def office(parts: Parts) -> PostOffice:
    return PostOffice(parts.database)


@pytest.fixture
def mailbox(office: PostOffice) -> Mailbox:
    """A mailbox with two mails that were deleted 29 and 31 days ago."""
    made = office.mailbox()
    for uid, days in ((1, 29), (2, 31)):
        office.deliver(made)
        with office.database.write() as connection:
            then = time.time() - days * DAY
            delete_entries(connection, made.folders["Inbox"], [uid], then)
    return made


def with_lifetime(parts: Parts, days: int) -> Upkeep:
    document = {
        "store": {"data": parts.settings.store.data},
        "retention": {"softdelete_lifetime": days},
    }
    upkeep = Upkeep(parts)
    upkeep.settings = parse_settings(document, {}, source="test")
    return upkeep


def test_after_thirty_days_what_was_deleted_goes(
    parts: Parts, office: PostOffice, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    Upkeep(parts).run_once()
    assert [row.uid for row in office.rows(mailbox_entry)] == [1]
    assert "purged 0 stores, 0 folders and 1 mails that were deleted 30 days ago" in caplog.text


@pytest.mark.parametrize(("days", "left"), [(0, [1, 2]), (28, []), (40, [1, 2])])
def test_the_setting(
    parts: Parts, office: PostOffice, mailbox: Mailbox, days: int, left: list[int]
) -> None:
    with_lifetime(parts, days).run_once()
    assert [row.uid for row in office.rows(mailbox_entry)] == left
    assert office.count(message) == len(left)


def test_a_task_that_fails_does_not_keep_the_others(
    parts: Parts, office: PostOffice, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Pruning finds its table gone; purging, after it, does its work."""
    ledger.drop(parts.database.engine)
    Upkeep(parts).run_once()
    assert "no such table: ledger; tried again in an hour" in caplog.text
    assert [row.uid for row in office.rows(mailbox_entry)] == [1]
