import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.path import AddressSyntaxError, ArgumentSyntaxError, parse_path_argument

GOOD = [
    ("<>", ""),
    ("<a@b>", "a@b"),
    (" <a@b>", "a@b"),
    ("<Anna.Berg+x=y@EXAMPLE.org>", "Anna.Berg+x=y@EXAMPLE.org"),
    ("<postmaster>", "postmaster"),
    ("<anna>", "anna"),
    ("<.a..b.@c>", ".a..b.@c"),
    ("<a@under_score.example>", "a@under_score.example"),
    ("<@r1.example,@r2.example:a@b.example>", "a@b.example"),
    ('<"a b"@c>', '"a b"@c'),
    ('<"anna"@c>', "anna@c"),
    ('<"an\\na"@c>', "anna@c"),
    ('<"a>b"@c>', '"a>b"@c'),
    ('<"a\\"\\\\b"@c>', '"a\\"\\\\b"@c'),
    ('<""@c>', '""@c'),
    ("<a@[127.0.0.1]>", "a@[127.0.0.1]"),
    ("<a@[IPv6:::1]>", "a@[IPv6:::1]"),
    ("<änna@bücher.example>", "änna@bücher.example"),
    ("<अजय@डाटा.भारत>", "अजय@डाटा.भारत"),
    (f"<{'a' * 255}@b>", "a" * 255 + "@b"),
]

BAD_ADDRESS = [
    "<a@>",
    "<@b>",
    "<a@b",
    "<a@b@c>",
    "<a b@c>",
    "<a@b c>",
    "<a@b..c>",
    "<a@.b>",
    "<a@b.>",
    "< a@b>",
    "<a@b >",
    "<<a@b>>",
    "<a(x)@b>",
    "<a\tb@c>",
    "<a\x85b@c>",
    "<a\u2028b@c>",
    '<"a@b>',
    '<"a"b@c>',
    "<@r:>",
    "<@r@b>",
    "<a@[]>",
    "<a@[1",
    f"<{'a' * 256}@b>",
    f"<a@{'b' * 256}>",
    f"<{'ä' * 128}@b>",
]

BAD_ARGUMENT = [
    "",
    "<a@b>",
    "FROM",
    "FROM<a@b>",
    "TO:<a@b>",
    "FROM:",
    "FROM:a@b",
    "FROM:<a@b>x",
    "FROM:<a@b>SIZE=1",
    "FROM:<a@b> =1",
    "FROM:<a@b> SIZE=",
    "FROM:<a@b> SIZE=1=2",
    "FROM:<a@b> -X=1",
    "FROM:<a@b> X=1 x=2",
    "FROM:<a@b> X=\x01",
    "FROM:<a@b>\tX=1",
]


@pytest.mark.parametrize(("text", "address"), GOOD)
def test_addresses(text, address):
    assert parse_path_argument("FROM", f"from:{text}").address == address


@pytest.mark.parametrize("text", BAD_ADDRESS)
def test_bad_addresses(text):
    with pytest.raises(AddressSyntaxError):
        parse_path_argument("TO", f"TO:{text}")


@pytest.mark.parametrize("argument", BAD_ARGUMENT)
def test_bad_arguments(argument):
    with pytest.raises(ArgumentSyntaxError) as caught:
        parse_path_argument("FROM", argument)
    assert not isinstance(caught.value, AddressSyntaxError)


def test_parameters():
    argument = parse_path_argument("TO", "TO:<a@b>  notify=NEVER X-1 ORCPT=rfc822;ü+3D ")
    assert dict(argument.parameters) == {"NOTIFY": "NEVER", "X-1": None, "ORCPT": "rfc822;ü+3D"}


@given(st.text(alphabet='<>@,:;"\\ .[]abü=\t', max_size=30))
def test_anything_is_read_or_refused_and_reading_again_changes_nothing(text):
    try:
        address = parse_path_argument("TO", f"TO:<{text}").address
    except ArgumentSyntaxError:
        return
    assert parse_path_argument("TO", f"TO:<{address}>").address == address


@pytest.mark.parametrize(
    "hostile", ["<" + "@a," * 30_000, '<"' + "\\a" * 50_000, "<" + "a." * 50_000]
)
def test_hostile_arguments_are_refused_in_linear_time(hostile):
    with pytest.raises(AddressSyntaxError):
        parse_path_argument("TO", f"TO:{hostile}")
