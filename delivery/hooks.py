"""Hooks: code of a site in the way of every message, named by `[delivery] hooks` and found as entry points.

A hook is a subclass of `Hook`, published by an installed package under the entry point group `kopano_dagent.hooks`; an
object of it is made at the start.  Its methods run in threads, several at once, before the reply to the client: what
they do adds to the time that every sender waits.  One that raises is a temporary failure for the mail, or is passed
over, as `hook_failure` says; what `post_delivery` raises is only logged.  Mail that the auto-booker hands back meets no
hook a second time.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import entry_points
from types import UnionType
from typing import TypeVar

from delivery.arrival import Wish
from mailcore.envelope import Envelope
from mailcore.errors import TemporaryError, UsageError
from mailcore.reply import LmtpReply
from mailcore.view import MessageView
from userstore.model import User

log = logging.getLogger(__name__)

GROUP = "kopano_dagent.hooks"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a hook says about a message for one user: go on, unless it names a folder, junk, or a reply that refuses.

    The folder is a path; where it is missing the Inbox takes the mail.  With a reply nothing is stored; 4yz makes the
    client try again, 5yz makes it bounce, 2yz drops the mail without a word.
    """

    folder: str = ""
    junk: bool = False
    reply: LmtpReply | None = None


GO_ON = Verdict()


class Hook:
    """What a site may do: a subclass overrides the methods that it wants; these here do nothing."""

    def post_converting(self, message: MessageView, envelope: Envelope) -> bytes | None:  # noqa: ARG002 - see the class
        """After the message has been read: the bytes that take its place for all recipients, or None."""
        return None

    def pre_delivery(self, message: MessageView, envelope: Envelope, user: User) -> Verdict:  # noqa: ARG002 - see the class
        """Before anything is decided for one user."""
        return GO_ON

    def pre_rules(self, message: MessageView, envelope: Envelope, user: User) -> bool:  # noqa: ARG002 - see the class
        """Whether the rules of a user look at this message."""
        return True

    def post_delivery(
        self, message: MessageView, envelope: Envelope, user: User, reply: LmtpReply
    ) -> None:
        """When the message is on disk for a user, or refused; repeats are told as well."""


class Hooks:
    """The hooks of this installation, in their order; false when there are none."""

    def __init__(self, hooks: Sequence[tuple[str, Hook]] = (), *, failure: str = "defer") -> None:
        self._hooks = tuple(hooks)
        self._skip = failure == "skip"

    def __bool__(self) -> bool:
        return bool(self._hooks)

    def converted(self, view: MessageView, envelope: Envelope) -> MessageView:
        """The message as the hooks leave it.  Raises TemporaryError."""
        for name, hook in self._hooks:
            call = partial(hook.post_converting, view, envelope)
            changed = self._call(name, call, None, kind=bytes | None)
            if changed is not None:
                view = MessageView(changed)
        return view

    def verdict(
        self, view: MessageView, envelope: Envelope, user: User, wish: Wish
    ) -> Wish | LmtpReply:
        """What is wished for the message after all hooks, or the reply of the first that refuses it.

        Raises TemporaryError.
        """
        junk, folder, rules = wish.junk, wish.folder, wish.rules
        for name, hook in self._hooks:
            before = partial(hook.pre_delivery, view, envelope, user)
            said = self._call(name, before, GO_ON, kind=Verdict)
            if said.reply is not None:
                return said.reply
            junk, folder = junk or said.junk, said.folder or folder
            ask = partial(hook.pre_rules, view, envelope, user)
            rules = self._call(name, ask, True, kind=bool) and rules
        if folder != wish.folder:
            wish = replace(wish, folder=folder, public=False, create=False)
        return replace(wish, junk=junk, rules=rules)

    def delivered(
        self, view: MessageView, envelope: Envelope, user: User, reply: LmtpReply
    ) -> None:
        """Tell the hooks what became of a message; never raises."""
        for name, hook in self._hooks:
            try:
                hook.post_delivery(view, envelope, user, reply)
            except Exception:  # the mail has its reply already
                log.exception("hook %s: post_delivery failed", name)

    def _call(self, name: str, call: Callable[[], T], otherwise: T, *, kind: type | UnionType) -> T:
        """What a hook answers; an answer of another kind is a failure too, as no type checker saw it."""
        try:
            answer = call()
            if not isinstance(answer, kind):
                raise TypeError(f"it answered with {type(answer).__name__}, expected {kind}")
        except Exception as error:
            if self._skip:
                log.exception("hook %s failed and is passed over", name)
                return otherwise
            log.exception("hook %s failed; the client tries again", name)
            raise TemporaryError(f"hook {name} failed: {error}") from error
        return answer


def load_hooks(names: str, failure: str) -> Hooks:
    """Make the hooks that `names` lists, separated by blanks; raises UsageError naming the one that cannot be had."""
    if not names.split():
        return Hooks()
    found = {point.name: point for point in entry_points(group=GROUP)}
    hooks = []
    for name in names.split():
        if name not in found:
            known = ", ".join(sorted(found)) or "none"
            raise UsageError(f"[delivery] hooks: no hook {name!r} is installed; there are: {known}")
        try:
            hook = found[name].load()()
        except Exception as error:
            raise UsageError(f"[delivery] hooks: {name} cannot be loaded: {error}") from error
        if not isinstance(hook, Hook):
            raise UsageError(f"[delivery] hooks: {name} is no subclass of delivery.hooks.Hook")
        hooks.append((name, hook))
    return Hooks(hooks, failure=failure)
