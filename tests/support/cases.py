"""Case folders for the booker: what is booked, what is asked, and what has to come of it.

What the files of a folder mean is said in tests/mr_accept/cases/README.md.
"""

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.booking_desk import Desk
from tests.support.case_stage import open_stage
from tests.support.case_text import reversed_blocks

ROOT = Path(__file__).parents[1] / "mr_accept" / "cases"
_STEP = re.compile(r"\d+-[a-z0-9-]+\.(ics|eml|toml)")
_CALENDAR, _POLICY, _EXPECTED = "calendar.ics", "policy.toml", "expected.toml"
_OTHERS = {_CALENDAR, _POLICY, _EXPECTED, "holidays.ics"}


class Case(NamedTuple):
    """One folder; `backwards`: with the components of every calendar in the opposite order."""

    folder: Path
    backwards: bool = False

    def __str__(self) -> str:
        name = self.folder.relative_to(ROOT).as_posix()
        return f"{name}-backwards" if self.backwards else name

    @property
    def steps(self) -> list[Path]:
        """The messages, and the changes of the resource between them, in their order."""
        found = [path for path in self.folder.iterdir() if path.name not in _OTHERS]
        strange = [path.name for path in found if not _STEP.fullmatch(path.name)]
        assert not strange, f"what are {strange}?"
        return sorted(found, key=lambda path: int(path.name.partition("-")[0]))

    def values(self, name: str) -> dict[str, Any]:
        """A TOML file of the folder; empty where there is none."""
        path = self.folder / name
        return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}

    def content(self, path: Path) -> bytes:
        """A calendar or a mail in the order of this case."""
        raw = path.read_bytes()
        return reversed_blocks(raw) if self.backwards else raw

    @property
    def any_order(self) -> bool:
        """Whether the messages come to the same end in whatever order they come in."""
        return bool(self.values(_EXPECTED)["end"].get("any_order"))

    @property
    def ordered(self) -> bool:
        """Whether the order of components can make a difference."""
        texts = [path for path in self.folder.iterdir() if path.suffix in (".ics", ".eml")]
        return any(path.read_bytes() != reversed_blocks(path.read_bytes()) for path in texts)


def all_cases() -> list[Case]:
    """Every folder, by name."""
    return [Case(path.parent) for path in sorted(ROOT.glob(f"*/*/{_EXPECTED}"))]


def play_in_order(desk: Desk, case: Case, order: Sequence[Path]) -> list[str]:
    """Play a case's messages in another order; return what is held otherwise than expected."""
    with open_stage(desk, case.values(_POLICY)) as stage:
        for path in order:
            stage.send(case.content(path), mail=path.suffix == ".eml")
        return list(stage.compare_end(case.values(_EXPECTED)["end"]))


def play(desk: Desk, case: Case) -> list[str]:
    """Play a case; return what did not come as expected, a line for each."""
    expected = case.values(_EXPECTED)
    policy = case.values(_POLICY)
    messages = [path.stem for path in case.steps if path.suffix != ".toml"]
    assert [*messages, "end"] == list(expected), "expected.toml"
    wrong: list[str] = []
    with open_stage(desk, policy) as stage:
        if (case.folder / _CALENDAR).exists():
            stage.book(case.content(case.folder / _CALENDAR))
        stage.change(policy, case.folder)
        for path in case.steps:
            if path.suffix == ".toml":
                stage.change(case.values(path.name), case.folder)
                continue
            outcome = stage.send(case.content(path), mail=path.suffix == ".eml")
            complaints = stage.compare(outcome, expected[path.stem])
            wrong += [f"{path.stem}: {complaint}" for complaint in complaints]
        return wrong + [f"end: {complaint}" for complaint in stage.compare_end(expected["end"])]
