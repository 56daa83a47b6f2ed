"""Who is inside: the mail domains whose people are no outsiders to a user."""

from collections.abc import Iterable

from mailcore.address import address_key


def read_domains(setting: str) -> frozenset[str]:
    """The mail domains that a setting names, as mailcore.address.address_key folds them.

    >>> sorted(read_domains("Example.ORG example.net"))
    ['example.net', 'example.org']
    """
    return frozenset(address_key(f"@{domain}")[1:] for domain in setting.split())


def inside_of(addresses: Iterable[str], internal_domains: frozenset[str]) -> frozenset[str]:
    """The domains that are inside to a user with these addresses: those of the settings or, without any, its own."""
    return internal_domains or frozenset(domain_of(address) for address in addresses)


def domain_of(address: str) -> str:
    """The folded domain of an address; empty where it has none.

    >>> domain_of("Ben@Example.NET"), domain_of("ben")
    ('example.net', '')
    """
    return address_key(address).rpartition("@")[2] if "@" in address else ""
