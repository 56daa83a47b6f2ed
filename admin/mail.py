"""Looking into mailboxes: folders, listings, single mails, and how full everything is."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import func, select

from admin.context import Installation
from admin.options import Options
from admin.output import megabytes, print_json, print_pairs, print_raw, print_table
from store.listing import ListedMail, list_folder, read_mail, store_stats
from store.mailboxes import find_folder
from store.schema import folder, mailbox_entry

_DEFAULT_FOLDER = "Inbox"


def list_mail(installation: Installation, options: Options) -> None:
    """Print the mails of one folder, or of all of them in the order of their making."""
    mailbox = installation.recipient(str(options.list_mail)).mailbox
    folders = dict(mailbox.folders)
    if options.folder is not None:
        wanted = find_folder(mailbox, options.folder)
        folders = {path: number for path, number in folders.items() if number == wanted}
    with installation.database.read() as connection:
        mails = [
            mail
            for path, number in folders.items()
            for mail in list_folder(connection, number, path)
        ]
    if options.json:
        print_json([_mail_record(mail) for mail in mails])
        return
    print_table(
        ("UID", "Folder", "Flags", "Size", "Date", "From", "To", "Subject"),
        [
            (
                mail.uid,
                mail.folder,
                " ".join(mail.flags),
                mail.size,
                mail.date.isoformat(),
                mail.from_,
                mail.to,
                mail.subject,
            )
            for mail in mails
        ],
    )


def _mail_record(mail: ListedMail) -> dict[str, Any]:
    return {
        "uid": mail.uid,
        "folder": mail.folder,
        "flags": list(mail.flags),
        "size": mail.size,
        "date": mail.date.isoformat(),
        "from": mail.from_,
        "to": mail.to,
        "subject": mail.subject,
        "message_id": mail.message_id,
        "has_imap_copy": mail.has_imap_copy,
    }


def list_folders(installation: Installation, options: Options) -> None:
    """Print a mailbox's folders with the number of their mails and their octets."""
    mailbox = installation.recipient(str(options.list_folders)).mailbox
    query = (
        select(
            folder.c.id,
            folder.c.special_use,
            func.count(mailbox_entry.c.uid).label("mails"),
            func.coalesce(func.sum(mailbox_entry.c.size), 0).label("octets"),
        )
        .outerjoin_from(
            folder,
            mailbox_entry,
            (mailbox_entry.c.folder_id == folder.c.id) & mailbox_entry.c.deleted_at.is_(None),
        )
        .where(folder.c.store_id == mailbox.id)
        .group_by(folder.c.id, folder.c.special_use)
    )
    with installation.database.read() as connection:
        rows = {row.id: row for row in connection.execute(query)}
    found = [(path, rows[number]) for path, number in mailbox.folders.items() if number in rows]
    if options.json:
        print_json(
            [
                {
                    "folder": path,
                    "special_use": row.special_use,
                    "mails": row.mails,
                    "bytes": int(row.octets),
                }
                for path, row in found
            ]
        )
        return
    print_table(
        ("Folder", "Special use", "Mails", "Size"),
        [(path, row.special_use, row.mails, megabytes(int(row.octets))) for path, row in found],
    )


def show_mail(installation: Installation, options: Options) -> None:
    """Write the bytes of one mail to standard output."""
    assert options.show_mail is not None
    name, uid = options.show_mail
    mailbox = installation.recipient(name).mailbox
    number = find_folder(mailbox, options.folder or _DEFAULT_FOLDER)
    with installation.database.read() as connection:
        content = read_mail(connection, installation.blobs, number, uid)
    print_raw(content)


def show_stats(installation: Installation, options: Options) -> None:
    """Print what all mailboxes together hold, and what is kept of it."""
    with installation.database.read() as connection:
        figures = asdict(store_stats(connection))
    figures["bytes"] = figures.pop("octets")
    figures["stored_bytes"] = figures.pop("stored_octets")
    if options.json:
        print_json(figures)
    else:
        names = {name: name.replace("_", " ").capitalize() for name in figures}
        print_pairs([(names[name], str(figure)) for name, figure in figures.items()])
