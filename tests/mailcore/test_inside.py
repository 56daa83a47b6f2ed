"""Who is inside: by the settings, or else by the user's own addresses."""

import pytest

from mailcore.inside import domain_of, inside_of, read_domains


@pytest.mark.parametrize(
    ("setting", "domains"),
    [
        ("", set()),
        ("example.org  EXAMPLE.net\n", {"example.org", "example.net"}),
        ("xn--bcher-kva.example", {"b\xfccher.example"}),
    ],
)
def test_domains_are_read_folded(setting: str, domains: set[str]) -> None:
    assert read_domains(setting) == domains


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("Ben@Example.NET", "example.net"),
        ("ben@xn--bcher-kva.example", "b\xfccher.example"),
        ('"a@b"@example.net', "example.net"),
        ("ben", ""),
        ("", ""),
    ],
)
def test_the_domain_of_an_address(address: str, domain: str) -> None:
    assert domain_of(address) == domain


def test_without_a_setting_ones_own_domains_are_inside() -> None:
    mine = ("anna@example.org", "anna@B\xfccher.example")
    assert inside_of(mine, frozenset()) == {"example.org", "b\xfccher.example"}
    assert inside_of(mine, frozenset({"example.net"})) == {"example.net"}
