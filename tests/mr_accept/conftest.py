"""A builder of VCALENDARs, and a booker at work on both databases."""

from collections.abc import Iterator

import pytest

from mr_accept.itip import parse_meeting
from mr_accept.limits import Limits
from mr_accept.zones import IanaZone
from tests.support.booking_desk import Desk, Room, open_desk
from tests.support.databases import shared_url

ORGANIZER = "ORGANIZER;CN=Anna Berg:mailto:anna@example.org"
ROOM = "ATTENDEE;CUTYPE=RESOURCE;CN=Room Aurora;RSVP=TRUE:mailto:room-aurora@example.org"


def vevent(*lines, **changed):
    """A VEVENT in which `changed` replaces a property by name, or drops it when None."""
    plain = {
        "UID": "UID:meeting-1@example.org",
        "DTSTAMP": "DTSTAMP:20260101T100000Z",
        "DTSTART": "DTSTART;TZID=Europe/Berlin:20260105T090000",
        "DTEND": "DTEND;TZID=Europe/Berlin:20260105T100000",
        "SUMMARY": "SUMMARY:Planning",
        "ORGANIZER": ORGANIZER,
        "ATTENDEE": ROOM,
        **changed,
    }
    kept = [line for line in plain.values() if line]
    return "\r\n".join(["BEGIN:VEVENT", *kept, *lines, "END:VEVENT"])


def vcalendar(*blocks, method="REQUEST"):
    head = ["BEGIN:VCALENDAR", "PRODID:-//example//test//EN", "VERSION:2.0", f"METHOD:{method}"]
    return "\r\n".join([*head, *blocks, "END:VCALENDAR", ""])


class Ics:
    """What the tests need to write a calendar and read it."""

    zone = IanaZone("Europe/Berlin")
    vevent = staticmethod(vevent)
    vcalendar = staticmethod(vcalendar)

    def parse(self, text, limits=None, zone=None):
        return parse_meeting(text, zone or self.zone, limits or Limits())

    def meeting(self, *lines, method="REQUEST", **changed):
        return self.parse(vcalendar(vevent(*lines, **changed), method=method))


@pytest.fixture
def ics():
    return Ics()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def desk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    with open_desk(shared_url(request, tmp_path_factory)) as opened:
        yield opened


@pytest.fixture
def room(desk: Desk) -> Room:
    return desk.room()
