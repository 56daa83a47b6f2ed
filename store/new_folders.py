"""Folders that a filing asks for: found by their path or made, in the transaction of the mail."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from store.batch import Mail
from store.folders import folder_at
from store.plan import Filing, NewFolder


def with_folders(connection: Connection, mails: Sequence[Mail]) -> Sequence[Mail]:
    """The same mails with every folder an id."""
    if not any(isinstance(f.folder_id, NewFolder) for mail in mails for f in mail.filings):
        return mails
    return [
        replace(mail, filings=tuple(_placed(connection, filing) for filing in mail.filings))
        for mail in mails
    ]


def _placed(connection: Connection, filing: Filing) -> Filing:
    wanted = filing.folder_id
    if isinstance(wanted, int):
        return filing
    return replace(filing, folder_id=folder_at(connection, wanted.store_id, wanted.path))
