"""Making stores, and ending for good what was deleted in them (manual, chapter 8.1, 8.2.3 and 7.5)."""

import time

from admin.context import Installation
from admin.naming import shown
from admin.options import Options
from admin.output import counted, megabytes, say
from store.mailboxes import load_mailbox, touch_directory
from store.orphans import create_store
from store.public import create_public_store
from store.purge import purge
from userstore.everyone import everyone_of

_DAY = 86_400.0  # seconds


def create_public(installation: Installation, _options: Options) -> None:
    """Make the public store, of the company of -I where one is named."""
    company = installation.company
    with installation.database.write() as connection:
        if company:
            create_public_store(connection, company.external_id, company.name)
        else:
            create_public_store(connection)
    say(f"Public store of {company.name} created." if company else "Public store created.")


def create(installation: Installation, options: Options) -> None:
    """Make a mailbox for a user who has none."""
    with installation.database.write() as connection:
        touch_directory(connection)  # from here on nobody else changes who exists
        user = installation.user(str(options.user))
        company = installation.company_called(user.company) if user.company else None
        everyone = everyone_of(company).external_id
        create_store(connection, user.external_id, user.name, everyone)
        mailbox = load_mailbox(connection, user.external_id)
    assert mailbox is not None
    say(f"Store {mailbox.guid} created for {shown(user)}.")


def purge_deleted(installation: Installation, options: Options) -> None:
    """End what was deleted so many days ago, or earlier."""
    assert options.purge_softdelete is not None
    older_than = options.purge_softdelete * _DAY
    gone = purge(installation.database, installation.blobs, older_than, time.time())
    say(
        f"Gone for good: {counted(gone.entries, 'mail')}, {counted(gone.folders, 'folder')},"
        f" {counted(gone.stores, 'store')}; {megabytes(gone.octets)} were freed."
    )
