"""What is to be committed for one message, as values: nothing here has been done yet."""

import hashlib
from dataclasses import dataclass

from mailcore.outgoing import OutgoingMail
from store.message import NewMessage

SEEN = 1
ANSWERED = 2
FLAGGED = 4
DELETED = 8
DRAFT = 16


@dataclass(frozen=True, slots=True)
class NewFolder:
    """A folder that a filing needs, by its path (`Lists/2030`); made with its parents where it is missing."""

    store_id: int
    path: str


@dataclass(frozen=True, slots=True)
class Filing:
    """One copy in one folder.  `internal_date` in epoch seconds, `internal_zone` in minutes east of UTC.

    `store_id` is set where the folder is not in the mailbox of the plan, but another user's or a public one.
    """

    folder_id: int | NewFolder
    trace: bytes
    internal_date: float
    internal_zone: int = 0
    flags: int = 0
    keywords: tuple[str, ...] = ()
    imap: bool = False
    store_id: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A mail of our own that is filed together with what it is about.

    With `rule_id` it tells the owner that this rule cannot be read, and is filed only the first time.
    """

    message: NewMessage
    filing: Filing
    rule_id: int | None = None


@dataclass(frozen=True, slots=True)
class NewJob:
    """A meeting message for the auto-booker, with its exact bytes."""

    mail_from: str
    rcpt_to: str
    message_id: str
    subject: str
    content: bytes
    trace: bytes


@dataclass(frozen=True, slots=True)
class OofClaim:
    """An answer goes out only if `sender_key` got none since `not_since` (epoch seconds).

    The key is the sender's address; before that of a rule's answer stands which one it is, and a blank.
    """

    sender_key: str
    not_since: float


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail for the outbox; with a claim it is dropped when somebody else has answered meanwhile.

    `filed` is the copy for the sender's own mailbox; it goes where the mail goes, or nowhere.
    """

    kind: str
    subject: str
    mail: OutgoingMail
    job_id: int | None = None
    not_before: float = 0.0
    claim: OofClaim | None = None
    filed: Notice | None = None


@dataclass(frozen=True, slots=True)
class StorePlan:
    """All that one message does for one mailbox store.

    `hard_quota` (octets, 0 for none) is the size that the filings in this store must not bring it over.
    """

    store_id: int
    filings: tuple[Filing, ...] = ()
    job: NewJob | None = None
    outgoing: tuple[Outgoing, ...] = ()
    ledger_key: bytes | None = None
    hard_quota: int = 0
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Submission:
    """One message and its plans; they are committed together or not at all.

    `on_disk` says that its large bodies have been written already.  `passing` are mails that leave and are nobody's
    here.
    """

    message: NewMessage
    plans: tuple[StorePlan, ...]
    on_disk: bool = False
    passing: tuple[Outgoing, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a plan: the UIDs of its filings, or the first time's when it was a repeat.

    With `over_quota` nothing was done.
    """

    uids: tuple[int, ...] = ()
    job_id: int | None = None
    duplicate: bool = False
    over_quota: bool = False


def ledger_key(detail: str, mail_from: str, sha256: bytes) -> bytes:
    """The identity of a delivery to one store: a re-sent DATA has the same."""
    parts = (detail.encode("utf-8", "replace"), mail_from.encode("utf-8", "replace"), sha256)
    return hashlib.sha256(b"\0".join(parts)).digest()
