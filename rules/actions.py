"""What a rule can ask for, as values; nothing is done here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Move:
    """A copy in a folder, and none in the Inbox.

    `store` is empty for the rule's own mailbox, ``public``, or names another user's.  With `create` a folder that is
    not there is made.
    """

    folder: str
    create: bool = False
    store: str = ""

    def __str__(self) -> str:
        return f"move to {_place(self)}"


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy in a folder, besides the others; the fields are those of Move."""

    folder: str
    create: bool = False
    store: str = ""

    def __str__(self) -> str:
        return f"copy to {_place(self)}"


def _place(action: Move | Copy) -> str:
    store = f" of {action.store}" if action.store else ""
    return f"{action.folder!r}{store}{', made if missing' if action.create else ''}"


@dataclass(frozen=True, slots=True)
class Delete:
    """No copy in the Inbox; no later rule is looked at.  Copies that were asked for elsewhere stay."""

    def __str__(self) -> str:
        return "delete"


@dataclass(frozen=True, slots=True)
class MarkRead:
    """Every copy counts as read."""

    def __str__(self) -> str:
        return "mark as read"


@dataclass(frozen=True, slots=True)
class Flag:
    r"""Every copy is flagged (``\Flagged``, RFC 9051 section 2.3.2)."""

    def __str__(self) -> str:
        return "flag"


@dataclass(frozen=True, slots=True)
class Tag:
    """Every copy has a keyword, an atom of IMAP (RFC 9051 section 2.3.2)."""

    keyword: str

    def __str__(self) -> str:
        return f"tag as {self.keyword}"


@dataclass(frozen=True, slots=True)
class SetImportance:
    """Every copy is of low, normal or high importance."""

    importance: str

    def __str__(self) -> str:
        return f"set importance to {self.importance}"


@dataclass(frozen=True, slots=True)
class Forward:
    """A mail of mine to others, with the text and the attachments of this one."""

    to: tuple[str, ...]

    def __str__(self) -> str:
        return f"forward to {', '.join(self.to)}"


@dataclass(frozen=True, slots=True)
class ForwardAsAttachment:
    """A mail of mine to others, with this one attached."""

    to: tuple[str, ...]

    def __str__(self) -> str:
        return f"forward as an attachment to {', '.join(self.to)}"


@dataclass(frozen=True, slots=True)
class Redirect:
    """The same mail to others, from whom it is from."""

    to: tuple[str, ...]

    def __str__(self) -> str:
        return f"redirect to {', '.join(self.to)}"


@dataclass(frozen=True, slots=True)
class Delegate:
    """The same mail to those who act for me, marked so."""

    to: tuple[str, ...]

    def __str__(self) -> str:
        return f"delegate to {', '.join(self.to)}"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to the sender; an empty subject stands for the one that is answered."""

    text: str
    subject: str = ""

    def __str__(self) -> str:
        return f"reply with {self.subject!r}" if self.subject else "reply"


@dataclass(frozen=True, slots=True)
class Bounce:
    """A report to the sender that the mail is refused, and why."""

    reason: str

    def __str__(self) -> str:
        return f"bounce: {self.reason}"


Filing = Move | Copy
Sending = Forward | ForwardAsAttachment | Redirect | Delegate
Action = Filing | Sending | Delete | MarkRead | Flag | Tag | SetImportance | Reply | Bounce
