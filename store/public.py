"""The public store: folders that every user of a company can open (manual, 8.1)."""

from sqlalchemy import Connection

from mailcore.errors import UsageError
from store.mailboxes import (
    INBOX,
    Mailbox,
    create_folder,
    insert_store,
    load_mailbox,
    touch_directory,
)
from store.rights import ALL, EVERYONE, Right, grant

PUBLIC = "public"
SYSTEM = "SYSTEM"
"""The owner of the public store where there are no companies (manual, 7.3)."""
PUBLIC_FOLDERS = "Public Folders"


def public_id(company_external_id: str = "") -> str:
    """The external id that a public store has for an owner.

    >>> public_id("dbcompany:7")
    'public:dbcompany:7'
    """
    return f"{PUBLIC}:{company_external_id}"


def create_public_store(
    connection: Connection, company_external_id: str = "", company_name: str = ""
) -> int:
    """Make the public store, of a company where one is named; return its id.

    Everyone of that company may do anything in it but change rights.  Raises UsageError when there is one already.
    """
    touch_directory(connection)
    owner = company_name or SYSTEM
    if load_public(connection, company_external_id) is not None:
        raise UsageError(f"there is a public store of {owner} already; there can only be one")
    store_id = insert_store(connection, public_id(company_external_id), owner, PUBLIC)
    create_folder(connection, store_id, PUBLIC_FOLDERS, special_use=INBOX)
    everyone = f"{EVERYONE}:{company_external_id}" if company_external_id else EVERYONE
    grant(connection, store_id, everyone, ALL & ~Right.OWNER)
    return store_id


def load_public(connection: Connection, company_external_id: str = "") -> Mailbox | None:
    """The public store, of a company where one is named; None when it has not been made."""
    return load_mailbox(connection, public_id(company_external_id))
