"""Series that are booked in part: the mails that tell of it, and what is said when the request comes again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.booking_desk import Outcome, Reply, Room
from tests.support.meetings import BEN, at, basic, event, meeting_mail

DAYS = 6
DAILY = f"FREQ=DAILY;COUNT={DAYS}"


def take(room: Room, *days: int) -> None:
    for day in days:
        assert room.ask(f"taken-{day}", at(9, day=day), organizer=BEN).fate == "accepted"


def series(room: Room, **details: Any) -> bytes:
    return meeting_mail("series", at(9), room=room.address, rrule=DAILY, **details)


def text(reply: Reply) -> str:
    return reply.entry.mail.content.decode().replace("\r\n ", "")


def contents(room: Room, outcome: Outcome) -> list[bytes]:
    return [reply.entry.mail.content for reply in room.replies(outcome)]


def test_one_mail_tells_of_all(room: Room) -> None:
    room.set_policy(max_conflicts="4")
    take(room, 1, 2, 3, 4)
    outcome = room.send(series(room))
    assert (outcome.fate, outcome.reason) == ("accepted", "4 of 6 occurrences declined")
    (reply,) = room.replies(outcome)
    assert text(reply).count("BEGIN:VEVENT") == 5
    assert text(reply).count("PARTSTAT=DECLINED") == 4


def test_each_declined_occurrence_has_a_mail_of_its_own(room: Room) -> None:
    room.set_policy(max_conflicts="4", partial_reply="separate")
    take(room, 1, 2, 3, 4)
    whole, *others = room.replies(room.send(series(room)))
    assert (whole.partstat, text(whole).count("BEGIN:VEVENT")) == ("ACCEPTED", 1)
    assert [one.calendar["RECURRENCE-ID"] for one in others] == [
        basic(at(9, day=day)) for day in (1, 2, 3, 4)
    ]
    assert {one.partstat for one in others} == {"DECLINED"}
    message_ids = {one.entry.mail.message_id for one in (whole, *others)}
    assert len(message_ids) == 5


def test_a_series_that_is_declined_is_declined_in_one_mail(room: Room) -> None:
    room.set_policy(max_conflicts="1", partial_reply="separate")
    take(room, 1, 2)
    outcome = room.send(series(room))
    (reply,) = room.replies(outcome)
    assert (outcome.fate, reply.partstat) == ("declined", "DECLINED")


def test_what_was_over_already_is_left_out_without_a_word(room: Room) -> None:
    room.set_policy(past_requests="accept")
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today + timedelta(days=day) for day in range(-2, 3)]
    room.ask("taken", days[0])
    outcome = room.ask("series", days[0], rrule="FREQ=DAILY;COUNT=5")
    assert (outcome.fate, outcome.reason) == ("accepted", "")
    assert [start for uid, start in room.held() if uid == "series"] == days[1:]
    lost = room.lineages("series")[basic(days[0])]
    assert (lost.state, lost.silence) == ("declined", "over when the series was booked")
    assert "DECLINED" not in text(room.replies(outcome)[0])


@pytest.mark.parametrize("partial_reply", ["one-mail", "separate"])
def test_the_same_mails_go_out_for_the_same_request(room: Room, partial_reply: str) -> None:
    room.set_policy(max_conflicts="4", partial_reply=partial_reply)
    take(room, 1, 2)
    first, again = room.send(series(room)), room.send(series(room))
    assert (first.fate, again.fate) == ("accepted", "repeated")
    assert contents(room, again) == contents(room, first)
    assert len(contents(room, first)) == {"one-mail": 1, "separate": 3}[partial_reply]


def test_only_what_is_repeated_is_answered_again(room: Room) -> None:
    def day(number: int, sequence: int) -> str:
        there = at(9, day=number)
        invited = (room.address,)
        return event("series", there, attendees=invited, recurrence_id=there, sequence=sequence)

    first = room.ask_together(day(1, 1), day(2, 2))
    again = room.ask_together(day(1, 1), day(2, 1))
    assert (first.fate, again.fate) == ("accepted", "repeated")
    assert contents(room, again) == contents(room, first)[:1]
