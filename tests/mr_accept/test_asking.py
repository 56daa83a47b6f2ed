"""What a message asks of one resource: whether it is invited, by whom it was sent, and who sent the mail."""

from typing import Any

import pytest

from mailcore.view import MessageView
from mr_accept.asking import Asked, read_request
from mr_accept.fate import Origin
from mr_accept.limits import Limits
from mr_accept.model import NotForBookingError, UnreadableError
from mr_accept.zones import IanaZone
from tests.support.meetings import ANNA, BEN, EVE, at, calendar, event, mail

ROOM = "room@example.org"
HALL = "hall@example.org"
OWN = (ROOM, "Room-1@Example.org")
DORA = "dora@example.com"


def read(raw: bytes) -> Asked:
    return read_request(MessageView(raw), OWN, IanaZone("Europe/Berlin"), Limits())


def asked(*attendees: str, method: str = "REQUEST", from_: str = ANNA, **details: Any) -> Asked:
    """What is read of one VEVENT with these ATTENDEE lines, or addresses."""
    plain = [one for one in attendees if not one.startswith("ATTENDEE")]
    lines = [one for one in attendees if one.startswith("ATTENDEE")]
    block = event("one", at(9), attendees=plain, extra=lines, **details)
    return read(mail(calendar(block, method=method), method=method, from_=from_))


def delegated(address: str, *, to: str = "", by: str = "") -> str:
    """An ATTENDEE that has delegated, or to whom it was."""
    to = f';PARTSTAT=DELEGATED;DELEGATED-TO="mailto:{to}"' if to else ""
    by = f';DELEGATED-FROM="mailto:{by}"' if by else ""
    return f"ATTENDEE{to}{by}:mailto:{address}"


def test_a_resource_is_invited_by_any_of_its_addresses() -> None:
    for address in (ROOM, "ROOM-1@example.org"):
        found = asked(BEN, address)
        assert found.attendee is not None
        assert found.attendee.written == address
        assert (found.left_out, found.delegator) == (False, "")
        assert [one.cancelled for one in found.instances] == [False]


@pytest.mark.parametrize(
    "attendees",
    [
        (BEN,),
        (),
        (delegated(ROOM, to=HALL), delegated(HALL, by=ROOM)),
        (delegated("room-1@example.org", to=HALL),),
    ],
    ids=["others only", "nobody", "sent the hall instead", "by its alias"],
)
def test_a_request_that_leaves_the_resource_out(attendees: tuple[str, ...]) -> None:
    found = asked(*attendees)
    assert (found.left_out, found.attendee, found.delegator) == (True, None, "")
    assert [one.cancelled for one in found.instances] == [True]


def test_a_resource_that_stands_in_for_itself_is_invited() -> None:
    found = asked(
        delegated(ROOM, to="room-1@example.org"), delegated("room-1@example.org", by=ROOM)
    )
    assert not found.left_out
    assert found.attendee is not None


def test_an_instance_without_the_resource_is_cancelled_for_it() -> None:
    series = event("one", at(9), attendees=[ROOM], rrule="FREQ=DAILY;COUNT=3")
    one = event("one", at(9, day=1), attendees=[BEN], recurrence_id=at(9, day=1))
    found = read(mail(calendar(series, one)))
    assert not found.left_out
    assert [item.cancelled for item in found.instances] == [False, True]


def test_all_from_one_instance_on_may_come_without_the_series() -> None:
    block = event("one", at(9), attendees=[ROOM], recurrence_id=at(9))
    found = read(
        mail(calendar(block.replace("RECURRENCE-ID:", "RECURRENCE-ID;RANGE=THISANDFUTURE:")))
    )
    (instance,) = found.instances
    assert instance.recurrence_id.endswith("Z+")
    assert not found.left_out


def test_a_cancel_names_the_resource_or_not() -> None:
    named, unnamed = (asked(one, method="CANCEL") for one in (ROOM, BEN))
    assert named.attendee is not None
    assert unnamed.attendee is None
    for found in (named, unnamed):
        assert not found.left_out
        assert [one.cancelled for one in found.instances] == [True]


def test_an_addition_keeps_the_instances_that_name_the_resource() -> None:
    with_, without = (event("one", at(h), attendees=[who]) for h, who in ((9, ROOM), (11, BEN)))
    found = read(mail(calendar(without, with_, method="ADD"), method="ADD"))
    assert [item.start.epoch for item in found.instances] == [int(at(9).timestamp())]
    assert not found.left_out
    with pytest.raises(NotForBookingError, match="attendees") as caught:
        read(mail(calendar(without, method="ADD"), method="ADD"))
    assert not isinstance(caught.value, UnreadableError)


DELEGATORS = [
    # the resource's ATTENDEE, the others', From, the delegator
    (delegated(ROOM, by=DORA), [delegated(DORA, to=ROOM)], DORA, DORA),
    (delegated(ROOM, by=DORA), [delegated(DORA, to="ROOM-1@example.org")], ANNA, DORA),
    (delegated(ROOM, by="Dora@Example.com"), [delegated("DORA@example.com", to=ROOM)], DORA, DORA),
    (delegated(ROOM, by=DORA), [DORA], DORA, ""),  # she does not say so herself
    (delegated(ROOM, by=DORA), [delegated(DORA, to=HALL)], DORA, ""),
    (delegated(ROOM, by=DORA), [], DORA, ""),  # she is not invited
    (ROOM, [delegated(DORA, to=ROOM)], DORA, ""),  # the resource is not said to come for her
    (delegated(ROOM, by=DORA), [delegated(EVE, to=ROOM)], EVE, ""),
    (delegated(ROOM, by=f'{DORA}","mailto:{EVE}'),
     [delegated(DORA, to=ROOM), delegated(EVE, to=ROOM)], EVE, EVE),  # of several who sent it
    (delegated(ROOM, by=f'{DORA}","mailto:{EVE}'),
     [delegated(DORA, to=ROOM), delegated(EVE, to=ROOM)], ANNA, DORA),
]  # fmt: skip


@pytest.mark.parametrize(("own", "others", "from_", "delegator"), DELEGATORS)
def test_who_has_sent_the_resource_instead(own, others, from_, delegator) -> None:
    found = asked(own, *others, from_=from_)
    assert (found.delegator, found.left_out) == (delegator, False)


def test_who_sent_the_mail() -> None:
    block = calendar(event("one", at(9), attendees=[ROOM]))
    assert read(mail(block, from_="Anna <Anna@Example.net>", sender=BEN)).origin == Origin(
        "Anna@Example.net", BEN
    )
    assert read(mail(block)).origin == Origin(ANNA, "")
    assert read(mail(block, from_="undisclosed:;")).origin == Origin("", "")
