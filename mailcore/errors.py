"""The one error tree: every failure says whether trying again can help.

Temporary means our own trouble (database, disk, directory, queue): the sender keeps the mail and tries
again (4yz).  Permanent means that trying again cannot help (5yz, or exit code 70 in direct mode).
"""


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


class NoSuchRecipientError(PermanentError):
    """The address certainly does not exist here (550 5.1.1)."""
