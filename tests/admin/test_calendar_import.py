"""Importing a calendar file from the command line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.admin.shell import Installed, Shell

SOON = (datetime.now(UTC) + timedelta(days=30)).strftime("%Y%m%d")
EVENT = """BEGIN:VEVENT
UID:{uid}
DTSTART;TZID=Europe/Berlin:{day}T{hour}0000
DURATION:PT1H
SUMMARY:{uid} summary
END:VEVENT
"""


def calendar(*events: str) -> bytes:
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{''.join(events)}END:VCALENDAR\n"
    return text.replace("\n", "\r\n").encode()


def event(uid: str, hour: int = 10, day: str = SOON) -> str:
    return EVENT.format(uid=uid, day=day, hour=hour)


def test_events_become_bookings(shell: Shell, installed: Installed, tmp_path: Path) -> None:
    file = tmp_path / "old.ics"
    file.write_bytes(calendar(event("u1", 10), event("u2", 10), event("u3", 12)))
    first, clash = shell.ok("--import-calendar", "aurora", str(file)).splitlines()
    assert first == "3 bookings imported for aurora."
    assert clash.startswith(f"Clashes: u2 summary, {SOON[:4]}-{SOON[4:6]}-{SOON[6:]}T10:00:00+0")
    booked = shell.json("--list-bookings", "aurora")
    assert [booking["uid"] for booking in booked] == ["u1", "u2", "u3"]
    assert booked[2]["summary"] == "u3 summary"
    (both,) = shell.json("--audit-bookings", "aurora")
    assert (both["uids"], both["allowed"]) == (["u1", "u2"], True)


def test_what_is_left_out_is_named(shell: Shell, installed: Installed) -> None:
    text = calendar(event("good"), event("bad", day="20301399"))
    said = shell.ok("--import-calendar", "aurora", "-", stdin=text).splitlines()
    assert said[0] == "1 booking imported for aurora."
    assert said[1].startswith("Skipped bad: ")
    again = shell.ok("--import-calendar", "aurora", "-", stdin=calendar(event("good")))
    assert again.splitlines() == [
        "0 bookings imported for aurora.",
        "Skipped good: booked already",
    ]


@pytest.mark.parametrize("text", ["", "no calendar", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"])
def test_what_is_no_calendar_is_refused(embedded: tuple[Shell, Installed], text: str) -> None:
    shell, installed = embedded
    before = installed.contents()
    shell.refuses("--import-calendar", "aurora", "-", stdin=text)
    assert installed.contents() == before


def test_what_was_cancelled_is_no_booking(shell: Shell, installed: Installed) -> None:
    gone = event("gone").replace("SUMMARY", "STATUS:CANCELLED\nSUMMARY")
    said = shell.ok("--import-calendar", "aurora", "-", stdin=calendar(event("good", 12), gone))
    assert said.splitlines() == ["1 booking imported for aurora.", "Skipped gone: cancelled"]
    assert [booking["uid"] for booking in shell.json("--list-bookings", "aurora")] == ["good"]


def test_what_floats_follows_the_mailbox_into_another_zone(
    shell: Shell, installed: Installed
) -> None:
    floating = event("floats", 11).replace(";TZID=Europe/Berlin", "")
    shell.ok("--import-calendar", "aurora", "-", stdin=calendar(floating, event("zoned", 20)))
    zoned = shell.json("--list-bookings", "aurora")[1]["start"]
    shell.ok("-u", "aurora", "--timezone", "America/New_York")
    starts = {one["uid"]: one["start"] for one in shell.json("--list-bookings", "aurora")}
    assert starts["floats"].startswith(f"{SOON[:4]}-{SOON[4:6]}-{SOON[6:]}T11:00:00-0")
    assert datetime.fromisoformat(starts["zoned"]) == datetime.fromisoformat(zoned)
