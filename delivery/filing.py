"""Where a message goes: filings in folders of the recipient's mailbox or of another one."""

from delivery.arrival import Arrival, ForeignFolder
from store.mailboxes import INBOX, Mailbox
from store.plan import SEEN, Filing, NewFolder


def inbox(mailbox: Mailbox) -> int:
    """The folder that takes what has no other place."""
    return mailbox.special[INBOX]


def filing(
    arrival: Arrival,
    place: int | NewFolder | ForeignFolder,
    flags: int = 0,
    *,
    keywords: tuple[str, ...] = (),
    header: bytes = b"",
) -> Filing:
    """A copy of the message as it came in one folder; `header` are fields that only this copy has, with CRLF."""
    wish = arrival.wish
    foreign = isinstance(place, ForeignFolder)
    return Filing(
        folder_id=place.folder_id if isinstance(place, ForeignFolder) else place,
        trace=arrival.trace + header,
        internal_date=arrival.now if wish.delivered_at is None else wish.delivered_at,
        flags=flags | (SEEN if wish.read else 0),
        keywords=keywords,
        imap=arrival.recipient.imap and not foreign,
        store_id=place.store_id if isinstance(place, ForeignFolder) else None,
    )


def place_of(
    arrival: Arrival, path: str, *, store: str = "", create: bool = False
) -> int | NewFolder | ForeignFolder | str:
    """The folder at a path, made where it is missing with `create`; a text says why it cannot take the message.

    Where a next hop has the folders, it is asked for the one of that name, whatever there is here.
    """
    if store:
        return arrival.foreign.get((store, path), f"{store}: not known")
    mailbox = arrival.recipient.mailbox
    if arrival.hop:
        return NewFolder(mailbox.id, path)
    folder_id = mailbox.folder_of(path)
    if folder_id is not None:
        return folder_id
    return NewFolder(mailbox.id, path) if create else f"there is no folder {path!r}"
