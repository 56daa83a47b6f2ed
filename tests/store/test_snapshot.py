"""Reading one state of the database while others write."""

from contextlib import closing

from sqlalchemy import func, select

from store.engine import Database
from store.mailboxes import create_mailbox
from store.schema import mailbox_store


def test_a_snapshot_does_not_change_while_others_write(database_url: str) -> None:
    stores = select(func.count()).select_from(mailbox_store)
    with closing(Database(database_url)) as database:
        with database.snapshot() as reading:
            before = reading.execute(stores).scalar_one()
            with database.write() as writing:
                create_mailbox(writing, "id-1", "anna")
            assert reading.execute(stores).scalar_one() == before
        with database.snapshot() as reading:
            assert reading.execute(stores).scalar_one() == before + 1


def test_a_transaction_after_a_snapshot_is_as_ever(database_url: str) -> None:
    with closing(Database(database_url)) as database:
        with database.snapshot() as reading:
            within = reading.get_isolation_level()
        with database.read() as reading:
            assert (reading.get_isolation_level() == within) is database.embedded
