"""Repairing calendars: cancelling by hand and rebuilding."""

from collections.abc import Iterator

from sqlalchemy import select

from admin.context import Installation
from admin.options import Options
from admin.output import counted, say
from mailcore.errors import NoSuchRecipientError
from mr_accept.upkeep import cancel_booking, rebuild_occurrences
from store.schema import booking, calendar, mailbox_store
from userstore.resolve import Recipient


def cancel(installation: Installation, options: Options) -> None:
    """Free a whole booking, or one occurrence of it; the organiser is not told."""
    assert options.cancel_booking is not None
    name, uid = options.cancel_booking
    recurrence_id = options.words[0] if options.words else ""
    recipient = installation.recipient(name)
    database, settings = installation.database, installation.settings
    freed = cancel_booking(database, recipient, settings, uid, recurrence_id)
    say(f"Booking cancelled: {counted(freed, 'occurrence')} freed.")


def rebuild(installation: Installation, options: Options) -> None:
    """Work out the occurrences of one resource's bookings, or of everybody's; safe to repeat."""
    for recipient in asked_for(installation, options.rebuild_occurrences):
        written = rebuild_occurrences(installation.database, recipient, installation.settings)
        say(f"{recipient.user.name}: {counted(written, 'occurrence')} written.")


def asked_for(installation: Installation, name: str | None) -> Iterator[Recipient]:
    """The one resource named, or everybody whose calendar holds something."""
    if name:
        yield installation.recipient(name)
        return
    query = (
        select(mailbox_store.c.id)
        .where(
            mailbox_store.c.external_id.is_not(None),
            mailbox_store.c.id.in_(select(calendar.c.store_id).join(booking)),
        )
        .order_by(mailbox_store.c.owner_name)
    )
    with installation.database.read() as connection:
        stores = list(connection.execute(query).scalars())
    for store_id in stores:
        try:
            yield installation.directory.by_store(store_id)
        except NoSuchRecipientError:
            continue  # gone from a directory elsewhere, and so nobody can book it
