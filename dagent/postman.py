"""Who takes the messages from the LMTP edge, and the promise of a reply for every recipient."""

import logging
from collections.abc import Sequence
from typing import Any, Protocol

from mailcore.envelope import Envelope
from mailcore.errors import MailError, RecipientRefusedError
from mailcore.log_fields import LogFields
from mailcore.reply import RECIPIENT_OK, TRY_LATER, LmtpReply

log = logging.getLogger(__name__)


class Postman(Protocol):
    """Knows the recipients and takes the messages."""

    async def resolve(self, address: str, size: int | None) -> Any:
        """Return the recipient of `address`, in a form only `deliver` needs to understand.

        `size` is that of the message in octets as far as it has been declared, else 0; None when there is no
        message, only the question who that is.
        Raises RecipientRefusedError, whose reply the client gets; whatever else is raised means that
        the answer is not known now (451 4.3.0).
        """

    async def deliver(
        self, envelope: Envelope, recipients: Sequence[Any], content: bytes
    ) -> Sequence[LmtpReply]:
        """Return one reply per recipient, in their order; a positive one says the mail is safe.

        Raising answers 451 4.3.0 for each.  The call goes on when the client has left meanwhile.
        """


async def resolve_or_refuse(
    postman: Postman, address: str, peer: str, size: int | None = None
) -> tuple[Any, LmtpReply]:
    """Return the recipient and the answer to its RCPT; the recipient counts if that is positive."""
    try:
        return await postman.resolve(address, size), RECIPIENT_OK
    except RecipientRefusedError as error:
        fields = {"peer": peer, "recipient": address, "reply": str(error.reply), "why": str(error)}
        log.info("%s", LogFields(fields))
        return None, error.reply
    except MailError as error:
        log.warning("%s: cannot resolve %s now: %s", peer, address, error)
        return None, TRY_LATER
    except Exception:  # not known now is never "no such user"
        log.exception("%s: cannot resolve %s", peer, address)
        return None, TRY_LATER


async def deliver_or_try_later(
    postman: Postman, envelope: Envelope, recipients: Sequence[Any], content: bytes
) -> Sequence[LmtpReply]:
    """Return exactly one reply per recipient, whatever the postman does."""
    try:
        replies = await postman.deliver(envelope, recipients, content)
    except MailError as error:
        log.warning("%s: mail from <%s> refused: %s", envelope.peer, envelope.mail_from, error)
        return [TRY_LATER] * len(recipients)
    except Exception:  # the client keeps the mail and tries again
        log.exception("%s: delivery of mail from <%s> failed", envelope.peer, envelope.mail_from)
        return [TRY_LATER] * len(recipients)
    if len(replies) != len(recipients):
        log.error("%s: %d replies for %d recipients", envelope.peer, len(replies), len(recipients))
        return [TRY_LATER] * len(recipients)
    return replies
