"""The archive: a copy of what is delivered, in a folder of the recipient's own mailbox or of another one."""

from delivery.arrival import Arrival, ForeignFolder
from delivery.filing import filing
from mailcore.errors import TemporaryError
from mailcore.settings import DeliverySettings
from store.plan import SEEN, Filing, NewFolder


def archive_filing(arrival: Arrival, settings: DeliverySettings) -> Filing | None:
    """The copy for the archive, marked as read; None without an archive.

    Raises TemporaryError when the archive is in another mailbox and cannot be had: what is not archived is not
    delivered either, until an administrator has mended it.
    """
    if not settings.archive_folder:
        return None
    if not settings.archive_store:
        mailbox = arrival.recipient.mailbox
        folder_id = mailbox.folder_of(settings.archive_folder)
        place = folder_id or NewFolder(mailbox.id, settings.archive_folder)
        return filing(arrival, place, SEEN)
    found = arrival.foreign.get((settings.archive_store, settings.archive_folder))
    if not isinstance(found, ForeignFolder):
        raise TemporaryError(
            f"archive folder {settings.archive_folder!r} of {settings.archive_store}: {found or 'not known'}"
        )
    return filing(arrival, found.folder_id, SEEN, store_id=found.store_id)
