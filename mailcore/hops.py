"""The mailboxes that a message has been delivered to before, as its Delivered-To fields tell.

Many an MTA writes a Delivered-To of its own before it hands a message over (OpenSMTPD, Postfix with `flags=D`).  That
one stands above every Received; those of an earlier delivery lie below the Received of the MTA that brought it back.
"""

from mailcore.address import address_key
from mailcore.headers import decode_value
from mailcore.view import MessageView


def delivered_before(view: MessageView) -> frozenset[str]:
    """The keys (mailcore.address.address_key) of the mailboxes that have had this message.

    >>> came_back = b"Delivered-To: anna@x\\r\\nReceived: a\\r\\nDelivered-To: <Ben@x>\\r\\n\\r\\n"
    >>> sorted(delivered_before(MessageView(came_back)))
    ['ben@x']
    """
    if not view.has("Delivered-To"):
        return frozenset()
    passed = set()
    below = False
    for field in view.fields:
        name = field.name.lower()
        if name == "received":
            below = True
        elif below and name == "delivered-to":
            passed.add(address_key(decode_value(field.value).strip().strip("<>")))
    return frozenset(passed)
