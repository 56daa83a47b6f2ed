"""Loading a resource's rules for booking, and what its absence makes of them."""

from dataclasses import replace

from sqlalchemy import Connection

from mailcore.errors import UsageError
from mailcore.html_text import is_html, text_of_html
from mailcore.inside import domain_of, inside_of, read_domains
from mailcore.settings import Settings
from mailcore.window import within
from mr_accept.model import UnreadableError
from mr_accept.policy import BookingPolicy
from mr_accept.policy_text import read_policy
from store.booking_policies import load_policy_values
from userstore.resolve import Recipient


def default_policy(recipient: Recipient, settings: Settings) -> BookingPolicy:
    """The rules of a resource for which nothing has been set by --set-policy.

    A capacity in the directory above 1 says how many seats there are; 1 is what everybody has who was given none.
    """
    capacity = recipient.user.capacity
    return BookingPolicy(
        capacity=recipient.user.places,
        seats=capacity if capacity > 1 else 0,
        decline_conflict=recipient.mailbox.mr_decline_conflict,
        decline_recurring=recipient.mailbox.mr_decline_recurring,
        booking_window_days=settings.booking.booking_window_days,
        processed_requests=settings.booking.processed_requests,
    )


def load_policy(connection: Connection, recipient: Recipient, settings: Settings) -> BookingPolicy:
    """The rules of a resource.

    Raises UnreadableError when something has been set that this version does not understand: nothing is booked by
    rules that are not known, and the message becomes ordinary mail.
    """
    values = load_policy_values(connection, recipient.mailbox.id)
    try:
        return read_policy(values, default_policy(recipient, settings))
    except UsageError as error:
        name = recipient.user.name
        raise UnreadableError(f"the policy of {name} cannot be read: {error}") from error


def policy_for(
    connection: Connection, recipient: Recipient, organizer: str, settings: Settings, now: float
) -> BookingPolicy:
    """The rules for what an organizer asks at `now` (epoch seconds): as they are, or those of an absence.

    Raises UnreadableError as `load_policy` does.
    """
    absence = _absence(recipient, organizer, settings, now)
    return replace(load_policy(connection, recipient, settings), absence=absence)


def _absence(recipient: Recipient, organizer: str, settings: Settings, now: float) -> str | None:
    """The out-of-office text for an organizer, while the mailbox declines meetings because of its absence; else None.

    Who is outside gets an empty text unless everybody there is answered.
    """
    oof = recipient.mailbox.oof
    if oof is None or not (oof.enabled and oof.decline_meetings):
        return None
    if not within(now, oof.starts_at, oof.ends_at):
        return None
    domains = read_domains(settings.delivery.internal_domains)
    if domain_of(organizer) in inside_of(recipient.user.addresses, domains):
        text = oof.internal_message or oof.message
    else:
        text = (oof.external_message or oof.message) if oof.external == "all" else ""
    return text_of_html(text) if is_html(text) else text
