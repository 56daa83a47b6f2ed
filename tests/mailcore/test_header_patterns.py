import pytest

from mailcore.errors import UsageError
from mailcore.header_patterns import HeaderPattern, find_header, parse_header_patterns
from mailcore.view import MessageView


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("Precedence", HeaderPattern("precedence")),
        (" X-Spam-Flag:YES ", HeaderPattern("x-spam-flag", value="yes")),
        ("X-Is-Junk: Yes: really", HeaderPattern("x-is-junk", value="yes: really")),
        ("X-AMAZON*", HeaderPattern("x-amazon", is_prefix=True)),
        ("X-*: a", HeaderPattern("x-", is_prefix=True, value="a")),
        ("Precedence:", HeaderPattern("precedence")),
    ],
)
def test_a_pattern_is_read(pattern: str, expected: HeaderPattern) -> None:
    assert parse_header_patterns([pattern]) == (expected,)


@pytest.mark.parametrize("pattern", ["", "*", ": x", "X Y", "X*Y", "\xe9", "X\r\nY: z"])
def test_what_is_no_pattern_is_named(pattern: str) -> None:
    with pytest.raises(UsageError, match="is no header pattern: expected Name"):
        parse_header_patterns(["Precedence", pattern])


def test_the_first_field_that_matches_is_named_as_it_is_written() -> None:
    view = MessageView(b"Auto-Submitted: no\r\nX-SPAM-flag: yes, 7\r\nPrecedence: bulk\r\n\r\n")
    patterns = parse_header_patterns(["Precedence", "X-Spam-Flag: YES", "Auto-Submitted"])
    assert find_header(view, patterns) == "X-SPAM-flag"
    assert find_header(view, patterns[2:]) == ""
