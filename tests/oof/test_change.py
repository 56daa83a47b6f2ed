"""What a change makes of an out-of-office, and what it refuses."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from mailcore.errors import UsageError
from oof.change import (
    INFINITE,
    OFF,
    ON,
    Change,
    apply_change,
    describe,
    document_of,
    read_time,
    read_zone,
    shown_in,
    write_time,
)
from oof.settings import OofSettings

BERLIN = ZoneInfo("Europe/Berlin")
NOW = 1_893_456_000.0  # 2030-01-01 01:00 in Berlin
DAY = 86_400.0
NOTHING = OofSettings(False, "", "")
OLD = OofSettings(False, "Old", "Gone.", NOW - 9 * DAY, NOW - 8 * DAY)
LASTS = OofSettings(True, "Away", "Back in June.", NOW - DAY, NOW + DAY)
OVER = OofSettings(True, "Away", "Back in June.", NOW - 2 * DAY, NOW - DAY)


@pytest.mark.parametrize(
    ("stored", "change", "expected"),
    [
        (NOTHING, Change(subject="S"), OofSettings(False, "S", "")),
        (OLD, Change(message="M"), OofSettings(False, "Old", "M", OLD.starts_at, OLD.ends_at)),
        (NOTHING, Change(subject=" a\n\tb\x07 ", message=""), OofSettings(False, "a b", "")),
        (NOTHING, Change(ON), OofSettings(True, "", "")),
        (OLD, Change(ON), OofSettings(True, "Old", "Gone.")),  # a new absence, a new window
        (OVER, Change(ON), OofSettings(True, "Away", "Back in June.")),
        (LASTS, Change(ON), LASTS),
        (
            LASTS,
            Change(ON, subject="S"),
            OofSettings(True, "S", "Back in June.", NOW - DAY, NOW + DAY),
        ),
        (
            LASTS,
            Change(ON, until=INFINITE),
            OofSettings(True, "Away", "Back in June.", NOW - DAY, None),
        ),
        (
            OLD,
            Change(ON, starts="2030-01-01 01:00", until="2030-01-02 01:00"),
            OofSettings(True, "Old", "Gone.", NOW, NOW + DAY),
        ),
        (
            LASTS,
            Change(ON, starts="2030-01-02 01:00"),
            OofSettings(True, "Away", "Back in June.", NOW + DAY, NOW + DAY),
        ),
        (LASTS, Change(OFF), OofSettings(False, "Away", "Back in June.", NOW - DAY, NOW + DAY)),
        (NOTHING, Change(OFF, message="M"), OofSettings(False, "", "M")),
        (
            NOTHING,
            Change(ON, starts="2030-01-01 09:00", timezone="Asia/Tokyo"),
            OofSettings(True, "", "", NOW, timezone="Asia/Tokyo"),
        ),
        (
            replace(LASTS, timezone="Asia/Tokyo"),  # what is not named stays, the zone too
            Change(ON, until="2030-01-02 08:00"),
            replace(LASTS, timezone="Asia/Tokyo", ends_at=NOW + DAY - 3600),
        ),
        (
            replace(LASTS, timezone="Asia/Tokyo"),
            Change(ON, timezone="UTC"),
            replace(LASTS, timezone="UTC"),
        ),
        (
            replace(OVER, timezone="Asia/Tokyo"),  # a new absence is in the mailbox's zone again
            Change(ON, starts="2030-01-01 01:00"),
            OofSettings(True, "Away", "Back in June.", NOW),
        ),
        (
            NOTHING,
            Change(
                external="none", external_message="E", internal_message="I", decline_meetings=True
            ),
            OofSettings(
                *(False, "", ""),
                external="none",
                external_message="E",
                internal_message="I",
                decline_meetings=True,
            ),
        ),
        (
            OofSettings(True, "", "", external="none", decline_meetings=True),
            Change(ON, external="all", decline_meetings=False),
            OofSettings(True, "", ""),
        ),
    ],
)
def test_changes(stored: OofSettings, change: Change, expected: OofSettings) -> None:
    assert apply_change(stored, change, BERLIN, NOW) == expected


@pytest.mark.parametrize(
    ("stored", "change", "said"),
    [
        (LASTS, Change(subject="S"), "out-of-office is on; give -m 1 to change its texts"),
        (OVER, Change(message="M"), "out-of-office is on; give -m 1 to change its texts"),
        (LASTS, Change(external="none"), "out-of-office is on; give -m 1 to change its texts"),
        (NOTHING, Change(external="some"), "--external 'some': expected one of none, known, all"),
        (NOTHING, Change(ON, timezone="Mars/Base"), "time zone 'Mars/Base': expected an IANA name"),
        (NOTHING, Change(until=INFINITE), "--from and --until go with -m 1"),
        (LASTS, Change(OFF, starts="2030-01-01 01:00"), "--from and --until go with -m 1"),
        (NOTHING, Change(ON, until=""), "--until '': expected YYYY-MM-DD HH:MM"),
        (
            NOTHING,
            Change(ON, starts="01.02.2030"),
            "--from '01.02.2030': expected YYYY-MM-DD HH:MM",
        ),
        (NOTHING, Change(ON, starts=INFINITE), "--from 'infinite': expected YYYY-MM-DD HH:MM"),
        (
            NOTHING,
            Change(ON, until="2030-01-01 00:59"),
            "--until 2030-01-01 00:59 is past; give a later time, or infinite",
        ),
        (
            NOTHING,
            Change(ON, starts="2030-03-02 00:00", until="2030-03-01 00:00"),
            "--until 2030-03-01 00:00 is before --from 2030-03-02 00:00; give both",
        ),
        (
            LASTS,
            Change(ON, starts="2030-03-02 00:00"),
            "--until 2030-01-02 01:00 is before --from 2030-03-02 00:00; give both",
        ),
    ],
)
def test_what_is_refused(stored: OofSettings, change: Change, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        apply_change(stored, change, BERLIN, NOW)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2030-01-01 01:00", "Europe/Berlin", NOW),
        ("2030-07-01 02:00", "Europe/Berlin", 1_909_094_400.0),  # summer time
        ("2029-12-31 19:00", "America/New_York", NOW),
        ("2030-10-27 02:30", "Europe/Berlin", 1_919_291_400.0),  # the first of the two
    ],
)
def test_times_are_on_the_wall_clock(text: str, zone: str, moment: float) -> None:
    assert read_time(text, ZoneInfo(zone), "--from") == moment
    assert write_time(moment, ZoneInfo(zone)) == text


@pytest.mark.parametrize("text", ["2030-03-31 02:30", "0001-01-01 00:00"])
def test_times_that_the_clock_leaves_out(text: str) -> None:
    with pytest.raises(UsageError, match=rf"--until '{text}': there is no such time in Europe/B"):
        read_time(text, BERLIN, "--until")


@pytest.mark.parametrize(
    "name", ["Mars/Base", "", "../etc/passwd", "Europe", "\0", "W. Europe Standard Time"]
)
def test_a_bad_zone_is_named(name: str) -> None:
    with pytest.raises(UsageError, match="expected an IANA name such as Europe/Berlin"):
        read_zone(name)


@pytest.mark.parametrize(
    ("oof", "said"),
    [
        (NOTHING, "off"),
        (OLD, "off"),
        (OofSettings(True, "", ""), "on, and answers"),
        (LASTS, "on, and answers until 2030-01-02 01:00 (Europe/Berlin)"),
        (OVER, "on, but nobody is answered: it lasted until 2029-12-31 01:00 (Europe/Berlin)"),
        (
            OofSettings(True, "", "", NOW + DAY),
            "on, and will answer from 2030-01-02 01:00 (Europe/Berlin)",
        ),
        (
            OofSettings(True, "", "", NOW + DAY, NOW + 2 * DAY),
            "on, and will answer from 2030-01-02 01:00 until 2030-01-03 01:00 (Europe/Berlin)",
        ),
    ],
)
def test_the_state_in_words(oof: OofSettings, said: str) -> None:
    lines = list(describe("anna", oof, BERLIN, NOW))
    assert lines[0] == f"Out-of-office of anna is {said}."


def test_the_texts_in_words() -> None:
    _, *lines = describe("anna", NOTHING, BERLIN, NOW)
    assert lines == ["Subject: Out of office", "Text: none; -n FILE gives one"]
    oof = OofSettings(False, "S\x1b[31m", "One\x1b\n\nTwo \n")
    _, *lines = describe("anna", oof, BERLIN, NOW)
    assert lines == ["Subject: S [31m", "Text:", "  One", "", "  Two"]


def test_what_is_said_to_whom_in_words() -> None:
    oof = OofSettings(False, "S", "M", external_message="E", internal_message="I\nJ")
    _, _, *lines = describe("anna", oof, BERLIN, NOW)
    everybody = ["Text:", "  M", "Text for senders inside:", "  I", "  J"]
    assert lines == [*everybody, "Text for senders outside:", "  E"]
    none = replace(oof, external="none", decline_meetings=True)
    _, _, *lines = describe("anna", none, BERLIN, NOW)
    nobody = "Senders outside: nobody outside gets an answer"
    assert lines == [
        *(*everybody, nobody, "Meetings: the auto-booker declines them during the absence")
    ]
    _, _, *lines = describe("anna", replace(oof, external="known"), BERLIN, NOW)
    known = "Senders outside: of those outside, only who answers mail of ours gets one"
    assert lines == [*everybody, known, "Text for senders outside:", "  E"]


@pytest.mark.parametrize(
    ("stored", "asked", "zone"),
    [
        ("", None, "Europe/Berlin"),
        ("Asia/Tokyo", None, "Asia/Tokyo"),
        ("Asia/Tokyo", "UTC", "UTC"),
        ("Mars/Base", None, "Europe/Berlin"),  # not known here any more
    ],
)
def test_the_zone_in_which_a_window_is_shown(stored: str, asked: str | None, zone: str) -> None:
    assert shown_in(replace(LASTS, timezone=stored), BERLIN, asked).key == zone


def test_the_state_for_programs() -> None:
    assert document_of(LASTS, BERLIN, NOW) == {
        "set": True,
        "active": True,
        "subject": "Away",
        "message": "Back in June.",
        "from": "2029-12-31 01:00",
        "until": "2030-01-02 01:00",
        "timezone": "Europe/Berlin",
        "external": "all",
        "external_message": "",
        "internal_message": "",
        "decline_meetings": False,
    }
    over = document_of(OVER, BERLIN, NOW)
    assert (over["set"], over["active"]) == (True, False)
    nothing = document_of(NOTHING, BERLIN, NOW)
    assert (nothing["set"], nothing["from"], nothing["until"]) == (False, None, None)
