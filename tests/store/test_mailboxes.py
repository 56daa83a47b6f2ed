"""Mailboxes and their folders."""

import pytest
from sqlalchemy import exc

from mailcore.errors import UsageError
from store.mailboxes import (
    DEFAULT_FOLDERS,
    create_folder,
    directory_version,
    external_id_of,
    find_folder,
    load_mailbox,
    orphan_mailbox,
    update_mailbox,
)
from store.schema import calendar
from tests.support.mailboxes import PostOffice


def test_a_new_mailbox_has_its_folders_and_a_calendar(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    assert tuple(mailbox.folders) == tuple(name for name, _ in DEFAULT_FOLDERS)
    assert mailbox.special == {use: mailbox.folders[name] for name, use in DEFAULT_FOLDERS}
    assert (mailbox.size, mailbox.rules, mailbox.oof) == (0, (), None)
    assert not (mailbox.mr_accept or mailbox.mr_decline_conflict or mailbox.mr_decline_recurring)
    assert post_office.count(calendar, calendar.c.store_id == mailbox.id) == 1
    assert post_office.folder(mailbox).uidnext == 1


def test_no_two_folders_ever_have_the_same_uidvalidity(post_office: PostOffice) -> None:
    mailboxes = [post_office.mailbox() for _ in range(2)]
    values = [post_office.folder(m, path).uidvalidity for m in mailboxes for path in m.folders]
    assert len(set(values)) == len(values)
    assert values == sorted(values)
    assert values[0] > 0


def test_folders_within_folders(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    with post_office.database.write() as connection:
        projects = create_folder(connection, mailbox.id, "Projects")
        year = create_folder(connection, mailbox.id, "2030", parent_id=projects)
        inner = create_folder(connection, mailbox.id, "Inbox", parent_id=year)
    found = post_office.reload(mailbox.id)
    assert found.folders["Projects/2030/Inbox"] == inner
    assert find_folder(found, "projects/2030") == year
    with pytest.raises(UsageError, match=r"no folder 'Projcts'; there are: Inbox, .*Projects/2030"):
        find_folder(found, "Projcts")


def test_a_name_is_free_once_below_each_parent(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    with pytest.raises(exc.IntegrityError), post_office.database.write() as connection:
        create_folder(connection, mailbox.id, "Inbox")
    inbox = mailbox.folders["Inbox"]
    with post_office.database.write() as connection:
        create_folder(connection, mailbox.id, "Inbox", parent_id=inbox)
    with pytest.raises(exc.IntegrityError), post_office.database.write() as connection:
        create_folder(connection, mailbox.id, "Inbox", parent_id=inbox)


def test_every_change_is_seen_by_the_caches(post_office: PostOffice) -> None:
    def version() -> int:
        with post_office.database.read() as connection:
            return directory_version(connection)

    before = version()
    mailbox = post_office.mailbox()
    made = version()
    with post_office.database.write() as connection:
        update_mailbox(connection, mailbox.id, {"mr_accept": True, "timezone": "Europe/Berlin"})
    changed = version()
    with post_office.database.write() as connection:
        orphan_mailbox(connection, f"test:{mailbox.owner_name}")
    assert before < made < changed < version()


def test_an_orphan_keeps_everything_but_its_owner(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    uid = post_office.deliver(mailbox).uids[0]
    owner = f"test:{mailbox.owner_name}"
    with post_office.database.write() as connection:
        assert external_id_of(connection, mailbox.id) == owner
        orphan_mailbox(connection, owner)
        assert external_id_of(connection, mailbox.id) is None
        assert load_mailbox(connection, owner) is None
    assert post_office.read(mailbox, uid)


def test_texts_that_a_database_refuses_are_cleaned(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox(timezone="Europe\0/Ber\ud800lin")
    assert mailbox.timezone == "Europe/Ber?lin"
