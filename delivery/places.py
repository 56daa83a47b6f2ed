"""Folders in mailboxes that are not the recipient's: the public store, an archive, another user's.

They are looked up before planning, because a plan is made from values only.
"""

from collections.abc import Iterable

from sqlalchemy import Connection

from delivery.arrival import Foreign, ForeignFolder
from mailcore.errors import RecipientRefusedError
from mailcore.settings import DeliverySettings
from store.engine import Database
from store.mailboxes import Mailbox
from store.plan import NewFolder
from store.public import PUBLIC, load_public
from userstore.model import User
from userstore.plugin import UserStore
from userstore.resolve import Directory, Recipient


def archive_places(
    database: Database, directory: Directory, recipient: Recipient, settings: DeliverySettings
) -> Foreign:
    """The archive's folder where that is in another mailbox; it is made where it is missing."""
    if not settings.archive_folder or not settings.archive_store:
        return {}
    wanted = (settings.archive_store, settings.archive_folder)
    mailbox = find_mailbox(database, directory, recipient.user, settings.archive_store)
    return {wanted: place_in(mailbox, wanted[1], create=True)}


def public_places(
    database: Database,
    directory: Directory,
    recipients: Iterable[Recipient],
    path: str,
    *,
    create: bool,
) -> dict[int, Foreign]:
    """A folder of the public store for each mailbox, as an administrator reaches it."""
    places: dict[int, Foreign] = {}
    for recipient in recipients:
        mailbox = find_mailbox(database, directory, recipient.user, PUBLIC)
        place = place_in(mailbox, path, create=create)
        places[recipient.mailbox.id] = {(PUBLIC, path): place}
    return places


def find_mailbox(database: Database, directory: Directory, user: User, store: str) -> Mailbox | str:
    """The mailbox that `user` calls `store`: public, or somebody's name or address; a text says why there is none.

    Raises TemporaryError when the answer is not known.
    """
    if store == PUBLIC:
        with database.read() as connection:
            found = load_public_of(connection, directory.plugin, user)
        return found or "there is no public store"
    try:
        return directory.resolve(store).mailbox
    except RecipientRefusedError as error:
        return str(error)


def load_public_of(connection: Connection, plugin: UserStore, user: User) -> Mailbox | None:
    """The public store of a user's company."""
    companies = {one.name: one.external_id for one in plugin.companies()} if user.company else {}
    return load_public(connection, companies.get(user.company, ""))


def place_in(mailbox: Mailbox | str, path: str, *, create: bool) -> ForeignFolder | str:
    """The folder at a path of another mailbox, or why there is none."""
    if isinstance(mailbox, str):
        return mailbox
    folder_id = mailbox.folder_of(path)
    if folder_id is not None:
        return ForeignFolder(mailbox.id, folder_id)
    if create:
        return ForeignFolder(mailbox.id, NewFolder(mailbox.id, path))
    return f"{mailbox.owner_name} has no folder {path!r}"
