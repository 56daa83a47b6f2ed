"""One installation as the commands see it: settings, database, user store, directory."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from admin.naming import find_company, find_named, only_one, split_name
from admin.zones import checked_zone
from mailcore.errors import UsageError
from mailcore.settings import Settings
from store.blobs import BlobStore
from store.engine import Database
from store.mailboxes import Mailbox, load_mailbox
from store.migrate import open_database
from store.public import PUBLIC, public_id
from userstore.editor import Editor
from userstore.features import parse_features
from userstore.model import Company, Group, Member, User
from userstore.plugin import UserStore
from userstore.plugins import Plugin, open_plugin
from userstore.resolve import Directory, NoMailboxYetError, Recipient


@dataclass(frozen=True)
class Installation:
    """An open database and what is built on it.

    `company_name` is that of -I, or empty: names are looked up in that company (see admin.naming).
    """

    settings: Settings
    database: Database
    company_name: str = ""

    @cached_property
    def plugin(self) -> Plugin:
        """The user store, and its editor if it has one."""
        return open_plugin(self.settings, self.database)

    @property
    def users(self) -> UserStore:
        """The user store."""
        return self.plugin.users

    @property
    def editor(self) -> Editor:
        """What changes the user store; raises UsageError where that is done elsewhere."""
        if self.plugin.editor is None:
            plugin = self.settings.userstore.plugin
            raise UsageError(
                f"users of the {plugin} plugin are managed in {plugin.upper()}, not here"
            )
        return self.plugin.editor

    @cached_property
    def company(self) -> Company | None:
        """The company of -I, None without that; raises UsageError where there is none of that name."""
        return self.company_called(self.company_name) if self.company_name else None

    @cached_property
    def disabled_features(self) -> frozenset[str]:
        """The features that are off unless a user has them enabled."""
        return parse_features(self.settings.userstore.disabled_features)

    @cached_property
    def directory(self) -> Directory:
        """Resolves names and addresses to users and their mailboxes."""
        return Directory(self.users, self.database, self.settings.userstore)

    @cached_property
    def blobs(self) -> BlobStore:
        """The content of mails."""
        return BlobStore(self.settings.attachment_directory, self.settings.store.large_body)

    def user(self, name: str) -> User:
        """The user of exactly that name; raises UsageError."""
        user = self._find_user(name)
        if user is None:
            raise UsageError(self._nobody("user", "-l", name))
        return user

    def group(self, name: str) -> Group:
        """The group of exactly that name, Everyone in any case; raises UsageError."""
        named = find_named(self.users, name, self.company)
        group = only_one(name, [one for one in named if isinstance(one, Group)])
        if group is None:
            raise UsageError(self._nobody("group", "-L", name))
        return group

    def find_member(self, name: str) -> Member | None:
        """The user of that name or, where there is none, the group; raises UsageError where it can be several."""
        named = find_named(self.users, name, self.company)
        users = [one for one in named if isinstance(one, User)]
        groups = [one for one in named if isinstance(one, Group)]
        return only_one(name, users) or only_one(name, groups)

    def member(self, name: str) -> Member:
        """As `find_member`; raises UsageError where there is none such."""
        member = self.find_member(name)
        if member is None:
            raise UsageError(self._nobody("user or group", "-l or -L", name))
        return member

    def company_called(self, name: str) -> Company:
        """The company of that name, without case; raises UsageError."""
        company = find_company(self.users, name)
        if company is None:
            raise UsageError(f"no company {name!r}; kopano-admin --list-companies lists them")
        return company

    def new_name(self, name: str) -> tuple[str, Company | None]:
        """The name and the company of somebody who is to be created; raises UsageError for -I."""
        return (name, self.company) if self.company else split_name(self.users, name)

    def recipient(self, name: str) -> Recipient:
        """The user and mailbox of a name or, where nobody is called that, of an address.

        Raises NoSuchRecipientError, and UsageError for a user without mailbox.
        """
        user = self._find_user(name)
        if user is None and self.company:
            raise UsageError(self._nobody("user", "-l", name))
        try:
            return self.directory.by_user(user) if user else self.directory.resolve(name)
        except NoMailboxYetError as error:
            raise UsageError(
                f"{error}: --create-store makes one, --hook-store gives it an orphan"
            ) from error

    def mailbox(self, name: str) -> Mailbox:
        """The mailbox of a user, as `recipient` finds it, or the `public` one; raises UsageError."""
        if name != PUBLIC:
            return self.recipient(name).mailbox
        company = self.company
        with self.database.read() as connection:
            found = load_mailbox(connection, public_id(company.external_id if company else ""))
        if found is None:
            raise UsageError("there is no public store; kopano-admin -s makes it")
        return found

    def zone_of(self, recipient: Recipient) -> ZoneInfo:
        """The zone in which a mailbox's times are written."""
        default = self.settings.userstore.default_timezone
        return ZoneInfo(checked_zone(recipient.mailbox.timezone or default))

    def _find_user(self, name: str) -> User | None:
        named = find_named(self.users, name, self.company)
        return only_one(name, [one for one in named if isinstance(one, User)])

    def _nobody(self, kind: str, listing: str, name: str) -> str:
        if self.company is None:
            return f"no {kind} {name!r}; kopano-admin {listing} lists them"
        of = self.company.name
        return f"no {kind} {name!r} in company {of}; kopano-admin {listing} -I {of} lists them"


@contextmanager
def open_installation(
    settings: Settings, *, company_name: str = "", migrating: bool = False
) -> Iterator[Installation]:
    """Open the database, with a schema that fits unless it is about to be migrated.

    Raises TemporaryError, naming the database without its password, when it cannot be opened.
    """
    url = settings.database_url
    with closing(Database(url) if migrating else open_database(url)) as database:
        yield Installation(settings, database, company_name)
