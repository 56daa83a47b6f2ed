"""The next hop of a mailbox, as settings and mailboxes write it: `store`, `lmtp:unix:/path` or `lmtp:host:port`."""

from mailcore.errors import UsageError
from mailcore.listen import TcpAddress, UnixAddress, parse_listen_address

OWN_STORE = "store"
_LMTP = "lmtp:"


def next_hop_of(own: str, default: str) -> str:
    """Where the mail of a mailbox is handed on to; empty for our own store.

    `own` is what the mailbox says, empty where `default` of the settings counts.

    >>> next_hop_of("", "store"), next_hop_of("lmtp:[::1]:24", "store"), next_hop_of("store", "lmtp:[::1]:24")
    ('', 'lmtp:[::1]:24', '')
    """
    hop = own or default
    return "" if hop == OWN_STORE else hop


def parse_next_hop(value: str, where: str) -> TcpAddress | UnixAddress | None:
    """Read a next hop, None for our own store; raises UsageError naming `where`.

    >>> parse_next_hop("lmtp:unix:/run/dovecot/lmtp", "deliver_via")
    UnixAddress(path=PosixPath('/run/dovecot/lmtp'))
    """
    if value == OWN_STORE:
        return None
    if not value.startswith(_LMTP):
        raise UsageError(
            f"{where}: expected store, lmtp:unix:/path or lmtp:host:port, not {value!r}"
        )
    address = parse_listen_address(value.removeprefix(_LMTP), where)
    if isinstance(address, TcpAddress) and not (address.host and address.port):
        raise UsageError(f"{where}: {value!r} needs a host and a port, as in lmtp:127.0.0.1:24")
    return address
