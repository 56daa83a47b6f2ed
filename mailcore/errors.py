"""The one error tree: every failure says whether trying again can help.

Temporary means our own trouble (database, disk, directory, queue): the sender keeps the mail and tries
again (4yz).  Permanent means that trying again cannot help (5yz, or exit code 70 in direct mode).
"""

from mailcore.reply import AMBIGUOUS, NO_SUCH_USER, LmtpReply


class MailError(Exception):
    """Any failure that this project raises on purpose; `permanent` tells whether a retry can help."""

    permanent = False


class TemporaryError(MailError):
    """Our own trouble, or a limit that will pass: try again later."""


class PermanentError(MailError):
    """Trying the same again gives the same failure."""

    permanent = True


class UsageError(PermanentError):
    """What an administrator typed or configured is wrong; the text names the thing and the fix."""


class RecipientRefusedError(MailError):
    """A recipient who is not taken now or for good; `reply` is what the client is told."""

    def __init__(self, why: str, reply: LmtpReply) -> None:
        super().__init__(why)
        self.reply = reply
        self.permanent = reply.code >= 500


class NoSuchRecipientError(RecipientRefusedError):
    """The address certainly does not exist here (550 5.1.1)."""

    def __init__(self, why: str, reply: LmtpReply = NO_SUCH_USER) -> None:
        super().__init__(why, reply)


class AmbiguousRecipientError(RecipientRefusedError):
    """Several people have that name or address, and nobody can tell who is meant (550 5.1.4)."""

    def __init__(self, why: str) -> None:
        super().__init__(why, AMBIGUOUS)


class MailboxFullError(RecipientRefusedError):
    """The mail would bring a mailbox over its hard quota (552 5.2.2 or 452 4.2.2, as the setting says)."""
