"""The case folders: what a resource answers and what it holds, told in files a person can read."""

from collections.abc import Iterator

import pytest

from tests.support.booking_desk import Desk, open_desk
from tests.support.case_stage import found_people
from tests.support.cases import Case, all_cases, play
from tests.support.databases import shared_url

CASES = all_cases()
BACKWARDS = [Case(case.folder, backwards=True) for case in CASES if case.ordered]


@pytest.fixture(scope="module")
def stage_desk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    with open_desk(shared_url(request, tmp_path_factory)) as opened:
        found_people(opened)
        yield opened


@pytest.mark.parametrize("stage_desk", ["sqlite"], indirect=True)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case(stage_desk: Desk, case: Case) -> None:
    wrong = play(stage_desk, case)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("stage_desk", ["sqlite"], indirect=True)
@pytest.mark.parametrize("case", BACKWARDS, ids=str)
def test_the_order_of_components_makes_no_difference(stage_desk: Desk, case: Case) -> None:
    wrong = play(stage_desk, case)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("stage_desk", ["postgresql"], indirect=True)
@pytest.mark.parametrize("case", CASES[::10], ids=str)
def test_a_case_on_postgresql(stage_desk: Desk, case: Case) -> None:
    wrong = play(stage_desk, case)
    assert not wrong, "\n".join(wrong)
