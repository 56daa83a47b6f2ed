"""Reading back: whatever the bytes were, they come out again; listings and figures."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from mailcore.errors import UsageError
from store.listing import ListedMail, StoreStats, list_folder, store_stats
from store.plan import FLAGGED, SEEN, Filing, StorePlan
from store.schema import mailbox_entry
from tests.support.mailboxes import NOW, RAW, TRACE, PostOffice, plan, submission

_LINE = st.sampled_from(
    [
        *(b"--b", b"--b--", b"--c", b"--c--", b"", b" ", b"\t folded", b"\0", b"\xff\xfe", b"."),
        *(b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: message/rfc822"),
        *(b"Content-Type: multipart/alternative; boundary=c", b"Content-Type: text/plain"),
        *(b"Content-Transfer-Encoding: base64", b"SGVsbG8gd29ybGQh", b"SGVsbG8=", b"From: a@x"),
        *(b"Subject: =?utf-8?q?Caf=C3=A9?=", b"To: \xc3\xa9@x, <b@y>", b"Message-ID: <1@x>"),
    ]
)
_NEWLINE = st.sampled_from([b"\r\n", b"\n", b"\r"])
_MIME = st.tuples(st.lists(_LINE, max_size=25), _NEWLINE).map(lambda made: made[1].join(made[0]))
_RAW = st.one_of(_MIME, st.binary(max_size=300))


@settings(max_examples=60, deadline=None)
@given(raws=st.lists(st.tuples(_RAW, st.booleans()), max_size=6), trace=st.binary(max_size=20))
def test_any_bytes_come_back_exactly(
    post_office: PostOffice, raws: list[tuple[bytes, bool]], trace: bytes
) -> None:
    mailbox = post_office.mailbox()
    receipts = post_office.commit(
        *(submission(raw, plan(mailbox, trace=trace, imap=imap), imap=imap) for raw, imap in raws)
    )
    for (raw, _), (receipt,) in zip(raws, receipts, strict=True):
        assert post_office.read(mailbox, receipt.uids[0]) == trace + raw


def listed(office: PostOffice, folder_id: int) -> list[ListedMail]:
    with office.database.read() as connection:
        return list(list_folder(connection, folder_id, "Inbox"))


def test_a_folder_lists_its_mails(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    inbox = mailbox.folders["Inbox"]
    raw = b"From: Ben <ben@x>\r\nTo: anna@y, c@y\r\nSubject: A\r\n b\r\nMessage-ID: <1@x>\r\n\r\n"
    filing = Filing(inbox, TRACE, NOW + 0.7, internal_zone=-90, flags=SEEN | FLAGGED, imap=True)
    post_office.commit(submission(raw, StorePlan(mailbox.id, (filing,)), imap=True))
    (mail,) = listed(post_office, inbox)
    assert mail == ListedMail(
        uid=1,
        folder="Inbox",
        flags=("\\Seen", "\\Flagged"),
        size=len(TRACE + raw),
        date=datetime.fromtimestamp(NOW, UTC),
        from_="ben@x",
        to="anna@y, c@y",
        subject="A b",
        message_id="<1@x>",
        has_imap_copy=True,
    )
    assert mail.date.utcoffset() == timedelta(minutes=-90)


def test_deleted_mails_are_neither_listed_nor_read(post_office: PostOffice) -> None:
    mailbox = post_office.mailbox()
    inbox = mailbox.folders["Inbox"]
    for _ in range(3):
        post_office.deliver(mailbox)
    with post_office.database.write() as connection:
        deleted = (mailbox_entry.c.folder_id == inbox) & (mailbox_entry.c.uid == 2)
        connection.execute(update(mailbox_entry).where(deleted).values(deleted_at=NOW))
    assert [mail.uid for mail in listed(post_office, inbox)] == [1, 3]
    for uid in (2, 4):
        with pytest.raises(UsageError, match=f"no mail with UID {uid}.*--list-mail"):
            post_office.read(mailbox, uid)


def test_the_figures_of_the_store(empty_office: PostOffice) -> None:
    office = empty_office

    def stats() -> StoreStats:
        with office.database.read() as connection:
            return store_stats(connection)

    assert stats() == StoreStats(0, 0, 0, 0, 0, 0)
    mailboxes = [office.mailbox() for _ in range(3)]
    office.commit(submission(RAW, *(plan(mailbox) for mailbox in mailboxes)))
    once = stats()
    assert (once.mails, once.messages, once.blobs, once.references) == (3, 1, 1, 1)
    assert once.octets == 3 * len(TRACE + RAW)
    assert once.stored_octets == len(RAW)
    office.commit(submission(RAW, plan(mailboxes[0], imap=True), imap=True))
    again = stats()
    assert (again.mails, again.messages, again.blobs, again.references) == (4, 2, 2, 3)
