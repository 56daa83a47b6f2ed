"""LMTP replies: a code, an enhanced status code (RFC 3463) and a text for the person who reads the log."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LmtpReply:
    """One single-line reply; `str()` gives it as it goes on the wire, without the line end.

    >>> str(LmtpReply(250, "2.1.5", "delivered"))
    '250 2.1.5 delivered'
    """

    code: int
    enhanced: str
    text: str

    @property
    def positive(self) -> bool:
        """True for 2yz: the message is ours now."""
        return 200 <= self.code < 300

    def __str__(self) -> str:
        return f"{self.code} {self.enhanced} {self.text}"


RECIPIENT_OK = LmtpReply(250, "2.1.5", "recipient ok")
DELIVERED = LmtpReply(250, "2.1.5", "delivered")
NO_SUCH_USER = LmtpReply(550, "5.1.1", "no such user here")
AMBIGUOUS = LmtpReply(550, "5.1.4", "several recipients have that name")
MAILBOX_FULL = LmtpReply(552, "5.2.2", "mailbox is full")
MAILBOX_FULL_NOW = LmtpReply(452, "4.2.2", "mailbox is full, please try again later")
TRY_LATER = LmtpReply(451, "4.3.0", "temporary trouble here, please try again later")
TOO_LARGE = LmtpReply(552, "5.3.4", "message is larger than this server accepts")
