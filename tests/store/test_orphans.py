"""Stores without an owner, and the public store: who gets them, and that no acknowledged mail is lost on the way."""

import pytest
from sqlalchemy import update

from mailcore.errors import UsageError
from store.folders import PURGING
from store.jobs import DONE
from store.mailboxes import INBOX, Mailbox, load_mailbox, load_mailbox_by_id
from store.orphans import (
    Orphan,
    create_store,
    hook_store,
    list_orphans,
    remove_store,
    unhook_store,
)
from store.public import create_public_store, load_public, public_id
from store.purge import purge
from store.rights import ALL, Accessor, Right, list_rights, rights_on
from store.schema import job, mailbox_store, outbox
from tests.support.mailboxes import NOW, PostOffice

DAY = 86_400.0


def owner_of(mailbox: Mailbox) -> str:
    return f"test:{mailbox.owner_name}"


def orphans(office: PostOffice) -> dict[str, Orphan]:
    with office.database.read() as connection:
        return {orphan.guid: orphan for orphan in list_orphans(connection)}


@pytest.fixture
def orphan(post_office: PostOffice) -> Mailbox:
    """A store with a mail in it whose owner has gone."""
    mailbox = post_office.mailbox()
    post_office.deliver(mailbox)
    with post_office.database.write() as connection:
        assert unhook_store(connection, owner_of(mailbox)) == mailbox.guid
    return post_office.reload(mailbox.id)


def test_an_orphan_is_listed_with_what_is_known_of_it(
    post_office: PostOffice, orphan: Mailbox
) -> None:
    expected = Orphan(orphan.guid, orphan.owner_name, NOW, orphan.size, deleted=False, public=False)
    assert orphans(post_office)[orphan.guid] == expected
    empty = post_office.mailbox()
    assert empty.guid not in orphans(post_office)
    with post_office.database.write() as connection:
        unhook_store(connection, owner_of(empty))
    assert orphans(post_office)[empty.guid].modified_at == empty.created_at


def test_hooking_puts_a_store_in_the_place_of_another(
    post_office: PostOffice, orphan: Mailbox
) -> None:
    other = post_office.mailbox()
    with post_office.database.write() as connection:
        hook_store(connection, orphan.guid.lower(), owner_of(other), other.owner_name)
        found = load_mailbox(connection, owner_of(other))
    assert found is not None
    assert (found.id, found.owner_name) == (orphan.id, other.owner_name)
    assert set(orphans(post_office)) >= {other.guid}
    assert post_office.read(found, 1)
    with (
        pytest.raises(UsageError, match=f"belongs to {other.owner_name}; --unhook-store first"),
        post_office.database.write() as connection,
    ):
        hook_store(connection, orphan.guid, "test:third", "third")


def test_a_removed_store_can_be_hooked_until_it_is_purged(
    post_office: PostOffice, orphan: Mailbox
) -> None:
    with post_office.database.write() as connection:
        remove_store(connection, orphan.guid, NOW)
        assert load_mailbox_by_id(connection, orphan.id) is None
        with pytest.raises(UsageError, match="removed already"):
            remove_store(connection, orphan.guid, NOW)
    assert orphans(post_office)[orphan.guid].deleted
    with post_office.database.write() as connection:
        hook_store(connection, orphan.guid, owner_of(orphan), orphan.owner_name)
        assert load_mailbox_by_id(connection, orphan.id) == orphan
        unhook_store(connection, owner_of(orphan))
        mine = mailbox_store.c.id == orphan.id
        connection.execute(update(mailbox_store).where(mine).values(deleted_at=PURGING))
        with pytest.raises(UsageError, match="is being purged and cannot be brought back"):
            hook_store(connection, orphan.guid, owner_of(orphan), orphan.owner_name)
    assert orphan.guid not in orphans(post_office)


def test_what_cannot_be_removed(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    with post_office.database.write() as connection:
        with pytest.raises(UsageError, match=f"belongs to {mailbox.owner_name}"):
            remove_store(connection, mailbox.guid, NOW)
        with pytest.raises(UsageError, match="there is no store ABC; --list-orphans"):
            remove_store(connection, "ABC", NOW)
        with pytest.raises(UsageError, match="no store to unhook"):
            unhook_store(connection, "test:nobody")


def test_a_store_that_the_booker_has_mail_for_stays(
    post_office: PostOffice, orphan: Mailbox
) -> None:
    job_id = post_office.queue(orphan)
    with (
        pytest.raises(UsageError, match="still gets mail from 1 unfinished jobs"),
        post_office.database.write() as connection,
    ):
        remove_store(connection, orphan.guid, NOW)
    with post_office.database.write() as connection:
        connection.execute(update(job).where(job.c.id == job_id).values(state=DONE))
        remove_store(connection, orphan.guid, NOW)


@pytest.mark.parametrize("waiting", ["job", "outbox"])
def test_a_removed_store_is_not_purged_before_its_mail_is_out(
    clean_office: PostOffice, waiting: str
) -> None:
    office = clean_office
    mailbox = office.mailbox()
    if waiting == "job":
        office.queue(mailbox)
    else:
        office.send(mailbox)
    with office.database.write() as connection:
        values = {"external_id": None, "deleted_at": NOW}
        connection.execute(update(mailbox_store).values(**values))
    assert purge(office.database, office.blobs, 0, NOW + 1).stores == 0
    assert office.count(job) + office.count(outbox) == 1
    with office.database.write() as connection:
        connection.execute(update(job).values(state=DONE))
        connection.execute(update(outbox).values(state="sent"))
    assert purge(office.database, office.blobs, 0, NOW + 1).stores == 1


def test_a_user_has_one_store(post_office: PostOffice, orphan: Mailbox) -> None:
    with post_office.database.write() as connection:
        made = create_store(connection, owner_of(orphan), "anna", "everyone:c1")
        with pytest.raises(UsageError, match="anna has a store already; --unhook-store"):
            create_store(connection, owner_of(orphan), "anna")
        (line,) = list_rights(connection, made)
    assert (line.subject, line.rights) == ("everyone:c1", Right.FREE_BUSY)
    assert line.calendar_id is not None


@pytest.mark.parametrize(
    ("company", "name", "everyone"), [("", "", "everyone"), ("c7", "acme", "everyone:c7")]
)
def test_the_public_store(clean_office: PostOffice, company: str, name: str, everyone: str) -> None:
    with clean_office.database.write() as connection:
        assert load_public(connection, company) is None
        store_id = create_public_store(connection, company, name)
        with pytest.raises(UsageError, match=f"public store of {name or 'SYSTEM'} already"):
            create_public_store(connection, company, name)
        found = load_public(connection, company)
        anybody = Accessor("test:x", frozenset({"test:x", everyone}))
        assert rights_on(connection, anybody, store_id) == ALL & ~Right.OWNER
        somebody = Accessor("test:x", frozenset({"test:x", "everyone:other"}))
        assert not rights_on(connection, somebody, store_id)
    assert found is not None
    assert (found.id, found.owner_name) == (store_id, name or "SYSTEM")
    assert found.special == {INBOX: found.folders["Public Folders"]}
    clean_office.deliver(found, paths=["Public Folders"])
    with clean_office.database.write() as connection:
        assert unhook_store(connection, public_id(company)) == found.guid
        assert next(iter(list_orphans(connection))).public
        with pytest.raises(UsageError, match="is a public store"):
            hook_store(connection, found.guid, "test:x", "x")
        hook_store(connection, found.guid, public_id(company), found.owner_name)
        assert load_public(connection, company) == clean_office.reload(store_id)


def test_a_users_store_is_not_made_public(post_office: PostOffice, orphan: Mailbox) -> None:
    with (
        pytest.raises(UsageError, match="is the store of a user"),
        post_office.database.write() as connection,
    ):
        hook_store(connection, orphan.guid, public_id(), "SYSTEM")
