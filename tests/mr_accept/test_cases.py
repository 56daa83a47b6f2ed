"""The case folders: what a resource answers and what it holds, told in files a person can read."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.booking_desk import Desk, open_desk
from tests.support.case_stage import found_people
from tests.support.cases import ROOT, Case, all_cases, play, play_in_order
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


@pytest.mark.parametrize("stage_desk", ["sqlite"], indirect=True)
@pytest.mark.parametrize("case", [case for case in CASES if case.any_order], ids=str)
def test_the_order_of_messages_makes_no_difference(stage_desk: Desk, case: Case) -> None:
    for order in itertools.permutations(case.steps):
        wrong = play_in_order(stage_desk, case, order)
        assert not wrong, "\n".join([" ".join(path.stem for path in order), *wrong])


@pytest.mark.parametrize("stage_desk", ["postgresql"], indirect=True)
@pytest.mark.parametrize("case", CASES[::10], ids=str)
def test_a_case_on_postgresql(stage_desk: Desk, case: Case) -> None:
    wrong = play(stage_desk, case)
    assert not wrong, "\n".join(wrong)


def test_every_folder_is_a_case() -> None:
    folders = {path for path in ROOT.glob("*/*") if path.is_dir()}
    assert {case.folder for case in CASES} == folders
    assert len(folders) >= 250


@pytest.mark.parametrize("stage_desk", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("said", "instead", "complaint"),
    [
        (
            'fate = "accepted"',
            'fate = "declined"',
            "1-request: fate accepted () instead of declined",
        ),
        ('["ACCEPTED"]', '["DECLINED"]', "1-request: replies ['ACCEPTED'] instead of ['DECLINED']"),
        (
            "09:00 to 10:00",
            "09:00 to 11:00",
            "end: held ['planning: Mon 2026-01-12 09:00 to 10:00']",
        ),
        ("[end]", 'text = "no"\n[end]', "1-request: 'no' is not in the text"),
        ("[end]", 'lines = ["SEQUENCE:1"]\n[end]', "1-request: 'SEQUENCE:1' is not in the reply's"),
        ("[end]", "[end]\ncount = 2", "end: 1 occurrences held instead of 2"),
        ("[end]", "[end]\nmails = { Inbox = 1 }", "end: 0 mails in Inbox instead of 1"),
        ("[end]", 'typo = "no"\n[end]', "1-request: expected.toml: typo is not known"),
    ],
)
def test_what_comes_otherwise_is_told(
    stage_desk: Desk, tmp_path: Path, said: str, instead: str, complaint: str
) -> None:
    folder = shutil.copytree(ROOT / "recurrence" / "single", tmp_path / "single")
    expected = folder / "expected.toml"
    text = expected.read_text("utf-8")
    assert said in text
    expected.write_text(text.replace(said, instead), "utf-8")
    (wrong,) = play(stage_desk, Case(folder))
    assert wrong.startswith(complaint)
