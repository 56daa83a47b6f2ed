"""A resource that is out of office declines what it is asked for, when its owner wants that."""

import time
from dataclasses import replace

import pytest

from mailcore.settings import DeliverySettings, Settings
from mr_accept.policies import policy_for
from store.mailboxes import StoredOof
from store.personal import save_oof
from tests.support.booking_desk import Room
from tests.support.meetings import at

NOW = time.time()
CLOSED = StoredOof(
    *(True, "Closed", "Painted until June.\n\nAsk Carla.", None, None, 0.0), decline_meetings=True
)
TEXTS = replace(CLOSED, internal_message="Inside.", external_message="Outside.")
NINE = at(9)
INSIDE, OUTSIDE = "dora@example.org", "eve@example.net"


def close(room: Room, oof: StoredOof) -> None:
    with room.desk.database.write() as connection:
        save_oof(connection, room.store_id, oof)


def said(room: Room, number: int) -> str:
    body = room.replies()[number].message.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert isinstance(text, str)
    return text.replace("\r\n", "\n")


def test_what_is_asked_during_an_absence_is_declined_with_its_text(room: Room) -> None:
    assert room.ask("before", NINE).fate == "accepted"
    close(room, CLOSED)
    outcome = room.ask("during", at(14))
    assert (outcome.fate, outcome.reason) == ("declined", "out of office at present")
    assert list(room.held()) == [("before", NINE)]
    close(room, replace(CLOSED, enabled=False))
    assert room.ask("after", at(14)).fate == "accepted"
    assert [reply.partstat for reply in room.replies()] == ["ACCEPTED", "DECLINED", "ACCEPTED"]
    text = said(room, 1)
    assert text.startswith("Room Aurora has declined the meeting: out of office at present.\n")
    assert "\n\nPainted until June.\n\nAsk Carla.\n\nWhat: " in text


def test_a_change_during_an_absence_leaves_what_was_booked(room: Room) -> None:
    room.ask("one", NINE)
    close(room, CLOSED)
    assert room.ask("one", at(15), sequence=1).fate == "declined"
    assert list(room.held()) == [("one", NINE)]
    assert "What was booked for this meeting before stays booked." in said(room, 1)
    assert room.ask("one", NINE, sequence=2, method="CANCEL").fate == "freed"


@pytest.mark.parametrize(
    ("oof", "organizer", "text"),
    [
        (CLOSED, INSIDE, CLOSED.message),
        (TEXTS, INSIDE, "Inside."),
        (TEXTS, OUTSIDE, "Outside."),
        (replace(CLOSED, internal_message="Inside."), OUTSIDE, CLOSED.message),
        (replace(TEXTS, external="known"), OUTSIDE, ""),
        (replace(TEXTS, external="none"), OUTSIDE, ""),
        (replace(TEXTS, external="none"), INSIDE, "Inside."),
        (replace(CLOSED, message="<html><p>Painted<br>now"), INSIDE, "Painted\nnow"),
        (replace(CLOSED, decline_meetings=False), INSIDE, None),
        (replace(CLOSED, starts_at=NOW, ends_at=NOW), INSIDE, CLOSED.message),
        (replace(CLOSED, starts_at=NOW + 1), INSIDE, None),
        (replace(CLOSED, ends_at=NOW - 1), INSIDE, None),
        (replace(CLOSED, enabled=False), INSIDE, None),
        (None, INSIDE, None),
    ],
)
def test_what_an_organizer_is_told(
    room: Room, oof: StoredOof | None, organizer: str, text: str | None
) -> None:
    owner = replace(room.recipient, mailbox=replace(room.mailbox, oof=oof))
    with room.desk.database.read() as connection:
        assert policy_for(connection, owner, organizer, Settings(), NOW).absence == text


def test_who_is_inside_is_as_for_out_of_office(room: Room) -> None:
    owner = replace(room.recipient, mailbox=replace(room.mailbox, oof=TEXTS))
    settings = Settings(delivery=DeliverySettings(internal_domains="example.net"))
    with room.desk.database.read() as connection:
        assert policy_for(connection, owner, OUTSIDE, settings, NOW).absence == "Inside."
        assert policy_for(connection, owner, INSIDE, settings, NOW).absence == "Outside."
