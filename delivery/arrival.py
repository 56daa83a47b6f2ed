"""One message on its way to one recipient, with all that deciding about it needs: values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailcore.envelope import Envelope
from mailcore.view import MessageView
from rules.message import Folded
from store.plan import NewFolder
from userstore.resolve import Recipient


@dataclass(frozen=True, slots=True)
class Wish:
    """What direct delivery asks for (kopano-dagent's options); nothing, for mail that comes by LMTP.

    `folder` is a path, in the public store with `public`; where it is missing the Inbox takes the mail, unless
    `create` makes it.  `read` marks the mail as read.  `delivered_at` (epoch seconds) is its internal date.  Without
    `rules` the user's rules do not look at it.
    """

    junk: bool = False
    folder: str = ""
    public: bool = False
    create: bool = False
    read: bool = False
    delivered_at: float | None = None
    rules: bool = True


@dataclass(frozen=True, slots=True)
class ForeignFolder:
    """A folder in a mailbox that is not the recipient's, where the recipient may put mail."""

    store_id: int
    folder_id: int | NewFolder


Foreign = Mapping[tuple[str, str], ForeignFolder | str]
"""What is known of folders elsewhere, by store and path: the folder, or why it takes no mail."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message on its way to one recipient.

    `mail` is shared by all recipients.  `trace` are the headers put before it, `now` is in epoch seconds, `sha256` the
    digest of the bytes (None where repeats are not looked for), `unique` a text that makes a Message-ID of ours unique,
    `hop` the next hop that has the recipient's folders (empty: they are ours).
    """

    mail: Folded
    recipient: Recipient
    trace: bytes
    now: float
    unique: str
    sha256: bytes | None = None
    wish: Wish = field(default_factory=Wish)
    foreign: Foreign = field(default_factory=dict)
    hop: str = ""

    @property
    def view(self) -> MessageView:
        """The message."""
        return self.mail.view

    @property
    def envelope(self) -> Envelope:
        """Its envelope."""
        return self.mail.envelope

    @property
    def delivered_to(self) -> str:
        """The mailbox as Delivered-To names it."""
        return self.recipient.user.address or self.recipient.user.name
