"""Companies: organisations that share an installation, and each have users, groups and a public store of their own.

A company and its public store appear and go in one transaction (manual, chapter 8.1).
"""

from sqlalchemy import Connection

from admin.context import Installation
from admin.options import Options
from admin.output import megabytes, print_json, print_pairs, print_table, say
from mailcore.errors import UsageError
from store.events import add_event
from store.mailboxes import Mailbox, load_mailbox, orphan_mailbox, update_mailbox
from store.public import SYSTEM, create_public_store, load_public, public_id
from userstore.model import Company


def create(installation: Installation, options: Options) -> None:
    """Create a company with its public store."""
    name = str(options.create_company)
    with installation.database.write() as connection:
        company = installation.editor.create_company(connection, name)
        create_public_store(connection, company.external_id, company.name)
        add_event(connection, "createcompany", {"KOPANO_COMPANY": company.name})
    say(f"Company {company.name} created, with a public store.")


def update(installation: Installation, options: Options) -> None:
    """Rename a company."""
    if options.rename is None:
        raise UsageError("--update-company: -U is missing, the new name")
    company = installation.company_called(str(options.update_company))
    with installation.database.write() as connection:
        renamed = installation.editor.rename_company(
            connection, company.external_id, options.rename
        )
        public = load_public(connection, company.external_id)
        if public:
            update_mailbox(connection, public.id, {"owner_name": renamed.name})
    say(f"Company {company.name} is {renamed.name}.")


def delete(installation: Installation, options: Options) -> None:
    """Delete a company in which nobody is; its public store becomes an orphan."""
    company = installation.company_called(str(options.delete_company))
    with installation.database.write() as connection:
        installation.editor.delete_company(connection, company.external_id)
        public = load_public(connection, company.external_id)
        if public:
            orphan_mailbox(connection, public_id(company.external_id))
        add_event(connection, "deletecompany", {"KOPANO_COMPANYID": company.external_id})
    kept = f" The public store {public.guid} is kept." if public else ""
    say(f"Company {company.name} deleted.{kept}")


def list_all(installation: Installation, options: Options) -> None:
    """Print the companies, by name."""
    companies = installation.users.companies()
    with installation.database.read() as connection:
        records = [
            {"name": company.name, "store_guid": public.guid if public else None}
            for company in companies
            for public in [_public_of(connection, company)]
        ]
    if options.json:
        print_json(records)
        return
    print_table(("Name", "Public store"), [list(record.values()) for record in records])


def show_company(installation: Installation, options: Options) -> None:
    """Print one company or, where none is named, what there is beside all companies."""
    company = installation.company_called(options.details) if options.details else None
    name = company.name if company else ""
    users = sum(1 for _ in installation.users.users(name))
    groups = sum(1 for _ in installation.users.groups(name))
    with installation.database.read() as connection:
        public = _public_of(connection, company)
    if options.json:
        print_json(
            {
                "name": name,
                "users": users,
                "groups": groups,
                "store_guid": public.guid if public else None,
                "store_size": public.size if public else None,
            }
        )
        return
    print_pairs(
        [
            ("Name", name or SYSTEM),
            ("Users", str(users)),
            ("Groups", str(groups)),
            ("Public store", public.guid if public else "none; -s makes it"),
            ("Store size", megabytes(public.size if public else 0)),
        ]
    )


def _public_of(connection: Connection, company: Company | None) -> Mailbox | None:
    return load_mailbox(connection, public_id(company.external_id if company else ""))
