"""One meeting message for one resource, read and ready to be settled: what it says, and who sent it."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailcore.authentication import vouched
from mailcore.inside import domain_of
from mailcore.settings import Settings
from mailcore.view import MessageView
from mr_accept.asking import Asked, limits_of, read_request
from mr_accept.booking_rows import Held, zone_of
from mr_accept.fate import (
    UNTIED,
    UNVOUCHED,
    StoredOrganizer,
    organizer_obeyed,
    reply_allowed,
    strictly_obeyed,
)
from mr_accept.people import People
from mr_accept.policy import BookingPolicy
from mr_accept.reply import Request
from store.bookings import BookingRow
from store.jobs import Job
from store.mailboxes import INBOX, TRASH
from store.message import prepare_message
from store.plan import SEEN, Filing, StorePlan, Submission
from userstore.resolve import Directory, Recipient

_TO_ITSELF = "no reply: the organizer is the resource itself"


@dataclass(frozen=True, slots=True)
class Work:
    """A message; without a `job` it is only rehearsed.

    `vouched` is what the own MX found out about the sender, None where it was not asked (see mr_accept/fate.py).  `now`
    is in epoch seconds.
    """

    job: Job | None
    asked: Asked
    recipient: Recipient
    people: People
    vouched: bool | None
    now: int

    @property
    def answers(self) -> bool:
        """Whether the organizer may get an automatic reply."""
        asked = self.asked
        return reply_allowed(
            asked.meeting.organizer,
            asked.origin,
            asked.own,
            known_as=self.people.known_as,
            delegator=asked.delegator,
            vouched=self.vouched,
        )

    @property
    def silence(self) -> str:
        """Why the organizer does not get one."""
        if self.asked.meeting.organizer.address in self.asked.own:
            return _TO_ITSELF
        return UNVOUCHED if self.vouched is False else UNTIED

    @property
    def request(self) -> Request:
        """What threading needs of the message."""
        view = self.asked.view
        return Request(view.message_id, view.header("References") or "")

    def obeyed(self, stored: StoredOrganizer | None) -> bool:
        """Whether the message may change a booking with that organizer."""
        organizer, known_as = self.asked.meeting.organizer, self.people.known_as
        return organizer_obeyed(
            organizer, self.asked.origin, stored, known_as=known_as, vouched=self.vouched
        )

    def strictly_obeyed(self, stored: StoredOrganizer | None) -> bool:
        """Whether it certainly comes from the organizer of that booking."""
        organizer, known_as = self.asked.meeting.organizer, self.people.known_as
        return strictly_obeyed(
            organizer, self.asked.origin, stored, known_as=known_as, vouched=self.vouched
        )

    def is_organizer(self, address: str) -> bool:
        """Whether an address (folded) is the organizer's."""
        organizer = self.asked.meeting.organizer.address
        return address == organizer or address in self.people.known_as(organizer)

    @property
    def tied(self) -> bool:
        """Whether it comes from the organizer that it names."""
        return reply_allowed(
            self.asked.meeting.organizer,
            self.asked.origin,
            known_as=self.people.known_as,
            vouched=self.vouched,
        )

    def given_up(self, held: Held) -> Sequence[BookingRow]:
        """What is stored of its UID and goes for the message, instead of being compared with it.

        What is another organizer's and holds nothing: a trace protects nothing.  And, for a message that is tied to its
        organizer, what nobody tied to them has asked for, of the whole or of the instances that it is about: who is
        quicker with a copy, or with a forged SEQUENCE, does not keep the organizer out.
        """
        stored = held.organizer()
        if stored is None:
            return ()
        if not self.is_organizer(stored.address):
            return () if held.booked else held.stored
        named = {item.recurrence_id for item in self.asked.instances}
        about = [row for row in held.unproven if "" in named or row.recurrence_id in named]
        return about if about and self.tied else ()

    def stranger(self, held: Held) -> str:
        """The words for a sender who is not obeyed."""
        who = self.asked.origin.from_ or "a mail without From"
        stored = held.organizer()
        owner = stored.address if stored else self.asked.meeting.organizer.address
        forged = "; its domain could not be authenticated" if self.vouched is False else ""
        return f"{who} may not change the meeting of {owner}{forged}"

    def processed(self, policy: BookingPolicy, now: float) -> Submission:
        """The message itself, filed where the policy wants it; `now` in epoch seconds."""
        recipient, where = self.recipient, policy.processed_requests
        special = recipient.mailbox.special
        filings: tuple[Filing, ...] = ()
        if where != "drop" and self.job is not None:
            folder = special[INBOX] if where == "inbox" else special.get(TRASH, special[INBOX])
            filings = (Filing(folder, self.job.trace, now, flags=SEEN, imap=recipient.imap),)
        message = prepare_message(self.asked.view, imap=recipient.imap)
        return Submission(message, (StorePlan(recipient.mailbox.id, filings),))


def open_work(
    content: bytes,
    rcpt_to: str,
    recipient: Recipient,
    directory: Directory,
    settings: Settings,
    now: int,
    job: Job | None,
) -> Work:
    """Read a message for a resource that it reached as `rcpt_to`; raises NotForBookingError for ordinary mail."""
    asked = read_request(
        MessageView(content),
        (*recipient.user.addresses, rcpt_to),
        zone_of(recipient, settings),
        limits_of(settings.booking, now),
    )
    domain = domain_of(asked.origin.from_)
    vouching = vouched(asked.view, settings.booking.trusted_authserv_id, domain)
    return Work(job, asked, recipient, People(directory), vouching, now)
