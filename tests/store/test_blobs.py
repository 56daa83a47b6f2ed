"""Content by its hash: where it lies, that it lies there once, and what a missing file means."""

import base64
import hashlib
import random
from pathlib import Path
from unittest.mock import patch

import pytest

from mailcore.errors import TemporaryError
from mailcore.view import MessageView
from store.blobs import DATABASE, DIRECTORY, LOCK, BlobStore
from store.message import NewBlob, prepare_message
from store.packing import IDENTITY, ZSTD, pack, pack_content, unpack, unpack_content
from store.schema import blob, blob_content
from tests.support.mailboxes import TRACE, PostOffice, plan, submission

LARGE = 1000
_random = random.Random(7)


def noise(octets: int) -> bytes:
    """Content that nobody can compress and no other test has."""
    return _random.randbytes(octets)


def with_attachment(data: bytes, text: bytes = b"See below.") -> bytes:
    return (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + text + b"\r\n--b\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(data).replace(b"\n", b"\r\n")
        + b"--b--\r\n"
    )


def files(directory: Path) -> set[Path]:
    return {path for path in directory.rglob("*") if path.is_file() and path.name != LOCK}


@pytest.fixture
def attachments(tmp_path: Path) -> Path:
    return tmp_path / "attachments"


@pytest.fixture
def office(post_office: PostOffice, attachments: Path) -> PostOffice:
    return PostOffice(post_office.database, attachments, LARGE)


@pytest.mark.parametrize("data", [b"", b"short", b"a" * 255, b"a" * 5000, noise(5000)])
def test_what_is_packed_comes_back(data: bytes) -> None:
    codec, stored = pack(data)
    assert unpack(codec, stored) == data
    assert unpack_content(pack_content(data)) == data
    assert codec == (ZSTD if data == b"a" * 5000 else IDENTITY)  # the others would not shrink


@pytest.mark.parametrize(
    ("octets", "place"), [(LARGE - 1, DATABASE), (LARGE, DIRECTORY), (LARGE + 1, DIRECTORY)]
)
def test_large_bodies_are_files(
    office: PostOffice, attachments: Path, octets: int, place: str
) -> None:
    data = noise(octets)
    mailbox = office.mailbox()
    raw = with_attachment(data)
    uid = office.deliver(mailbox, raw).uids[0]
    (row,) = office.rows(blob, blob.c.sha256 == hashlib.sha256(data).digest())
    assert (row.location, row.size, row.stored_size) == (place, octets, octets)
    assert office.count(blob_content, blob_content.c.blob_id == row.id) == (place == DATABASE)
    name = hashlib.sha256(data).hexdigest()
    expected = {attachments / name[:2] / name[2:4] / name} if place == DIRECTORY else set()
    assert files(attachments) == expected
    assert office.read(mailbox, uid) == TRACE + raw


def test_without_a_directory_everything_lies_in_the_database(post_office: PostOffice) -> None:
    data = noise(100_000)
    mailbox = post_office.mailbox()
    uid = post_office.deliver(mailbox, with_attachment(data)).uids[0]
    (row,) = post_office.rows(blob, blob.c.sha256 == hashlib.sha256(data).digest())
    assert row.location == DATABASE
    assert post_office.read(mailbox, uid) == TRACE + with_attachment(data)


def test_one_attachment_in_many_mails_is_stored_once(office: PostOffice, attachments: Path) -> None:
    data = noise(2 * LARGE)
    first, second = office.mailbox(), office.mailbox()
    raws = [with_attachment(data, text) for text in (b"Mine", b"Yours", b"Theirs")]
    office.commit(*(submission(raw, plan(first)) for raw in raws[:2]))
    office.deliver(second, raws[2])
    assert office.count(blob, blob.c.sha256 == hashlib.sha256(data).digest()) == 1
    assert len(files(attachments)) == 1
    assert [office.read(first, uid) for uid in (1, 2)] == [TRACE + raw for raw in raws[:2]]
    assert office.read(second, 1) == TRACE + raws[2]


def test_the_same_content_in_two_codecs(office: PostOffice, attachments: Path) -> None:
    """An attached mail is packed, the IMAP copy of the same mail is not; a crash between writing
    the file and the commit leaves the file of either."""
    inner = b"Subject: inner\r\n\r\n" + b"".join(noise(30).hex().encode() for _ in range(100))
    as_copy = prepare_message(MessageView(inner), imap=True).raw
    assert as_copy is not None
    as_body = NewBlob(as_copy.sha256, as_copy.size, *pack(inner))
    assert as_body.codec == ZSTD
    BlobStore(attachments, LARGE).write_files([as_body])  # and then the power went
    mailbox = office.mailbox()
    office.commit(submission(inner, plan(mailbox, imap=True), imap=True))
    with office.database.read() as connection:
        (row,) = office.rows(blob, blob.c.sha256 == as_copy.sha256)
        assert office.blobs.load(connection, [row.id])[row.id] == (as_copy.sha256, inner)
    assert len(files(attachments)) == 3  # the body, and the mail in either codec


def test_writing_again_changes_nothing(attachments: Path) -> None:
    data = noise(LARGE)
    new = NewBlob(hashlib.sha256(data).digest(), LARGE, IDENTITY, data)
    blobs = BlobStore(attachments, LARGE)
    for _ in range(2):
        blobs.write_files([new, new])
    (path,) = files(attachments)
    assert path.read_bytes() == data


def test_directories_are_made_durable_with_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every directory with a new entry is synced, below first, or a power failure takes the file."""
    synced: list[Path] = []
    monkeypatch.setattr("store.blobs._sync_directory", synced.append)
    top = tmp_path / "data" / "attachments"
    new = NewBlob(b"\xab\xcd" * 16, 1, IDENTITY, b"x")
    BlobStore(top, 1).write_files([new])
    made = [top / "ab" / "cd", top / "ab", top, top.parent, tmp_path]
    assert synced == made
    synced.clear()
    BlobStore(top, 1).write_files([new])  # another process has made them, perhaps just now
    assert synced == made[:3]


def test_a_missing_file_is_temporary(office: PostOffice, attachments: Path) -> None:
    mailbox = office.mailbox()
    office.deliver(mailbox, with_attachment(noise(LARGE)))
    (path,) = files(attachments)
    path.unlink()
    with pytest.raises(TemporaryError, match=r"attachment directory: .*No such file"):
        office.read(mailbox, 1)


def test_a_directory_that_was_switched_off_is_temporary(office: PostOffice) -> None:
    mailbox = office.mailbox()
    office.deliver(mailbox, with_attachment(noise(LARGE)))
    with pytest.raises(TemporaryError, match="set it back to 'directory'"):
        PostOffice(office.database).read(mailbox, 1)


def test_a_directory_that_cannot_be_written_is_temporary(attachments: Path) -> None:
    attachments.write_bytes(b"")
    with pytest.raises(TemporaryError, match="attachment directory: "):
        BlobStore(attachments, 1).write_files([NewBlob(b"h" * 32, 1, IDENTITY, b"x")])


def test_more_blobs_than_fit_into_one_statement(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    parts = b"".join(
        b"--b\r\n\r\npart %d %s\r\n" % (n, noise(4).hex().encode()) for n in range(1200)
    )
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts + b"--b--\r\n"
    for uid in (1, 2):
        post_office.deliver(mailbox, raw)
        assert post_office.read(mailbox, uid) == TRACE + raw


def test_files_written_ahead_are_not_written_again(office: PostOffice, attachments: Path) -> None:
    data = noise(2 * LARGE)
    mailbox = office.mailbox()
    ahead = office.committer.write_files(submission(with_attachment(data), plan(mailbox)))
    (written,) = files(attachments)
    before = written.stat().st_mtime_ns
    with patch.object(office.blobs, "path_of", wraps=office.blobs.path_of) as looked_for:
        uid = office.commit(ahead)[0][0].uids[0]
    assert not looked_for.called
    assert written.stat().st_mtime_ns == before
    assert office.read(mailbox, uid) == TRACE + with_attachment(data)
