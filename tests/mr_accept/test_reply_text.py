"""The words of a reply."""

import pytest

from mr_accept.decision import Decision, FreeTime, OldTime, Reason, Refusal, Verdict
from mr_accept.model import Occurrence
from mr_accept.zones import IanaZone
from tests.support.replies import (
    ACCEPTED,
    MONDAY,
    PARTLY,
    REFUSED,
    ROOM,
    busy,
    declined,
    mondays,
    parts,
    reply_to,
)


def test_the_words_of_an_acceptance(ics):
    text, _ = parts(reply_to(ics.meeting("LOCATION:North")))
    assert text.splitlines() == [
        "Room Aurora has accepted the meeting and is booked.",
        "",
        "What: Planning",
        "When: Mon 5 January 2026, 09:00 to 10:00 (Europe/Berlin, UTC+01:00)",
        "Where: North",
    ]


@pytest.mark.parametrize(
    ("changed", "lines", "when"),
    [
        ({"DTSTART": "DTSTART;TZID=America/New_York:20260706T090000", "DTEND": "DURATION:PT1H"}, [],
         "Mon 6 July 2026, 09:00 to 10:00 (America/New_York, UTC-04:00)"),
        ({"DTSTART": "DTSTART:20260706T090000Z", "DTEND": "DURATION:PT1H"}, [],
         "Mon 6 July 2026, 11:00 to 12:00 (Europe/Berlin, UTC+02:00)"),
        ({"DTSTART": "DTSTART:20260706T090000", "DTEND": "DURATION:P1DT1H"}, [],
         "Mon 6 July 2026, 09:00 to Tue 7 July 2026, 10:00 (Europe/Berlin, UTC+02:00)"),
        ({"DTSTART": "DTSTART;VALUE=DATE:20260706", "DTEND": None}, [], "Mon 6 July 2026, all day"),
        ({"DTSTART": "DTSTART;VALUE=DATE:20260706", "DTEND": "DTEND;VALUE=DATE:20260709"}, [],
         "Mon 6 July 2026 to Wed 8 July 2026, all day"),
        ({}, ["RRULE:FREQ=WEEKLY"],
         "Mon 5 January 2026, 09:00 to 10:00 (Europe/Berlin, UTC+01:00); this is the first of a series"),
        ({"DTSTART": "DTSTART;TZID=W. Europe Standard Time:20260105T090000", "DTEND": "DURATION:PT1H"}, [],
         "Mon 5 January 2026, 09:00 to 10:00 (W. Europe Standard Time, UTC+01:00)"),
    ],
)  # fmt: skip
def test_when(ics, changed, lines, when):
    text, _ = parts(reply_to(ics.meeting(*lines, **changed)))
    assert f"When: {when}" in text.splitlines()


def test_the_words_of_a_refusal_name_each_clash_in_the_organizer_s_zone(ics):
    meeting = ics.meeting(
        "RRULE:FREQ=DAILY",
        DTSTART="DTSTART;TZID=America/New_York:20260105T090000",
        DTEND="DURATION:PT1H",
    )
    spans = [(1767621600 + n * 86400, 1767625200 + n * 86400) for n in range(12)]
    text, _ = parts(reply_to(meeting, busy(*spans)))
    lines = text.splitlines()
    assert lines[0] == (
        "Room Aurora has declined the meeting: the resource is already booked at that time."
    )
    begin = lines.index("These times are not free:")
    assert lines[begin + 1] == "  Mon 5 January 2026, 09:00 to 10:00 (America/New_York, UTC-05:00)"
    assert len(lines) == begin + 12
    assert lines[-1] == "  and 2 more"


def test_an_accepted_meeting_without_a_length_does_not_claim_to_be_booked(ics):
    text, _ = parts(reply_to(ics.meeting(DTEND=None)))
    assert text.splitlines()[0] == (
        "Room Aurora has accepted the meeting. It has no length, so no time is held for it."
    )


def test_the_clashes_of_an_all_day_event_are_days(ics):
    meeting = ics.meeting(DTSTART="DTSTART;VALUE=DATE:20260706", DTEND=None)
    start = meeting.instances[0].start.epoch
    text, _ = parts(reply_to(meeting, busy((start, start + 86400))))
    assert text.splitlines()[-1] == "  Mon 6 July 2026, all day"


def test_the_text_of_an_absence_stands_in_the_words(ics):
    said = "\n".join(["word " * 300, "", "tab\tand\x1b[31m", "x" * 2000])
    decision = Decision(Verdict.DECLINED, (Refusal(Reason.ABSENT, Reason.ABSENT.value),), note=said)
    text, _ = parts(reply_to(ics.meeting(), decision))
    lines = text.splitlines()
    assert lines[:2] == [
        "Room Aurora has declined the meeting: out of office at present.",
        "",
    ]
    assert "tab and [31m" in lines
    assert all(
        line.isprintable() and len(line) <= 70 for line in lines[2 : lines.index("tab and [31m")]
    )
    empty = Decision(Verdict.DECLINED, (Refusal(Reason.ABSENT, Reason.ABSENT.value),), note=" \n")
    _, blank, what, *_ = parts(reply_to(ics.meeting(), empty))[0].splitlines()
    assert (blank, what[:6]) == ("", "What: ")


def test_the_words_of_a_refused_series(ics):
    text, _ = parts(reply_to(ics.meeting("RRULE:FREQ=DAILY"), REFUSED))
    assert text.startswith(
        "Room Aurora has declined the meeting: recurring meetings are not allowed."
    )


def test_the_words_of_a_series_accepted_in_part(ics):
    meeting = ics.meeting("RRULE:FREQ=WEEKLY;COUNT=52")
    decision = Decision(
        Verdict.ACCEPTED, clashes=PARTLY.clashes, asked_for=52, holders={PARTLY.clashes[1]: "Ben Ek"}
    )  # fmt: skip
    text, _ = parts(reply_to(meeting, decision))
    assert text.splitlines() == [
        "Room Aurora has accepted the meeting and is booked, but not for all of it.",
        "2 of 52 occurrences could not be booked and are declined.",
        "",
        "What: Planning",
        "When: Mon 5 January 2026, 09:00 to 10:00 (Europe/Berlin, UTC+01:00); this is the first of a series",
        "",
        "These times are not free and are declined:",
        "  Mon 12 January 2026, 09:00 to 10:00 (Europe/Berlin, UTC+01:00)",
        "  Mon 19 January 2026, 09:00 to 10:00 (Europe/Berlin, UTC+01:00), taken by Ben Ek",
    ]


@pytest.mark.parametrize(
    ("clashes", "asked_for", "sentence"),
    [
        (1, 52, "1 of 52 occurrences could not be booked and is declined."),
        (3, 0, "3 occurrences could not be booked and are declined."),
        (1, 0, "1 occurrence could not be booked and is declined."),
    ],
)
def test_how_many_are_declined(ics, clashes, asked_for, sentence):
    decision = Decision(Verdict.ACCEPTED, clashes=mondays(clashes), asked_for=asked_for)
    text, _ = parts(reply_to(ics.meeting("RRULE:FREQ=WEEKLY"), decision))
    assert text.splitlines()[1] == sentence


@pytest.mark.parametrize(
    ("start", "held_until", "day"),
    [
        # 2028-02-01 00:00 UTC is the first instant that is not held
        ("DTSTART;TZID=Europe/Berlin:20260105T090000", 1832976000, "Mon 31 January 2028"),
        ("DTSTART;TZID=Asia/Tokyo:20260105T090000", 1832976000, "Mon 31 January 2028"),
        ("DTSTART;TZID=America/New_York:20260105T090000", 1832976000, "Sun 30 January 2028"),
        ("DTSTART;VALUE=DATE:20260105", 1832976000 - 3600, "Mon 31 January 2028"),
    ],
)  # fmt: skip
def test_how_far_a_series_is_booked(ics, start, held_until, day):
    meeting = ics.meeting("RRULE:FREQ=WEEKLY", DTSTART=start, DTEND=None)
    text, _ = parts(reply_to(meeting, Decision(Verdict.ACCEPTED, held_until=held_until)))
    assert text.splitlines()[1] == (
        f"The series is booked up to {day}; later occurrences are booked as time goes on, "
        "as far as the resource is free then."
    )


def test_one_reason_with_the_times_that_it_is_about(ics):
    refusal = (Reason.OUTSIDE_HOURS, "it cannot be booked on Sunday", mondays(12))
    text, _ = parts(reply_to(ics.meeting("RRULE:FREQ=WEEKLY"), declined(refusal)))
    lines = text.splitlines()
    assert lines[0] == "Room Aurora has declined the meeting: it cannot be booked on Sunday."
    begin = lines.index("It is about these times:")
    assert lines[begin + 1] == "  Mon 5 January 2026, 09:00 to 10:00 (Europe/Berlin, UTC+01:00)"
    assert len(lines) == begin + 12
    assert lines[-1] == "  and 2 more"


def test_a_single_time_is_not_listed_beside_the_reason_that_names_it(ics):
    refusal = (Reason.TOO_LONG, "it lasts 5 hours, and at most 4 hours can be booked", mondays(1))
    text, _ = parts(reply_to(ics.meeting(), declined(refusal)))
    assert text.splitlines()[-1].startswith("When: ")


def test_several_reasons_are_a_list_each_with_its_times(ics):
    decision = declined(
        (Reason.TOO_LONG, "it lasts 5 hours, and at most 4 hours can be booked"),
        (Reason.OUTSIDE_HOURS, "it cannot be booked on Monday", mondays(11)),
        old_time=OldTime.RELEASED,
    )
    text, _ = parts(reply_to(ics.meeting("RRULE:FREQ=WEEKLY"), decision))
    lines = text.splitlines()
    assert lines[:4] == [
        "Room Aurora has declined the meeting, for these reasons:",
        "- it lasts 5 hours, and at most 4 hours can be booked",
        "- it cannot be booked on Monday",
        "    Mon 5 January 2026, 09:00 to 10:00 (Europe/Berlin, UTC+01:00)",
    ]
    assert lines[13:17] == [
        "    and 1 more",
        "",
        "What was booked for this meeting before is given up, and free for others.",
        "",
    ]
    assert lines[17] == "What: Planning"
    assert "It is about these times:" not in lines


@pytest.mark.parametrize(
    ("old_time", "line"),
    [
        (OldTime.NONE, ""),
        (OldTime.KEPT, "What was booked for this meeting before stays booked."),
        (OldTime.RELEASED, "What was booked for this meeting before is given up, and free for others."),
    ],
)  # fmt: skip
def test_what_becomes_of_the_time_that_was_booked_before(ics, old_time, line):
    decision = declined((Reason.BUSY, "taken"), old_time=old_time)
    text, _ = parts(reply_to(ics.meeting(), decision))
    assert text.splitlines()[1] == line


def test_free_times_are_in_the_organizer_s_zone(ics):
    meeting = ics.meeting(
        DTSTART="DTSTART;TZID=America/New_York:20260105T090000", DTEND="DURATION:PT1H"
    )
    free = (FreeTime(1767625200, 1767628800), FreeTime(1767627000, 1767630600))
    clash = Occurrence(1767621600, 1767625200, "")
    decision = declined((Reason.BUSY, "taken"), clashes=(clash,), free_times=free)
    text, _ = parts(reply_to(meeting, decision))
    assert text.splitlines()[-3:] == [
        "Free at these times instead:",
        "  Mon 5 January 2026, 10:00 to 11:00 (America/New_York, UTC-05:00)",
        "  Mon 5 January 2026, 10:30 to 11:30 (America/New_York, UTC-05:00)",
    ]


def test_free_times_of_a_series_are_those_for_its_first_clash(ics):
    free = (FreeTime(MONDAY + 3600, MONDAY + 7200),)
    decision = declined((Reason.BUSY, "taken"), clashes=mondays(2), free_times=free)
    text, _ = parts(reply_to(ics.meeting("RRULE:FREQ=WEEKLY"), decision))
    assert "Free at these times instead of the first one:" in text.splitlines()


def test_free_days(ics):
    meeting = ics.meeting(DTSTART="DTSTART;VALUE=DATE:20260105", DTEND=None)
    start = meeting.instances[0].start.epoch
    free = (FreeTime(start + 86400, start + 2 * 86400),)
    decision = declined((Reason.BUSY, "taken"), clashes=mondays(1, start), free_times=free)
    text, _ = parts(reply_to(meeting, decision))
    assert text.splitlines()[-1] == "  Tue 6 January 2026, all day"


def test_a_series_that_overlaps_itself_is_not_told_that_others_have_booked(ics):
    text, _ = parts(
        reply_to(
            ics.meeting("RRULE:FREQ=DAILY"),
            declined((Reason.ITSELF, Reason.ITSELF.value), clashes=mondays(2)),
        )
    )
    assert text.splitlines()[0].endswith("has declined the meeting: its own occurrences overlap.")
    assert "These times overlap each other:" in text.splitlines()


def test_a_time_is_listed_once(ics):
    decision = declined((Reason.BUSY, "taken", mondays(3)), clashes=mondays(3))
    text, _ = parts(reply_to(ics.meeting("RRULE:FREQ=WEEKLY"), decision))
    assert text.count("Mon 12 January 2026") == 1


def test_days_are_days_of_the_resource_that_was_asked(ics):
    meeting = ics.meeting(DTSTART="DTSTART;VALUE=DATE:20260105", DTEND=None)
    decision = declined(
        (Reason.BUSY, "taken"), clashes=mondays(1, meeting.instances[0].start.epoch)
    )
    elsewhere = ROOM._replace(zone=IanaZone("America/New_York"))
    text, _ = parts(reply_to(meeting, decision, resource=elsewhere))
    assert text.splitlines()[-1] == "  Mon 5 January 2026, all day"


def test_who_accepts_beside_others_hears_of_them(ics):
    text, _ = parts(reply_to(ics.meeting(), Decision(Verdict.ACCEPTED, overbooked=True)))
    assert text.splitlines()[1] == "Please note: others have booked some of this time, too."


@pytest.mark.parametrize("decision", [ACCEPTED, REFUSED])
def test_a_text_of_the_resource_s_own_ends_every_reply(ics, decision):
    said = "Doors close at 18:00.\n\n" + "word " * 40 + "\x1b[31m"
    text, _ = parts(reply_to(ics.meeting(), decision, resource=ROOM._replace(text=said)))
    blank, first, between, *rest = text.splitlines()[-6:]
    assert (blank, first, between) == ("", "Doors close at 18:00.", "")
    assert " ".join(rest).split() == ["word"] * 40 + ["[31m"]
    assert all(len(line) <= 70 for line in rest)


HOSTILE = "one\r\nBcc: eve@example.org\x00\u2028two"


def test_nothing_that_comes_from_others_makes_a_line_of_its_own(ics):
    clash = mondays(1)[0]
    decision = declined(
        (Reason.NOT_ALLOWED, HOSTILE), clashes=(clash,), holders={clash: HOSTILE + "x" * 500}
    )  # fmt: skip
    more = declined((Reason.NOT_ALLOWED, HOSTILE), (Reason.TOO_SOON, HOSTILE))
    for said in (decision, more):
        text, _ = parts(reply_to(ics.meeting(), said, resource=ROOM._replace(name=HOSTILE)))
        assert not any(line.startswith(("Bcc", "two")) for line in text.splitlines())
        assert all(line.isprintable() and len(line) < 200 for line in text.splitlines())
