"""Nothing bounces for its content: hostile mail is taken, kept, listed and given back octet by octet."""

from pathlib import Path

from store.listing import list_folder
from tests.corpus.hostile import LARGE, damaged_mails
from tests.corpus.shapes import shapes
from tests.support.agent import RunningAgent
from tests.support.mailboxes import TRACE, PostOffice, open_database, plan, submission

BATCH = 100
HARD_ON_A_DATABASE = ("NUL", "8-bit header", "cut UTF-8", "random octets", "one header line")


def assert_kept(office: PostOffice, mails: list[bytes]) -> None:
    """File the mails in batches, and read them back."""
    mailbox = office.mailbox()
    for start in range(0, len(mails), BATCH):
        batch = mails[start : start + BATCH]
        receipts = office.commit(
            *(submission(raw, plan(mailbox, imap=True), imap=True) for raw in batch)
        )
        for raw, (receipt,) in zip(batch, receipts, strict=True):
            assert office.read(mailbox, receipt.uids[0]) == TRACE + raw
    with office.database.read() as connection:
        listed = list(list_folder(connection, mailbox.folders["Inbox"], "Inbox"))
    assert [mail.size for mail in listed] == [len(TRACE + raw) for raw in mails]


def test_sqlite_keeps_everything(tmp_path: Path) -> None:
    mails = [*shapes().values(), *damaged_mails(700)]
    mails += [make(30_000) for make in LARGE.values()]
    with open_database(f"sqlite:///{tmp_path / 'kopano.db'}") as database:
        assert_kept(PostOffice(database), mails)


def test_postgresql_keeps_a_sample(postgres_url: str) -> None:
    mails = [*list(shapes().values())[::5], *damaged_mails(100)]
    mails += [LARGE[name](30_000) for name in HARD_ON_A_DATABASE]
    with open_database(postgres_url) as database:
        assert_kept(PostOffice(database), mails)


def test_a_running_agent_takes_everything(tmp_path: Path) -> None:
    mails = [make(20_000) for make in LARGE.values()]
    mails += [raw for raw in list(shapes().values())[::9] if raw] + list(damaged_mails(50))
    # A mail that goes over a wire ends with a line end.
    mails = [raw if raw.endswith(b"\r\n") else raw + b"\r\n" for raw in mails]
    with RunningAgent(tmp_path, environ={"DAGENT_USERSTORE_DISABLED_FEATURES": ""}) as agent:
        agent.add_user("anna")
        with agent.client() as client:
            replies = [client.send("b@x", ["anna@example.org"], raw) for raw in mails]
        assert [reply.code for (reply,) in replies] == [250] * len(mails)
        kept = agent.mails("anna")
    # What comes again is taken for a repetition and kept once.
    for with_trace, raw in zip(kept, dict.fromkeys(mails), strict=True):
        assert with_trace.endswith(b"\r\n" + raw)
