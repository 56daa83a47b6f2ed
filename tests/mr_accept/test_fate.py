"""The fate of a meeting message, as tables."""

import pytest

from mr_accept.fate import (
    Fate,
    Known,
    Order,
    Origin,
    StoredOrganizer,
    compare,
    fate_of_cancel,
    fate_of_request,
    known_of,
    organizer_obeyed,
    reply_allowed,
    strictly_obeyed,
)
from mr_accept.model import CalendarUser

BOOKED = Known((2, 1000))
CANCELLED = Known((2, 1000), cancelled=True)


@pytest.mark.parametrize(
    ("stored", "version", "order"),
    [
        (None, (0, 0), Order.NEW),
        (BOOKED, (3, 1), Order.NEWER),  # SEQUENCE goes before DTSTAMP
        (BOOKED, (2, 1001), Order.NEWER),
        (BOOKED, (2, 1000), Order.EQUAL),
        (BOOKED, (2, 999), Order.OLDER),
        (BOOKED, (1, 9999), Order.OLDER),
    ],
)
def test_order(stored, version, order):
    assert compare(stored, version) is order


@pytest.mark.parametrize(
    ("stored", "version", "request_", "cancel"),
    [
        (None, (0, 0), None, Fate.TOMBSTONE),
        (BOOKED, (3, 0), None, Fate.FREED),
        (BOOKED, (2, 1001), None, Fate.FREED),
        (BOOKED, (2, 1000), Fate.REPEATED, Fate.FREED),
        (BOOKED, (2, 999), Fate.STALE, Fate.STALE),
        (CANCELLED, (3, 0), None, Fate.FREED),  # invited again
        (CANCELLED, (2, 1000), Fate.STALE, Fate.FREED),
        (CANCELLED, (1, 0), Fate.STALE, Fate.STALE),  # a request that comes late
    ],
)
def test_fates(stored, version, request_, cancel):
    assert fate_of_request(stored, version) is request_
    assert fate_of_cancel(stored, version) is cancel


@pytest.mark.parametrize(
    ("own", "master", "known"),
    [
        (None, None, None),
        (BOOKED, None, BOOKED),
        (None, BOOKED, None),
        (BOOKED, Known((9, 9)), BOOKED),
        (None, CANCELLED, CANCELLED),
        (Known((1, 0)), CANCELLED, CANCELLED),
        (BOOKED, CANCELLED, CANCELLED),  # of the same revision
        (Known((3, 0)), CANCELLED, CANCELLED),  # DTSTAMP tells which of two lineages is newer
        (Known((0, 1001)), CANCELLED, Known((0, 1001))),
        (Known((3, 1000)), CANCELLED, Known((3, 1000))),
    ],
)
def test_a_cancelled_master_covers_its_instances(own, master, known):
    assert known_of(own, master) == known


ANNA = CalendarUser("anna@example.org", "Anna@Example.org")
BY_BEN = CalendarUser("anna@example.org", "anna@example.org", sent_by="ben@example.org")
EVE = CalendarUser("eve@example.org", "eve@example.org")
NOBODY = CalendarUser("", "")
FROM_SYSTEM = Origin("calendar@example.net")

OBEYED = [
    # organizer in the mail, From and Sender, stored, whether it may change the booking
    (ANNA, Origin("eve@example.org"), None, True),
    (ANNA, Origin("ANNA@example.org"), Origin("anna@example.org"), True),
    (ANNA, Origin("x@example.org", "anna@example.org"), Origin("anna@example.org"), True),
    (ANNA, Origin("eve@example.org"), Origin("anna@example.org"), False),
    (ANNA, Origin(""), Origin("anna@example.org"), False),
    (ANNA, Origin(""), Origin(""), False),  # nobody is not the same as nobody
    (EVE, Origin("eve@example.org"), Origin("anna@example.org"), False),
    (EVE, Origin("anna@example.org"), Origin("anna@example.org"), False),
    (BY_BEN, Origin("ben@example.org"), Origin("anna@example.org"), True),
    (BY_BEN, Origin("eve@example.org"), Origin("anna@example.org"), False),
    (ANNA, FROM_SYSTEM, FROM_SYSTEM, True),  # the same system as for the first request
    (ANNA, FROM_SYSTEM, Origin("anna@example.org"), False),
    (ANNA, Origin("calendar@example.net", "eve@example.org"), FROM_SYSTEM, False),
]


@pytest.mark.parametrize(("organizer", "origin", "first", "obeyed"), OBEYED)
def test_who_is_obeyed(organizer, origin, first, obeyed):
    stored = StoredOrganizer("anna@example.org", first) if first else None
    assert organizer_obeyed(organizer, origin, stored) is obeyed


@pytest.mark.parametrize(
    ("organizer", "origin", "allowed"),
    [
        (ANNA, Origin("anna@example.org"), True),
        (ANNA, Origin("x@example.org", "Anna@example.org"), True),
        (BY_BEN, Origin("ben@example.org"), True),
        (ANNA, Origin("eve@example.org"), False),
        (ANNA, Origin(""), False),
        (NOBODY, Origin(""), False),
        (EVE, Origin("eve@example.org"), False),  # one of the resource's own addresses
    ],
)
def test_to_whom_a_reply_may_go(organizer, origin, allowed):
    assert reply_allowed(organizer, origin, own={"eve@example.org"}) is allowed


TIED = [
    # organizer in the mail, From and Sender: tied by what the directory knows
    (ANNA, Origin("berg@example.org"), True),
    (ANNA, Origin("x@example.org", "BERG@example.org"), True),
    (CalendarUser("berg@example.org", ""), Origin("anna@example.org"), True),
    (BY_BEN, Origin("benjamin@example.org"), True),
    (ANNA, Origin("benjamin@example.org"), False),
    (ANNA, Origin("eve@example.org"), False),
    (ANNA, Origin(""), False),
]
PERSONS = [{"anna@example.org", "berg@example.org"}, {"ben@example.org", "benjamin@example.org"}]


def known_as(address):
    return next((frozenset(one) for one in PERSONS if address in one), frozenset({address}))


@pytest.mark.parametrize(("organizer", "origin", "tied"), TIED)
def test_two_addresses_of_one_person_are_the_same(organizer, origin, tied):
    for first in ("anna@example.org", "berg@example.org"):
        stored = StoredOrganizer(first, Origin("somebody@example.org"))
        assert organizer_obeyed(organizer, origin, stored, known_as=known_as) is tied
        assert strictly_obeyed(organizer, origin, stored, known_as=known_as) is tied
    assert reply_allowed(organizer, origin, known_as=known_as) is tied
    assert not organizer_obeyed(
        organizer, origin, StoredOrganizer("ben@example.org", Origin("")), known_as=known_as
    )


def test_the_directory_is_not_asked_where_the_addresses_are_equal():
    def nobody_knows(address):
        raise AssertionError(address)

    stored = StoredOrganizer("anna@example.org", Origin("eve@example.org"))
    origin = Origin("Anna@Example.org")
    assert organizer_obeyed(ANNA, origin, stored, known_as=nobody_knows)
    assert strictly_obeyed(ANNA, origin, stored, known_as=nobody_knows)
    assert reply_allowed(ANNA, origin, known_as=nobody_knows)


def test_the_pair_of_the_first_request_does_not_leave_a_resource_out():
    stored = StoredOrganizer("anna@example.org", FROM_SYSTEM)
    assert organizer_obeyed(ANNA, FROM_SYSTEM, stored)
    assert not strictly_obeyed(ANNA, FROM_SYSTEM, stored)
    assert not strictly_obeyed(ANNA, Origin("anna@example.org"), None)  # nothing to free


@pytest.mark.parametrize(("vouched", "trusted"), [(None, True), (True, True), (False, False)])
def test_a_sender_whom_the_mx_could_not_authenticate(vouched, trusted):
    origin = Origin("anna@example.org")
    stored = StoredOrganizer("anna@example.org", origin)
    assert organizer_obeyed(ANNA, origin, stored, vouched=vouched) is trusted
    assert strictly_obeyed(ANNA, origin, stored, vouched=vouched) is trusted
    assert reply_allowed(ANNA, origin, vouched=vouched) is trusted
    assert organizer_obeyed(ANNA, origin, None, vouched=vouched)  # there is nothing to protect


BY_EVE = CalendarUser("anna@example.org", "anna@example.org", sent_by="eve@example.com")


@pytest.mark.parametrize(
    ("organizer", "origin", "obeyed"),
    [
        (ANNA, Origin("anna@example.org"), True),
        (BY_BEN, Origin("ben@example.org"), True),
        (BY_EVE, Origin("eve@example.com"), False),  # anybody can name themselves as SENT-BY
        (ANNA, Origin("eve@example.com", "anna@example.org"), False),  # From alone is vouched for
    ],
)
def test_what_the_mx_has_vouched_for_is_from_alone(organizer, origin, obeyed):
    stored = StoredOrganizer("anna@example.org", Origin("somebody@example.org"))
    for is_obeyed in (organizer_obeyed, strictly_obeyed):
        assert is_obeyed(organizer, origin, stored)  # nobody was asked: what the mail says
        assert is_obeyed(organizer, origin, stored, vouched=True) is obeyed


@pytest.mark.parametrize(
    ("from_", "allowed"), [("dora@example.com", True), ("eve@example.org", False)]
)
def test_who_sends_the_resource_instead_is_answered_but_changes_nothing(from_, allowed):
    origin = Origin(from_)
    assert reply_allowed(ANNA, origin, delegator="dora@example.com") is allowed
    assert not organizer_obeyed(ANNA, origin, StoredOrganizer("anna@example.org", Origin("")))


def test_stored_values_do_not_change():
    assert {fate.value for fate in Fate} == {
        "accepted", "declined", "repeated", "stale", "freed", "tombstone", "not_obeyed",
        "ordinary", "gave_up", "failed", "past",
    }  # fmt: skip
