"""A resource's rules as text: what can be typed, what is kept, and what is said about the rest."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.errors import UsageError
from mailcore.settings import BookingSettings, Settings
from mr_accept.decision import Reason
from mr_accept.model import UnreadableError
from mr_accept.policies import load_policy
from mr_accept.policy import BookingPolicy
from mr_accept.policy_text import key_called, policy_keys, read_policy, read_value, write_value
from store.booking_policies import load_policy_values, save_policy_values
from tests.support.booking_desk import Room
from tests.support.meetings import at

EVENT = "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20260101\r\nEND:VEVENT\r\n"
FILE = f"BEGIN:VCALENDAR\r\n{EVENT}END:VCALENDAR\r\n"

GOOD = [
    # key, what is typed, what it means, what is kept
    ("booking_window_days", "180", 180, "180"),
    ("booking_window_days", "0", 0, "0"),
    ("booking_window_days", "3650", 3650, "3650"),
    ("enforce_horizon", "YES", True, "yes"),
    ("enforce_horizon", "no", False, "no"),
    ("lead_time_minutes", " 090 ", 90, "90"),
    ("min_duration_minutes", "15", 15, "15"),
    ("max_duration_minutes", "480", 480, "480"),
    ("max_series_days", "366", 366, "366"),
    ("work_days", "fri,mon, Tue", frozenset({0, 1, 4}), "mon,tue,fri"),
    ("work_days", "Monday-Friday", frozenset(range(5)), "mon,tue,wed,thu,fri"),
    ("work_days", "sat-mon", frozenset({5, 6, 0}), "mon,sat,sun"),
    ("work_hours", "08:00-18:00", (480, 1080), "08:00-18:00"),
    ("work_hours", "8:30 - 24:00", (510, 1440), "08:30-24:00"),
    ("work_hours", "0:00-0:01", (0, 1), "00:00-00:01"),
    ("holidays", FILE, FILE.strip(), FILE.strip()),
    (
        "book_in_policy",
        "anna@example.org,, The Staff ,@example.net,anna@example.org",
        ("anna@example.org", "The Staff", "@example.net"),
        "anna@example.org, The Staff, @example.net",
    ),
    ("book_out_of_policy", "boss", ("boss",), "boss"),
    ("allow_external", "no", False, "no"),
    ("enforce_capacity", "yes", True, "yes"),
    ("seats", "12", 12, "12"),
    ("max_conflicts", "0", 0, "0"),
    ("max_conflict_percent", "100", 100, "100"),
    ("partial_reply", "Separate", "separate", "separate"),
    ("on_failed_update", "release", "release", "release"),
    ("past_requests", "accept", "accept", "accept"),
    ("strip_subject", "yes", True, "yes"),
    ("strip_body", "yes", True, "yes"),
    ("strip_attachments", "yes", True, "yes"),
    ("organizer_prefix", "yes", True, "yes"),
    ("remove_private", "yes", True, "yes"),
    ("processed_requests", "inbox", "inbox", "inbox"),
    ("reply_text", "Doors: ask Carla.\nThank you", "Doors: ask Carla.\nThank you", None),
    ("show_holder", "yes", True, "yes"),
    ("owner", "a@example.org, b@example.org", ("a@example.org", "b@example.org"), None),
]
BAD = [
    ("booking_window_days", "3651", "a whole number from 0 to 3650"),
    ("booking_window_days", "-1", "a whole number"),
    ("booking_window_days", "1e3", "a whole number"),
    ("lead_time_minutes", "\u0665", "a whole number"),  # a digit, but not one of ours
    ("min_duration_minutes", "9" * 5000, "a whole number"),
    ("enforce_horizon", "true", "yes or no"),
    ("work_days", "mon,", "weekdays such as"),
    ("work_days", "mon-xyz", "weekdays such as"),
    ("work_hours", "8-18", "HH:MM-HH:MM"),
    ("work_hours", "08:00-24:01", "HH:MM-HH:MM"),
    ("work_hours", "08:60-18:00", "HH:MM-HH:MM"),
    ("work_hours", "22:00-06:00", "ends before it begins"),
    ("work_hours", "08:00-08:00", "ends before it begins"),
    ("holidays", "New Year", "an iCalendar file with days off"),
    ("holidays", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "no event in it that lasts a whole day"),
    ("book_in_policy", ",", "addresses, names of users or groups"),
    ("book_in_policy", "<anna@example.org>", "is no name and no address"),
    ("book_in_policy", "anna@", "is no address"),
    ("book_in_policy", "a@b@c", "is no address"),
    ("book_out_of_policy", "an\x07na", "is no name and no address"),
    ("book_out_of_policy", "x" * 255, "is no name and no address"),
    ("book_in_policy", ",".join(map(str, range(501))), "a group can hold more"),
    ("max_conflict_percent", "101", "a whole number from 0 to 100"),
    ("partial_reply", "two-mails", "one-mail or separate"),
    ("on_failed_update", "drop", "keep or release"),
    ("past_requests", "yes", "ignore or decline or accept"),
    ("processed_requests", "trash", "deleted-items or drop or inbox"),
    ("reply_text", "a\0b", "contains a NUL"),
    ("reply_text", "x" * 10_001, "longer than 10000 characters"),
    ("owner", "anna", "is no address"),
    ("owner", "@example.org", "is no address"),
]


def test_the_table_names_every_key() -> None:
    assert {key for key, *_ in GOOD} == set(policy_keys())
    undeclared = {field.name for field in fields(BookingPolicy)} - set(policy_keys())
    assert undeclared == {"capacity", "decline_conflict", "decline_recurring", "absence"}


@pytest.mark.parametrize(("key", "typed", "value", "kept"), GOOD)
def test_good_values(key: str, typed: str, value: object, kept: str | None) -> None:
    read = read_value(key, typed)
    assert read == value
    assert write_value(key, read) == (typed if kept is None else kept)
    assert getattr(read_policy({key: typed}), key) == value
    assert read_value(key, write_value(key, read)) == read


@pytest.mark.parametrize(("key", "typed", "expected"), BAD)
def test_bad_values_are_named_with_what_was_expected_and_an_example(
    key: str, typed: str, expected: str
) -> None:
    with pytest.raises(UsageError) as caught:
        read_policy({key: typed})
    text = str(caught.value)
    assert text.startswith(f"{key}=")
    assert expected in text
    assert f"for example {key}=" in text
    assert len(text) < 500


@pytest.mark.parametrize("key", policy_keys())
def test_each_key_has_a_default_that_is_kept_as_text(key: str) -> None:
    default = getattr(BookingPolicy(), key)
    text = write_value(key, default)
    assert not text or read_value(key, text) == default


@pytest.mark.parametrize("key", [key for key in policy_keys() if key not in ("holidays",)])
def test_each_example_is_good_and_not_the_default(key: str) -> None:
    (example,) = [one.metadata["example"] for one in fields(BookingPolicy) if one.name == key]
    assert read_value(key, example) != getattr(BookingPolicy(), key)


@given(st.sampled_from(policy_keys()), st.text(max_size=30))
def test_whatever_is_typed_is_refused_or_kept_for_good(key: str, typed: str) -> None:
    try:
        value = read_value(key, typed)
    except UsageError:
        return
    kept = write_value(key, value)
    assert read_value(key, kept) == value
    assert write_value(key, read_value(key, kept)) == kept


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("lead_time", "did you mean lead_time_minutes?"),
        ("conflicts", "did you mean max_conflicts"),
        ("frobnicate", "there are: booking_window_days, "),
        ("capacity", "kopano-admin -u RESOURCE --capacity N sets it"),
        ("mr-accept", "kopano-admin -u RESOURCE --mr-accept yes|no sets it"),
        ("mr_decline_conflict", "--mr-decline-conflict yes|no sets it"),
        ("decline_recurring", "--mr-decline-recurring yes|no sets it"),
        ("timezone", "--timezone ZONE sets it"),
        ("absence", "no rule is called 'absence'"),
        ("", "there are: "),
    ],
)
def test_what_is_no_key_leads_to_what_was_meant(name: str, says: str) -> None:
    with pytest.raises(UsageError, match="no rule") as caught:
        key_called(name)
    assert says in str(caught.value)


def test_no_length_at_all_could_be_booked() -> None:
    read_policy({"min_duration_minutes": "60", "max_duration_minutes": "60"})
    read_policy({"min_duration_minutes": "60", "max_duration_minutes": "0"})
    with pytest.raises(UsageError, match="min_duration_minutes=61 is above max_duration_minutes"):
        read_policy({"min_duration_minutes": "61", "max_duration_minutes": "60"})
    with pytest.raises(UsageError, match="min_duration_minutes"):
        read_policy({"min_duration_minutes": "61"}, BookingPolicy(max_duration_minutes=60))


@pytest.fixture
def settings() -> Iterator[Settings]:
    yield Settings(booking=BookingSettings(booking_window_days=90, processed_requests="drop"))


def kept(room: Room, **values: str | None) -> None:
    with room.desk.database.write() as connection:
        save_policy_values(connection, room.store_id, values)


def loaded(room: Room, settings: Settings) -> BookingPolicy:
    with room.desk.database.read() as connection:
        return load_policy(connection, room.recipient, settings)


def test_the_rules_of_a_resource_are_its_own_its_users_and_the_settings(
    room: Room, settings: Settings
) -> None:
    assert loaded(room, settings) == BookingPolicy(
        booking_window_days=90, processed_requests="drop"
    )
    kept(room, booking_window_days="30", work_days="mon,tue", max_conflicts="0")
    kept(room, work_days=None)
    assert loaded(room, settings) == BookingPolicy(
        booking_window_days=30, processed_requests="drop", max_conflicts=0
    )


def test_equipment_brings_its_places(room: Room, settings: Settings) -> None:
    pool = room.desk.room(capacity=3, mr_decline_conflict=False, mr_decline_recurring=True)
    policy = loaded(pool, settings)
    assert (policy.capacity, policy.seats) == (3, 3)
    assert (policy.decline_conflict, policy.decline_recurring) == (False, True)
    kept(pool, seats="0")
    assert loaded(pool, settings).seats == 0


def test_the_values_of_one_resource_are_no_other_ones(room: Room, settings: Settings) -> None:
    other = room.desk.room()
    kept(room, lead_time_minutes="60")
    kept(other, lead_time_minutes="5")
    kept(room, lead_time_minutes=None)
    assert loaded(other, settings).lead_time_minutes == 5
    with room.desk.database.read() as connection:
        assert load_policy_values(connection, room.store_id) == {}


@pytest.mark.parametrize(("key", "text"), [("not_of_this_version", "1"), ("work_days", "8")])
def test_rules_that_are_not_understood_are_no_rules_to_book_by(
    room: Room, settings: Settings, key: str, text: str
) -> None:
    kept(room, **{key: text})
    with pytest.raises(UnreadableError) as caught:
        loaded(room, settings)
    assert room.recipient.user.name in str(caught.value)
    assert key in str(caught.value)


def test_the_guide_has_every_key_as_it_is_declared() -> None:
    page = (Path(__file__).parents[2] / "docs" / "booking.md").read_text(encoding="utf-8")
    for one in fields(BookingPolicy):
        said = one.metadata
        if said:
            default = write_value(one.name, one.default) or "none"
            row = f"| `{one.name}` | {default} | {said['unit']} | `{said['example']}` | {said['meaning']} |"
            assert row in page.splitlines()


def test_a_request_under_rules_that_are_not_understood_is_ordinary_mail(room: Room) -> None:
    kept(room, not_of_this_version="1")
    outcome = room.ask("one", at(9))
    assert outcome.fate == "ordinary"
    assert "not_of_this_version" in outcome.reason
    assert room.held() == []
    assert len(room.mails("Inbox")) == 1
    kept(room, not_of_this_version=None)
    assert room.ask("one", at(9)).fate == "accepted"


def test_the_next_request_meets_what_has_just_been_set(room: Room) -> None:
    assert room.ask("before", at(9)).fate == "accepted"
    kept(room, work_hours="10:00-12:00")
    outcome = room.ask("after", at(14))
    assert (outcome.fate, outcome.reason) == ("declined", Reason.OUTSIDE_HOURS.value)
    assert room.ask("inside", at(10)).fate == "accepted"
    assert room.ask("before", at(9), sequence=1, summary="New title").fate == "accepted"
    kept(room, work_hours=None)
    assert room.ask("after", at(14), sequence=1).fate == "accepted"
