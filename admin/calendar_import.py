"""Booking what an iCalendar file holds, as when a resource moves here from another system."""

from admin.context import Installation
from admin.files import read_text_file
from admin.options import Options
from admin.output import counted, iso_time, say
from mr_accept.import_calendar import import_calendar


def import_file(installation: Installation, options: Options) -> None:
    """Book what a file holds; what could not be booked, and what clashes, is shown."""
    assert options.import_calendar is not None
    name, file = options.import_calendar
    recipient = installation.recipient(name)
    zone = installation.zone_of(recipient)
    text = read_text_file(file)
    report = import_calendar(installation.database, recipient, text, installation.settings)
    say(f"{counted(report.imported, 'booking')} imported for {recipient.user.name}.")
    for uid, why in report.skipped:
        say(f"Skipped {uid}: {why}")
    for summary, start, end in report.clashes:
        say(f"Clashes: {summary}, {iso_time(start, zone)} to {iso_time(end, zone)}")
