"""Folders in mailboxes that are not the recipient's: the public store, an archive, another user's.

They are looked up before planning, because a plan is made from values only.  The archive and what the command line
names are an administrator's doing; a rule may only put mail where its owner has the right to.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import Connection

from delivery.arrival import Foreign, ForeignFolder, Wish
from delivery.by_rules import parsed
from mailcore.errors import RecipientRefusedError
from mailcore.settings import DeliverySettings
from rules.actions import Copy, Move
from store.engine import Database
from store.mailboxes import Mailbox, StoredRule
from store.plan import NewFolder
from store.public import PUBLIC, load_public
from store.rights import Right
from userstore.access import may
from userstore.model import User
from userstore.plugin import UserStore
from userstore.resolve import Directory, Recipient


@dataclass(frozen=True, slots=True)
class Wanted:
    """A folder elsewhere that a message may need; with `by_right` only where the user may write."""

    store: str
    path: str
    create: bool
    by_right: bool


def wanted_places(recipient: Recipient, settings: DeliverySettings, wish: Wish) -> list[Wanted]:
    """The folders elsewhere that a message to this recipient may need; nearly always none."""
    wanted = list(_of_rules(recipient.mailbox.rules)) if recipient.mailbox.rules else []
    if settings.archive_store and settings.archive_folder:
        archive = Wanted(settings.archive_store, settings.archive_folder, True, by_right=False)
        wanted.append(archive)
    if wish.public:
        wanted.append(Wanted(PUBLIC, wish.folder, wish.create, by_right=False))
    return wanted


@lru_cache(maxsize=4096)
def _of_rules(rules: tuple[StoredRule, ...]) -> tuple[Wanted, ...]:
    return tuple(
        Wanted(action.store, action.folder, action.create, by_right=True)
        for rule in parsed(rules).rules
        for action in rule.actions
        if isinstance(action, Move | Copy) and action.store
    )


def find_places(
    database: Database, directory: Directory, recipient: Recipient, wanted: Iterable[Wanted]
) -> Foreign:
    """Look the folders up.  Raises TemporaryError when the answer is not known."""
    places: dict[tuple[str, str], ForeignFolder | str] = {}
    for one in wanted:
        mailbox = _find_mailbox(database, directory, recipient.user, one.store)
        place = _place_in(mailbox, one) if isinstance(mailbox, Mailbox) else mailbox
        if one.by_right and isinstance(place, ForeignFolder):
            place = _if_allowed(database, directory, recipient.user, place, one)
        places[one.store, one.path] = place
    return places


def _find_mailbox(
    database: Database, directory: Directory, user: User, store: str
) -> Mailbox | str:
    """The mailbox that `user` calls `store`: public, or somebody's name or address; a text says why there is none."""
    if store == PUBLIC:
        with database.read() as connection:
            found = _public_of(connection, directory.plugin, user)
        return found or "there is no public store"
    try:
        return directory.resolve(store).mailbox
    except RecipientRefusedError as error:
        return str(error)


def _public_of(connection: Connection, plugin: UserStore, user: User) -> Mailbox | None:
    """The public store of a user's company."""
    companies = {one.name: one.external_id for one in plugin.companies()} if user.company else {}
    return load_public(connection, companies.get(user.company, ""))


def _place_in(mailbox: Mailbox, wanted: Wanted) -> ForeignFolder | str:
    folder_id = mailbox.folder_of(wanted.path)
    if folder_id is not None:
        return ForeignFolder(mailbox.id, folder_id)
    if wanted.create:
        return ForeignFolder(mailbox.id, NewFolder(mailbox.id, wanted.path))
    return f"{mailbox.owner_name} has no folder {wanted.path!r}"


def _if_allowed(
    database: Database, directory: Directory, user: User, place: ForeignFolder, wanted: Wanted
) -> ForeignFolder | str:
    """The place, if the user may put mail there; a folder that is to be made takes the right to make folders."""
    right, folder_id = Right.CREATE, None
    if isinstance(place.folder_id, int):
        folder_id = place.folder_id
    else:
        right |= Right.CREATE_FOLDER
    plugin = directory.plugin
    if may(database, plugin, user, place.store_id, right, folder_id=folder_id):
        return place
    return f"{user.name} may not put mail into {wanted.path!r} of {wanted.store}"
