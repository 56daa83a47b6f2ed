"""Whom a user knows outside, as far as a mail itself can tell."""

import re
from collections.abc import Collection

from mailcore.inside import domain_of
from mailcore.view import MessageView

_ID_DOMAIN = re.compile(r"@([^<>@\s]{1,255})>")


def answers_ours(view: MessageView, domains: Collection[str]) -> bool:
    """Whether a mail answers one that was written here: In-Reply-To or References names a Message-ID of one of these
    domains or of a host below it (RFC 5322 section 3.6.4).

    >>> answers_ours(MessageView(b"In-Reply-To: <1@pc7.example.org>\\r\\n\\r\\n"), {"example.org"})
    True
    """
    named = f"{view.header('In-Reply-To') or ''} {view.header('References') or ''}"
    hosts = {f".{domain_of(f'@{host}')}" for host in _ID_DOMAIN.findall(named)}
    return any(host.endswith(f".{domain}") for host in hosts for domain in domains if domain)
