"""Whether a mail is meant for a user personally, as its header tells (RFC 3834 section 2, RFC 5230 section 4.5).

Only a mail that names the user is answered: not what came through a group, nor, unless the settings say so, a blind
copy.
"""

from dataclasses import dataclass

from mailcore.address import address_key
from mailcore.view import MessageView
from oof.settings import OofPolicy


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose out-of-office it is, as the addresses tell.

    `addresses` are all of the user's own, the one that the envelope names among them; `groups` those of the groups
    around the user; `via` the group through which this mail has come, or empty.
    """

    addresses: frozenset[str]
    groups: frozenset[str] = frozenset()
    via: str = ""

    def is_me(self, address: str, delimiter: str) -> bool:
        """Whether an address is the user's own; each character of `delimiter` begins a detail in it."""
        return not _spellings(address, delimiter).isdisjoint(map(address_key, self.addresses))


def why_not_mine(view: MessageView, owner: Owner, policy: OofPolicy) -> str:
    """Why a mail does not count as written to this user; empty where it does.

    Who is named personally counts, whatever group is named too or has brought the mail.
    """
    own = set(map(address_key, owner.addresses))
    to, cc, bcc = (_named(view, name, policy.delimiter) for name in ("To", "Cc", "Bcc"))
    if not own.isdisjoint(to):
        return ""
    if not own.isdisjoint(cc):
        return "" if policy.autorespond_cc else "only a copy"
    if not own.isdisjoint(bcc):
        return "" if policy.autorespond_bcc else "blind copy"
    if owner.via or not (to | cc | bcc).isdisjoint(map(address_key, owner.groups)):
        return "sent to a group"
    if not to | cc | bcc:
        return "" if policy.autorespond_norecip else "no recipient named"
    return "" if policy.autorespond_bcc else "not addressed to me"


def _named(view: MessageView, name: str, delimiter: str) -> set[str]:
    """The keys of the addresses in a field and in its Resent- form, with their details and without."""
    boxes = (*view.addresses(name), *view.addresses(f"Resent-{name}"))
    found: set[str] = set()
    return found.union(*(_spellings(box.address, delimiter) for box in boxes if box.address))


def _spellings(address: str, delimiter: str) -> set[str]:
    """The key of an address and, where it has a detail, the key without.

    >>> sorted(_spellings("Anna+Lists@example.org", "+"))
    ['anna+lists@example.org', 'anna@example.org']
    """
    key = address_key(address)
    local, at, domain = key.rpartition("@")
    length = next((i for i, letter in enumerate(local) if i and letter in delimiter), 0)
    return {key, f"{local[:length]}{at}{domain}"} if length else {key}
