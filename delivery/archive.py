"""The archive: a copy of what is delivered, in a folder of the recipient's own mailbox or of another one."""

from delivery.arrival import Arrival
from delivery.filing import filing, place_of
from mailcore.errors import TemporaryError
from mailcore.settings import DeliverySettings
from store.plan import SEEN, Filing


def archive_filing(arrival: Arrival, settings: DeliverySettings) -> Filing | None:
    """The copy for the archive, marked as read; None without an archive.

    Raises TemporaryError when the archive is in another mailbox and cannot be had: what is not archived is not
    delivered either, until an administrator has mended it.
    """
    path, store = settings.archive_folder, settings.archive_store
    if not path:
        return None
    place = place_of(arrival, path, store=store, create=True)
    if isinstance(place, str):
        raise TemporaryError(f"archive folder {path!r} of {store}: {place}")
    return filing(arrival, place, SEEN)
