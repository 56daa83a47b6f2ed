"""What is printed of long listings: as they come, and the same as if it had been printed at once."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin.output import print_json_list, print_table
from tests.support.captured import captured

RECORDS = st.lists(
    st.dictionaries(st.text(max_size=5), st.text(max_size=9) | st.none(), max_size=3)
)


@given(RECORDS)
def test_a_list_is_what_json_makes_of_it(records: list[dict[str, str | None]]) -> None:
    printed = captured(lambda: print_json_list(iter(records)))
    assert printed == json.dumps(records, ensure_ascii=False, indent=2) + "\n"


def test_a_value_is_printed_before_the_next_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def values() -> Iterator[str]:
        yield "first"
        assert capsys.readouterr().out == '[\n  "first"'
        yield "second"

    print_json_list(values())
    assert capsys.readouterr().out == ',\n  "second"\n]\n'


def test_rows_are_printed_before_all_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    def rows() -> Iterator[tuple[str, int]]:
        for number in range(1000):
            yield "x" * (1 + number // 100), number
        assert len(capsys.readouterr().out.splitlines()) == 1001
        yield "last", 1000

    print_table(("Name", "Number"), rows())
    assert capsys.readouterr().out == f"{'last':10}  1000\n"


def test_columns_grow_and_never_shrink(capsys: pytest.CaptureFixture[str]) -> None:
    names = ["a" * 8, *["b"] * 600, "c" * 12, "d"]
    print_table(("Name", "Size"), [(name, 7) for name in names])
    lines = capsys.readouterr().out.splitlines()
    assert {len(line) for line in lines[1:500]} == {8 + 2 + 1}
    assert {len(line) for line in lines[501:]} == {12 + 2 + 1}


def test_what_is_not_there_is_an_empty_cell(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("Name", "Store", "Size"), [("a", None, 1)], indent="  ")
    assert capsys.readouterr().out == "  Name  Store  Size\n  a            1\n"
