"""Reading meeting messages: MIME, the grammar, one VEVENT, several together."""

import base64
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.meeting import meeting_method
from mailcore.view import MessageView
from mr_accept.expand import expand
from mr_accept.itip import attendee_for, find_calendar, parse_meeting
from mr_accept.limits import Limits
from mr_accept.model import ONWARDS, Form, NotForBookingError, UnreadableError
from mr_accept.zones import IanaZone

DATA = Path(__file__).parent / "data"
BERLIN = IanaZone("Europe/Berlin")
HORIZON = 1_830_000_000


def mail(content_type, body, *, encoding="8bit", wrap=None):
    part = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    raw = part.encode() + (body if isinstance(body, bytes) else body.encode())
    if wrap:
        head = f'Content-Type: {wrap}; boundary="b"\r\n\r\n--b\r\n'.encode()
        raw = head + raw + b"\r\n--b--\r\n"
    return MessageView(b"From: anna@example.org\r\nMIME-Version: 1.0\r\n" + raw)


CLIENTS = [
    # file, method, starts of the first occurrences in epoch seconds, organizer, summary
    ("outlook_series.eml", "REQUEST", [1767600000, 1768204800, 1769518800, 1770019200],
     "grete@example.org", "Wöchentliche Besprechung"),
    ("google_single.eml", "REQUEST", [1778086800], "noor@example.com", "Interview, second round"),
    ("apple_allday.eml", "REQUEST", [1774652400], "lena@example.net", "Offsite"),
    ("thunderbird_cancel.eml", "CANCEL", [], "sam@example.org", "Handover"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "method", "starts", "organizer", "summary"), CLIENTS)
@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_messages_of_known_programs(file, method, starts, organizer, summary, line_end):
    view = MessageView((DATA / file).read_bytes().replace(b"\r\n", line_end))
    assert meeting_method(view.root) == method
    found = find_calendar(view)
    assert found.method == method
    meeting = parse_meeting(found.text, BERLIN, Limits())
    assert (meeting.method, meeting.organizer.address) == (method, organizer)
    assert meeting.instances[0].summary == summary
    occurrences = expand(meeting.instances, HORIZON, Limits())
    assert [item.start for item in occurrences][: len(starts)] == starts
    assert bool(starts) is bool(occurrences)
    for instance in meeting.instances:
        assert attendee_for(instance, {"room-aurora@example.org"}) is not None


def test_a_stored_source_gives_the_same_meeting_again(ics):
    meeting = ics.meeting("RRULE:FREQ=DAILY;COUNT=2")
    again = ics.parse(meeting.source)
    assert again.uid == meeting.uid
    assert expand(again.instances, HORIZON, Limits()) == expand(
        meeting.instances, HORIZON, Limits()
    )


def test_encodings_and_charsets(ics):
    text = ics.vcalendar(ics.vevent(SUMMARY="SUMMARY:Grüße"))
    request = "text/calendar; method=REQUEST"
    cases = [
        mail(f"{request}; charset=utf-8", text),
        mail(request, text),
        mail(f"{request}; charset=us-ascii", text),
        mail(f"{request}; charset=iso-8859-1", text.encode("latin-1")),
        mail(f"{request}; charset=utf-16", base64.encodebytes(text.encode("utf-16")), encoding="base64"),
        mail(f"{request}; charset=utf-8", "\ufeff" + text),
        mail(f"{request}; charset=utf-8", base64.encodebytes(text.encode()), encoding="base64"),
        mail('TEXT/Calendar; METHOD="request"', text),
        mail(request, text.replace("\r\n", "\n")),
        mail(request, text.replace("METHOD:REQUEST", "METHOD:Request")),
        mail(request, text.encode().replace("ü".encode(), b"\xc3\r\n \xbc")),  # folded in a character
    ]  # fmt: skip
    for view in cases:
        found = find_calendar(view)
        assert ics.parse(found.text).instances[0].summary == "Grüße"


def test_what_is_no_calendar_part(ics):
    text = ics.vcalendar(ics.vevent())
    request = "text/calendar; method=REQUEST"
    forwarded = f"Content-Type: {request}\r\n\r\n{text}"
    cases = [
        mail("text/plain", "hello"),
        mail("text/calendar", text),
        mail("text/calendar; name=invite.ics", text, wrap="multipart/mixed"),
        mail("application/ics; method=REQUEST", text, wrap="multipart/mixed"),
        mail("text/calendar; method=CANCEL", text),
        mail(request, text.replace("METHOD:REQUEST\r\n", "")),
        mail(request, "nothing"),
        mail("message/rfc822", forwarded, wrap="multipart/mixed"),
        mail(request, text, wrap="multipart/report"),
    ]
    for view in cases:
        with pytest.raises(NotForBookingError):
            find_calendar(view)


def test_the_first_part_that_agrees_is_taken(ics):
    text = ics.vcalendar(ics.vevent())
    kind = "Content-Type: text/calendar; method="
    raw = (
        f'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n{kind}CANCEL\r\n\r\n{text}\r\n'
        f"--b\r\n{kind}REQUEST\r\n\r\n{text}\r\n--b--\r\n"
    )
    assert find_calendar(MessageView(raw.encode())).method == "REQUEST"


@pytest.mark.parametrize("method", ["PUBLISH", "REPLY", "COUNTER", "REFRESH", "DECLINECOUNTER", ""])
def test_other_methods_are_ordinary_mail(ics, method):
    with pytest.raises(NotForBookingError, match="method") as caught:
        ics.meeting(method=method)
    assert not isinstance(caught.value, UnreadableError)


def test_a_task_is_ordinary_mail(ics):
    task = ics.vevent().replace("VEVENT", "VTODO")
    with pytest.raises(NotForBookingError, match="VEVENT") as caught:
        ics.parse(ics.vcalendar(task))
    assert not isinstance(caught.value, UnreadableError)


UNREADABLE = [
    # changed properties, further lines, what the text says
    ({"UID": None}, [], "no UID"),
    ({"UID": "UID:"}, [], "no UID"),
    ({"DTSTAMP": None}, [], "no DTSTAMP"),
    ({"DTSTART": None}, [], "no DTSTART"),
    ({"ORGANIZER": None}, [], "no ORGANIZER"),
    ({"ORGANIZER": "ORGANIZER:invalid:nomail"}, [], "ORGANIZER"),
    ({"DTEND": "DTEND;TZID=Europe/Berlin:20260105T085959"}, [], "before the start"),
    ({"DTEND": "DURATION:-PT1H"}, [], "negative"),
    ({"DTEND": "DTEND;VALUE=DATE:20260106"}, [], "one type"),
    ({}, ["DURATION:PT1H"], "both"),
    ({"DTEND": "DURATION:an hour"}, [], "DURATION"),
    ({"DTSTART": "DTSTART;TZID=Nowhere:20260105T090000"}, [], "not known"),
    ({"DTEND": "DTEND;TZID=Nowhere:20260105T090000"}, [], "not known"),
    ({}, ["EXDATE;TZID=Nowhere:20260105T090000"], "not known"),
    ({}, ["RDATE;TZID=Nowhere:20260105T090000"], "not known"),
    ({"DTSTART": "DTSTART:20261305T090000Z"}, [], "DTSTART"),
    ({"DTSTART": "DTSTART:soon"}, [], "DTSTART"),
    ({"DTSTART": "DTSTART:99990101T000000Z", "DTEND": None}, [], "future"),
    ({}, ["DTSTART:20260105T090000Z"], "more than one DTSTART"),
    ({}, ["UID:another"], "more than one UID"),
    ({}, ["RRULE:FREQ=NEVER"], "RRULE|FREQ"),
    ({}, ["RRULE:FREQ=DAILY;BYMONTH=x"], "RRULE|BYMONTH"),
    ({}, ["RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"], "more than one RRULE"),
    ({}, ["EXRULE:FREQ=DAILY"], "EXRULE"),
    ({}, ["EXDATE:never"], "EXDATE"),
    ({}, ["RDATE:never"], "RDATE"),
    ({}, ["RDATE;VALUE=DATE:20260108"], "one type"),
    ({}, ["RDATE;VALUE=PERIOD:20260108T090000Z/20260108T080000Z"], "before"),
    ({}, ["RECURRENCE-ID;RANGE=THISANDPRIOR:20260105T080000Z"], "not supported"),
    ({}, ["RECURRENCE-ID:20260105T080000Z", "RRULE:FREQ=DAILY"], "recurrence of its own"),
    ({}, ["SEQUENCE:many"], "SEQUENCE"),
    ({}, ["SEQUENCE:-1"], "SEQUENCE"),
    ({}, ["DTSTART"], "DTSTART|line"),
    ({}, ["this is no property"], "broken|line"),
    ({}, ["GEO:somewhere"], "GEO"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "lines", "message"), UNREADABLE)
def test_unreadable_events(ics, changed, lines, message):
    with pytest.raises(UnreadableError, match=message) as caught:
        ics.meeting(*lines, **changed)
    assert "\n" not in str(caught.value)


def test_unreadable_calendars(ics):
    event = ics.vevent()
    child = ics.vevent("RECURRENCE-ID:20260105T080000Z")
    master = ics.vevent("RRULE:FREQ=DAILY")
    cases = {
        "several UIDs": ics.vcalendar(event, ics.vevent(UID="UID:other")),
        "ORGANIZERs": ics.vcalendar(
            master, child.replace("mailto:anna@example.org", "mailto:eve@example.org")
        ),
        "one instance": ics.vcalendar(event, event),
        "does not recur": ics.vcalendar(event, child),
        "one type": ics.vcalendar(master, ics.vevent("RECURRENCE-ID;VALUE=DATE:20260105")),
        "exactly one": ics.vcalendar(event) * 2,
        "complete": ics.vcalendar(event).replace("END:VCALENDAR", ""),
        "nest": ics.vcalendar(event.replace("END:VEVENT", "END:VTODO")),
        "scale": ics.vcalendar(event).replace("VERSION:2.0", "CALSCALE:HEBREW"),
        "more than one METHOD": ics.vcalendar(event).replace("VERSION:2.0", "METHOD:CANCEL"),
        "too large": ics.vcalendar(event) + " " * 5_000_000,
        "components": ics.vcalendar(ics.vevent("BEGIN:VALARM\r\nEND:VALARM\r\n" * 2000)),
        "lines": ics.vcalendar(ics.vevent("COMMENT:x\r\n" * 30_000)),
        "VCALENDAR": "/etc/hostname",
    }
    for message, text in cases.items():
        with pytest.raises(UnreadableError, match=message):
            ics.parse(text)


def test_the_deadline_is_asked_between_events(ics):
    with pytest.raises(UnreadableError, match="time"):
        ics.parse(ics.vcalendar(ics.vevent()), limits=Limits(out_of_time=lambda: True))


@pytest.mark.parametrize(
    "lines",
    [
        ["X-THING;A=b:c", "X-WR-BROKEN", 'X-APPLE-STRUCTURED-LOCATION;X-TITLE="a"b":geo:1,2'],
        ["ATTACH;ENCODING=BASE64;VALUE=BINARY:" + "QUJD" * 500_000],
        ["BEGIN:VALARM\r\nTRIGGER:whenever\r\nEND:VALARM"],
        ["DESCRIPTION:" + "long " * 100_000],
        ["RELATED-TO:", "PRIORITY:5", "CLASS:PUBLIC", "TRANSP:OPAQUE", "STATUS:TENTATIVE"],
    ],
)
def test_what_plays_no_part_does_no_harm(ics, lines):
    began = time.perf_counter()
    assert ics.meeting(*lines).uid == "meeting-1@example.org"
    assert time.perf_counter() - began < 1


def test_the_fields_of_an_instance(ics):
    instance = ics.meeting(
        "SEQUENCE:7", "LOCATION:North\\, 2nd floor", "TRANSP:TRANSPARENT",
        ORGANIZER='ORGANIZER;CN="Berg, Anna";SENT-BY="mailto:Ben@Example.org":MAILTO:Anna@Example.org',
    ).instances[0]  # fmt: skip
    assert instance.version == (7, 1767261600)
    assert instance.location == "North, 2nd floor"
    assert instance.transparent
    assert instance.start.form is Form.ZONED
    organizer = instance.organizer
    assert (organizer.address, organizer.written) == ("anna@example.org", "Anna@Example.org")
    assert (organizer.name, organizer.sent_by) == ("Berg, Anna", "ben@example.org")


def test_floating_times_are_the_resource_s(ics):
    text = ics.vcalendar(ics.vevent(DTSTART="DTSTART:20260105T090000", DTEND="DURATION:PT1H"))
    there = IanaZone("America/New_York")
    starts = [ics.parse(text, zone=zone).instances[0].start for zone in (ics.zone, there)]
    assert [start.form for start in starts] == [Form.FLOATING] * 2
    assert starts[1].epoch - starts[0].epoch == 6 * 3600


def test_the_vtimezone_of_each_message_counts(ics):
    zone = (
        "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
        "TZOFFSETFROM:{0}\r\nTZOFFSETTO:{0}\r\nEND:STANDARD\r\nEND:VTIMEZONE"
    )
    starts = {
        ics.parse(ics.vcalendar(zone.format(offset), ics.vevent())).instances[0].start.epoch
        for offset in ("+0100", "+0500", "-0800")
    }
    assert len(starts) == 3
    assert ics.meeting().instances[0].start.epoch in starts  # none of the others stuck


def test_a_cancel_needs_no_start_and_cancels(ics):
    meeting = ics.meeting("SEQUENCE:3", method="CANCEL", DTSTART=None, DTEND=None)
    assert meeting.instances[0].cancelled
    one = ics.meeting(
        "RECURRENCE-ID;TZID=Europe/Berlin:20260112T090000",
        method="CANCEL",
        DTSTART=None,
        DTEND=None,
    )
    assert one.instances[0].recurrence_id == "20260112T080000Z"
    assert expand(one.instances, HORIZON, Limits()) == ()


def test_instances_without_their_master_do_not_make_a_series(ics):
    meeting = ics.meeting("RECURRENCE-ID;TZID=Europe/Berlin:20260112T090000")
    assert not meeting.recurring
    assert [item.recurrence_id for item in meeting.instances] == ["20260112T080000Z"]
    assert ics.meeting("RDATE:20260108T080000Z").recurring


def test_an_instance_and_all_from_it_on_stand_side_by_side(ics):
    at = "RECURRENCE-ID;TZID=Europe/Berlin{}:20260112T090000"
    one, onwards = (ics.vevent(at.format(reach)) for reach in ("", ";RANGE=THISANDFUTURE"))
    for events in ([one, onwards], [onwards, one], [ics.vevent("RRULE:FREQ=WEEKLY"), onwards, one]):
        ids = [item.recurrence_id for item in ics.parse(ics.vcalendar(*events)).instances]
        assert ids[-2:] == ["20260112T080000Z", "20260112T080000Z" + ONWARDS]


ADDITIONS = [
    # DTSTART of the addition, its canonical id, the RECURRENCE-ID that a reply echoes
    ("DTSTART;TZID=Europe/Berlin:20260107T110000", "20260107T100000Z",
     "RECURRENCE-ID;TZID=Europe/Berlin:20260107T110000"),
    ("DTSTART:20260107T100000Z", "20260107T100000Z", "RECURRENCE-ID:20260107T100000Z"),
    ("dtstart:20260107T110000", "20260107T100000Z", "RECURRENCE-ID:20260107T110000"),
    ("DTSTART;VALUE=DATE:20260107", "20260107", "RECURRENCE-ID;VALUE=DATE:20260107"),
]  # fmt: skip


@pytest.mark.parametrize(("start", "canonical", "line"), ADDITIONS)
def test_an_addition_is_named_by_its_start(ics, start, canonical, line):
    length = "DURATION:P1D" if "DATE" in start else "DURATION:PT1H"
    meeting = ics.meeting("SEQUENCE:1", method="ADD", DTSTART=start, DTEND=length)
    (added,) = meeting.instances
    assert (meeting.method, meeting.recurring) == ("ADD", False)
    assert (added.recurrence_id, added.cancelled) == (canonical, False)
    assert line in added.lines
    (again,) = ics.parse(meeting.source).instances  # kept, and read once more
    assert (again.recurrence_id, again.lines) == (canonical, added.lines)
    (occurrence,) = expand(meeting.instances, HORIZON, Limits())
    assert (occurrence.start, occurrence.recurrence_id) == (added.start.epoch, canonical)


def test_several_additions_of_one_message(ics):
    starts = ["DTSTART:20260108T100000Z", "DTSTART:20260107T100000Z"]
    events = [ics.vevent(DTSTART=start, DTEND="DURATION:PT1H") for start in starts]
    ids = [item.recurrence_id for item in ics.parse(ics.vcalendar(*events, method="ADD")).instances]
    assert ids == ["20260107T100000Z", "20260108T100000Z"]


@pytest.mark.parametrize(
    ("changed", "lines", "message"),
    [
        ({}, ["RRULE:FREQ=WEEKLY"], "RRULE"),
        ({}, ["RDATE:20260112T080000Z"], "RDATE"),
        ({}, ["RECURRENCE-ID:20260105T080000Z"], "RECURRENCE-ID"),
        ({}, ["STATUS:CANCELLED"], "cancelled"),
        ({"DTSTART": None}, [], "no DTSTART"),
        ({"DTSTART": "DTSTART:soon"}, [], "DTSTART|RECURRENCE-ID"),
        ({"DTSTART": "DTSTART;RANGE=THISANDFUTURE:20260105T080000Z"}, [], "RANGE"),
    ],
)
def test_an_addition_that_is_no_single_instance_is_unreadable(ics, changed, lines, message):
    with pytest.raises(UnreadableError, match=message):
        ics.meeting(*lines, method="ADD", **changed)


def test_the_same_addition_twice_is_unreadable(ics):
    with pytest.raises(UnreadableError, match="one instance"):
        ics.parse(ics.vcalendar(ics.vevent(), ics.vevent(), method="ADD"))


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("ATTENDEE:mailto:Room@Example.org", "room@example.org"),
        ("ATTENDEE:MAILTO:room@example.org", "room@example.org"),
        ("ATTENDEE:mailto: room@example.org", "room@example.org"),
        ("ATTENDEE:room@example.org", "room@example.org"),
        ("ATTENDEE;EMAIL=room@example.org:urn:uuid:1234", "room@example.org"),
        ("ATTENDEE;CN=\"a:b;c\":mailto:room@example.org", "room@example.org"),
        ("ATTENDEE:mailto:room@xn--bcher-kva.example", "room@bücher.example"),
    ],
)  # fmt: skip
def test_attendees_are_found_by_any_of_the_resource_s_addresses(ics, line, address):
    instance = ics.meeting(ATTENDEE=line).instances[0]
    found = attendee_for(instance, {"alias@example.org", address})
    assert found is not None
    assert found.address == address
    assert found.line == line
    assert attendee_for(instance, {"other@example.org"}) is None


@pytest.mark.parametrize("value", ["urn:uuid:1", "mailto:", "mailto:@", "mailto:a b@example.org"])
def test_attendees_without_an_address_are_left_out(ics, value):
    assert ics.meeting(ATTENDEE=f"ATTENDEE:{value}").instances[0].attendees == ()


@given(st.text(max_size=200))
def test_any_text_is_a_meeting_or_a_reason(text):
    try:
        parse_meeting(text, BERLIN, Limits())
    except NotForBookingError as error:
        assert str(error)


@given(st.lists(st.sampled_from([
    "BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "METHOD:REQUEST", "METHOD:ADD", "UID:1",
    "DTSTAMP:20260101T000000Z", "DTSTART:20260101T000000Z", "DTSTART;VALUE=DATE:20260101",
    "ORGANIZER:mailto:a@example.org", "DURATION:P1D", "RRULE:FREQ=DAILY", "RDATE:20260102",
    "RECURRENCE-ID:20260101", "BEGIN:VTIMEZONE", "TZID:X", "END:VTIMEZONE", "BEGIN:STANDARD",
    "END:STANDARD", "ATTENDEE;=:", "EXDATE;TZID=X:20260101T000000", "\x00", ":", ";",
]), max_size=25))  # fmt: skip
def test_any_lines_are_a_meeting_or_a_reason(lines):
    try:
        meeting = parse_meeting("\r\n".join(lines), BERLIN, Limits())
        expand(meeting.instances, HORIZON, Limits())
    except NotForBookingError as error:
        assert str(error)
