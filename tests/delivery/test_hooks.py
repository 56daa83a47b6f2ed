"""Hooks: which are loaded, in which order they are asked, what several say together, and what a failure means."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from delivery.arrival import Wish
from delivery.hooks import GO_ON, Hook, Hooks, Verdict, load_hooks
from mailcore.envelope import Envelope
from mailcore.errors import TemporaryError, UsageError
from mailcore.reply import DELIVERED, LmtpReply
from mailcore.view import MessageView
from userstore.model import User

VIEW = MessageView(b"Subject: x\r\n\r\nbody\r\n")
ENVELOPE = Envelope("carla@example.net", ("anna@example.org",))
ANNA = User("1", "anna", "Anna", "anna@example.org")
REFUSED = LmtpReply(550, "5.7.1", "not here")
LATER = LmtpReply(451, "4.7.1", "not now")
MODULE = """
from delivery.hooks import Hook

class Good(Hook):
    pass

class Broken(Hook):
    def __init__(self):
        raise RuntimeError("no licence")

class Stranger:
    pass
"""
ENTRY_POINTS = """
[kopano_dagent.hooks]
first = site_hooks_of_a_test:Good
second = site_hooks_of_a_test:Good
broken = site_hooks_of_a_test:Broken
stranger = site_hooks_of_a_test:Stranger
gone = site_hooks_of_a_test:Gone
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution with five entry points."""
    (tmp_path / "site_hooks_of_a_test.py").write_text(MODULE)
    about = tmp_path / "site_hooks-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: site-hooks\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("first nobody", "no hook 'nobody' is installed; there are: broken, first, gone, second,"),
        ("broken", "broken cannot be loaded: no licence"),
        ("gone", "gone cannot be loaded"),
        ("first stranger", "stranger is no subclass of delivery.hooks.Hook"),
    ],
)
def test_what_cannot_be_had_is_named(installed: None, names: str, words: str) -> None:
    with pytest.raises(UsageError, match=f"hooks.*{words}"):
        load_hooks(names, "defer")


def test_without_names_there_are_none() -> None:
    assert not load_hooks(" ", "defer")
    with pytest.raises(UsageError, match="there are: none"):
        load_hooks("first", "defer")


@pytest.mark.parametrize("names", ["first second", " second\n first "])
def test_the_setting_gives_the_order(installed: None, names: str) -> None:
    loaded = load_hooks(names, "defer")
    assert loaded
    assert [name for name, _ in loaded._hooks] == names.split()


class Scripted(Hook):
    """Answers as it is told, and notes in a list that is shared by all that it was asked."""

    def __init__(self, name: str, asked: list[str], **answers: Any) -> None:
        self._name = name
        self._asked = asked
        self._answers = answers

    def _answer(self, method: str, otherwise: Any) -> Any:
        self._asked.append(f"{self._name}.{method}")
        answer = self._answers.get(method, otherwise)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def post_converting(self, message: MessageView, envelope: Envelope) -> bytes | None:
        addition = self._answer("post_converting", None)
        return message.raw + addition if isinstance(addition, bytes) else addition

    def pre_delivery(self, message: MessageView, envelope: Envelope, user: User) -> Verdict:
        verdict: Verdict = self._answer("pre_delivery", GO_ON)
        return verdict

    def pre_rules(self, message: MessageView, envelope: Envelope, user: User) -> bool:
        answer: bool = self._answer("pre_rules", True)
        return answer

    def post_delivery(
        self, message: MessageView, envelope: Envelope, user: User, reply: LmtpReply
    ) -> None:
        self._answer("post_delivery", None)


def scripted(*answers: dict[str, Any], failure: str = "defer") -> tuple[Hooks, list[str]]:
    """Hooks called a, b, ... with these answers, and the list of what they are asked."""
    asked: list[str] = []
    hooks = [
        (name, Scripted(name, asked, **own)) for name, own in zip("abc", answers, strict=False)
    ]
    return Hooks(hooks, failure=failure), asked


def said(*verdicts: Verdict, wish: Wish = Wish()) -> Wish | LmtpReply:  # noqa: B008 - frozen
    hooks, _ = scripted(*({"pre_delivery": verdict} for verdict in verdicts))
    return hooks.verdict(VIEW, ENVELOPE, ANNA, wish)


def test_each_hook_gets_what_the_one_before_it_has_made() -> None:
    hooks, asked = scripted({"post_converting": b"1"}, {}, {"post_converting": b"2"})
    assert hooks.converted(VIEW, ENVELOPE).raw == VIEW.raw + b"12"
    assert asked == ["a.post_converting", "b.post_converting", "c.post_converting"]
    unchanged, _ = scripted({}, {})
    assert unchanged.converted(VIEW, ENVELOPE) is VIEW


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([GO_ON, GO_ON], Wish()),
        ([Verdict(junk=True), GO_ON], Wish(junk=True)),
        ([Verdict(folder="A"), Verdict(folder="B")], Wish(folder="B")),
        ([Verdict(folder="A"), GO_ON], Wish(folder="A")),
        ([Verdict(folder="A"), Verdict(junk=True)], Wish(folder="A", junk=True)),
        ([Verdict(junk=True), Verdict(reply=LATER), Verdict(reply=REFUSED)], LATER),
    ],
)
def test_what_several_say_together(verdicts: list[Verdict], expected: Wish | LmtpReply) -> None:
    assert said(*verdicts) == expected


def test_after_a_refusal_nobody_else_is_asked() -> None:
    hooks, asked = scripted({"pre_delivery": Verdict(reply=REFUSED)}, {})
    assert hooks.verdict(VIEW, ENVELOPE, ANNA, Wish()) == REFUSED
    assert asked == ["a.pre_delivery"]


@pytest.mark.parametrize(
    ("answers", "rules"), [([True, True], True), ([False, True], False), ([True, False], False)]
)
def test_one_no_keeps_the_rules_out(answers: list[bool], rules: bool) -> None:
    hooks, _ = scripted(*({"pre_rules": answer} for answer in answers))
    assert hooks.verdict(VIEW, ENVELOPE, ANNA, Wish()) == Wish(rules=rules)


def test_a_folder_of_a_hook_is_the_users_own() -> None:
    asked = Wish(folder="Board", public=True, create=True, read=True, delivered_at=1.0)
    assert said(GO_ON, wish=asked) == asked
    assert said(Verdict(folder="A"), wish=asked) == Wish(folder="A", read=True, delivered_at=1.0)


ASK: dict[str, tuple[Callable[[Hooks], object], object]] = {
    "post_converting": (lambda hooks: hooks.converted(VIEW, ENVELOPE), VIEW),
    "pre_delivery": (lambda hooks: hooks.verdict(VIEW, ENVELOPE, ANNA, Wish()), Wish()),
    "pre_rules": (lambda hooks: hooks.verdict(VIEW, ENVELOPE, ANNA, Wish()), Wish()),
}
BAD_ANSWERS: list[tuple[str, object]] = [
    *((method, RuntimeError("down")) for method in ASK),
    ("post_converting", "text is not bytes"),
    ("pre_delivery", None),
    ("pre_delivery", REFUSED),
    ("pre_rules", None),
]


@pytest.mark.parametrize(("method", "answer"), BAD_ANSWERS)
@pytest.mark.parametrize("failure", ["defer", "skip"])
def test_a_hook_that_fails_is_named(
    method: str, answer: object, failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    ask, unhurt = ASK[method]
    hooks, asked = scripted({}, {method: answer}, {}, failure=failure)
    if failure == "skip":
        assert ask(hooks) == unhurt
        assert asked[-1].startswith("c.")
    else:
        with pytest.raises(TemporaryError, match="hook b failed"):
            ask(hooks)
        assert asked[-1] == f"b.{method}"
    assert "hook b failed" in caplog.text


def test_post_delivery_never_raises(caplog: pytest.LogCaptureFixture) -> None:
    hooks, asked = scripted({"post_delivery": RuntimeError("down")}, {})
    hooks.delivered(VIEW, ENVELOPE, ANNA, DELIVERED)
    assert asked == ["a.post_delivery", "b.post_delivery"]
    assert "hook a: post_delivery failed" in caplog.text
