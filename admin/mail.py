"""Looking into mailboxes: listings, single mails, and how full everything is."""

from dataclasses import asdict
from typing import Any

from admin.context import Installation
from admin.options import Options
from admin.output import print_json, print_pairs, print_raw, print_table
from store.listing import ListedMail, list_folder, read_mail, store_stats
from store.mailboxes import find_folder

_DEFAULT_FOLDER = "Inbox"


def list_mail(installation: Installation, options: Options) -> None:
    """Print the mails of one folder, or of all of them in the order of their making."""
    mailbox = installation.mailbox(str(options.list_mail))
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


def show_mail(installation: Installation, options: Options) -> None:
    """Write the bytes of one mail to standard output."""
    assert options.show_mail is not None
    name, uid = options.show_mail
    mailbox = installation.mailbox(name)
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
