"""The raw message log, beside what tests/dagent/test_store_postman.py says of it: our own mistakes, and direct mode."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dagent.direct import EX_OK, EX_PERMANENT, Request, deliver_directly
from dagent.raw_log import raw_directory
from mailcore.reply import DELIVERED
from mailcore.settings import LogSettings
from tests.support.office import MAIL, SENDER, Office

FROM_A_PIPE = b"From carla Mon Jan  1 00:00:00 2030\n" + MAIL.replace(b"\r\n", b"\n")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    opened = Office(tmp_path)
    yield opened
    opened.close()


def broken(*_: Any) -> None:
    raise RuntimeError("a mistake of ours")


def test_error_keeps_what_met_a_mistake_of_ours(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.configure(log=LogSettings(log_raw_message="error"))
    assert office.deliver("ben@example.org") == [DELIVERED]
    directory = raw_directory(office.settings)
    assert not directory.exists()
    monkeypatch.setattr("delivery.deliver.plan_delivery", broken)
    assert office.deliver("anna@example.org") == [DELIVERED]
    (message,) = directory.glob("*.eml")
    assert message.read_bytes() == MAIL
    assert len(office.mails("anna")) == 1


@pytest.mark.parametrize(
    ("what", "user", "code", "kept"),
    [
        ("all", "anna", EX_OK, 1),
        ("anna", "ben", EX_OK, 0),
        ("error", "anna", EX_OK, 0),
        ("all", "nobody", EX_PERMANENT, 0),  # nobody's mail is never taken
    ],
)
def test_direct_mode_keeps_the_bytes_that_came(
    office: Office, what: str, user: str, code: int, kept: int
) -> None:
    settings = replace(office.settings, log=LogSettings(log_raw_message=what))
    request = Request((user,), SENDER)
    assert deliver_directly(settings, request, FROM_A_PIPE, say=lambda _: None) == code
    found = list(raw_directory(settings).glob("*.eml"))
    assert [path.read_bytes() for path in found] == [FROM_A_PIPE] * kept
    for path in found:
        about = path.with_suffix(".txt").read_text()
        assert f"from: <{SENDER}>\nto: <{user}> ({user}): 250 2.1.5 delivered\n" in about
