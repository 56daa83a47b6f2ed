"""Content that nothing refers to: what goes, and that a delivery which has just found it wins."""

import base64
import hashlib
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from store.blobs import BlobStore, locked_directory
from store.collect import SHARES, remove_blobs, remove_files, sweep
from store.mailboxes import Mailbox
from store.message import NewBlob
from store.packing import IDENTITY, ZSTD
from store.schema import blob, mailbox_entry, message
from tests.support.databases import wait_for_a_waiting_lock
from tests.support.mailboxes import TRACE, PostOffice, plan, submission
from tests.support.store_audit import leaks
from tests.support.waiting import wait_for

LARGE = 1000
DAY = 86_400.0
_random = random.Random(11)


def with_attachment(data: bytes) -> bytes:
    lines = base64.encodebytes(data).replace(b"\n", b"\r\n")
    return b"Content-Transfer-Encoding: base64\r\n\r\n" + lines


def forget_mails(office: PostOffice) -> list[int]:
    """Leave nothing but blobs, as a crash of old might have; return their ids."""
    with office.database.write() as connection:
        connection.execute(delete(mailbox_entry))
        connection.execute(delete(message))
        return list(connection.execute(select(blob.c.id)).scalars())


def age(path: Path, seconds: float, now: float | None = None) -> None:
    """Have a file written so many seconds ago, or before `now`."""
    then = (now or time.time()) - seconds
    os.utime(path, (then, then))


def turn_of(share: int) -> float:
    """A time soon at which it is that share's turn."""
    return (int(time.time() // 3600) // SHARES + 1) * SHARES * 3600.0 + share * 3600.0


@pytest.fixture
def attachments(tmp_path: Path) -> Path:
    return tmp_path / "attachments"


@pytest.fixture
def office(clean_office: PostOffice, attachments: Path) -> PostOffice:
    return PostOffice(clean_office.database, attachments, LARGE)


@pytest.fixture
def server_office(postgres_office: PostOffice, attachments: Path) -> PostOffice:
    return PostOffice(postgres_office.database, attachments, LARGE)


def somebody_waits() -> bool:
    return "-> FLOCK" in Path("/proc/locks").read_text()


def deliver_large(office: PostOffice, mailbox: Mailbox) -> tuple[bytes, Path]:
    """File a mail with a large body; return its bytes and the body's file."""
    data = _random.randbytes(LARGE)
    raw = with_attachment(data)
    office.deliver(mailbox, raw)
    return raw, office.blobs.path_of(hashlib.sha256(data).digest(), IDENTITY)


def test_what_is_referred_to_stays(office: PostOffice) -> None:
    _, path = deliver_large(office, office.mailbox())
    age(path, 3 * DAY)
    with office.database.write() as connection:
        ids = list(connection.execute(select(blob.c.id)).scalars())
        assert remove_blobs(connection, ids) == []
    for hour in range(SHARES):
        assert sweep(office.database, office.blobs, time.time() + hour * 3600) == 0
    assert path.exists()


@pytest.mark.parametrize(("seconds", "stays"), [(DAY / 2, True), (2 * DAY, False)])
def test_a_young_file_outlives_its_row(office: PostOffice, seconds: float, stays: bool) -> None:
    _, path = deliver_large(office, office.mailbox())
    age(path, seconds)
    ids = forget_mails(office)
    with office.database.write() as connection:
        gone = remove_blobs(connection, ids)
    assert [one.stored_size for one in gone] == [LARGE]
    assert remove_files(office.database, office.blobs, gone, time.time()) == (not stays)
    assert path.exists() == stays


def test_a_file_that_is_needed_again_is_young(office: PostOffice, attachments: Path) -> None:
    """The row goes, the same content comes again and finds the file, and only then would the file be removed."""
    mailbox = office.mailbox()
    raw, path = deliver_large(office, mailbox)
    age(path, 2 * DAY)
    ids = forget_mails(office)
    with office.database.write() as connection:
        gone = remove_blobs(connection, ids)
    uid = office.deliver(mailbox, raw).uids[0]
    assert remove_files(office.database, office.blobs, gone, time.time()) == 0
    assert office.read(mailbox, uid) == TRACE + raw
    assert not leaks(office, attachments)


def test_a_batch_in_flight_keeps_the_file_that_it_found(office: PostOffice) -> None:
    mailbox = office.mailbox()
    raw, path = deliver_large(office, mailbox)
    age(path, 2 * DAY)
    ids = forget_mails(office)
    with office.database.write() as connection:
        gone = remove_blobs(connection, ids)
    staged = office.committer.stage([submission(raw, plan(mailbox))])
    assert remove_files(office.database, office.blobs, gone, time.time()) == 0
    with office.database.write() as connection:
        office.committer.apply(connection, staged)
    assert office.read(mailbox, 2) == TRACE + raw
    assert path.exists()


def test_a_file_is_not_refreshed_while_it_is_removed(office: PostOffice) -> None:
    """Who comes while the directory is locked waits, finds no file, and writes it."""
    data = _random.randbytes(LARGE)
    new = NewBlob(hashlib.sha256(data).digest(), LARGE, IDENTITY, data)
    office.blobs.write_files([new])
    path = office.blobs.path_of(new.sha256, new.codec)
    with ThreadPoolExecutor(1) as pool:
        with locked_directory(path.parents[1]):
            writing = pool.submit(office.blobs.write_files, [new])
            wait_for(somebody_waits, what="the writer waits for the directory")
            path.unlink()
        writing.result(30)
    assert path.read_bytes() == data


def test_a_sweep_finds_what_a_crash_has_left(office: PostOffice, attachments: Path) -> None:
    mailbox = office.mailbox()
    raw, used = deliver_large(office, mailbox)
    digest = bytes([7]) + bytes(31)
    beside = BlobStore(attachments, 1)
    beside.write_files([NewBlob(digest, 1, ZSTD, b"x")])
    old = beside.path_of(digest, ZSTD)
    halfway = old.with_name(f".{old.name}.0123abcd")
    unknown = old.with_name("README")
    young = old.with_name(bytes([7, 0, *[1] * 30]).hex())
    for path in (halfway, unknown, young):
        path.write_bytes(b"x")
    for path in (old, halfway, unknown, used):
        age(path, 2 * DAY, turn_of(7))
    age(young, DAY / 2, turn_of(7))
    with office.database.write() as connection:  # and a row that nothing refers to
        row = {"id": 10**9, "sha256": digest, "codec": IDENTITY, "location": "database"}
        connection.execute(blob.insert(), [{**row, "created_at": 0.0}])
    assert sweep(office.database, office.blobs, turn_of(8)) == 0
    assert sweep(office.database, office.blobs, turn_of(7)) == 3
    left = [path.exists() for path in (old, halfway, unknown, young, used)]
    assert left == [False, False, True, True, True]
    assert office.count(blob) == 1
    assert office.read(mailbox, 1) == TRACE + raw


def test_a_delivery_that_has_found_the_row_keeps_it(server_office: PostOffice) -> None:
    """The first order: the delivery is not finished, and the row is passed over without waiting."""
    office = server_office
    mailbox = office.mailbox()
    raw = with_attachment(_random.randbytes(LARGE // 2))
    office.deliver(mailbox, raw)
    ids = forget_mails(office)
    staged = office.committer.stage([submission(raw, plan(mailbox))])
    with office.database.write() as delivering:
        office.committer.apply(delivering, staged)
        with office.database.write() as connection:
            assert remove_blobs(connection, ids) == []
    with office.database.write() as connection:
        assert remove_blobs(connection, ids) == []
    assert office.read(mailbox, 2) == TRACE + raw


def test_a_reference_that_is_committed_while_we_look_is_seen(server_office: PostOffice) -> None:
    """Between our locking of the row and our deleting it nobody can refer to it; before, we see it."""
    office = server_office
    mailbox = office.mailbox()
    raw = with_attachment(_random.randbytes(LARGE // 2))
    office.deliver(mailbox, raw)
    ids = forget_mails(office)
    with office.database.write() as connection:
        connection.execute(select(blob.c.id)).all()  # its transaction has begun
        office.deliver(mailbox, raw)
        assert remove_blobs(connection, ids) == []
    assert office.read(mailbox, 2) == TRACE + raw


def test_a_delivery_waits_for_the_removal_and_brings_its_own(server_office: PostOffice) -> None:
    """The second order: the row is going; the delivery waits, finds none, and does not fail."""
    office = server_office
    mailbox = office.mailbox()
    raw = with_attachment(_random.randbytes(LARGE // 2))
    office.deliver(mailbox, raw)
    ids = forget_mails(office)
    with ThreadPoolExecutor(1) as pool:
        with office.database.write() as connection:
            assert len(remove_blobs(connection, ids)) == 1
            delivering = pool.submit(office.deliver, mailbox, raw)
            wait_for_a_waiting_lock(office.database)
        assert delivering.result(30).uids == (2,)
    assert office.read(mailbox, 2) == TRACE + raw
    assert [row.id in ids for row in office.rows(blob)] == [False]
