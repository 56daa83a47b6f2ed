"""Mail on its way: late, out of order, and some of it twice.  Pure."""

import random
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from tests.support.simulation_words import Message


class Delivery(NamedTuple):
    """One LMTP transaction."""

    message: Message
    mail_from: str
    rcpt_tos: tuple[str, ...]
    content: bytes


def carry(seed: int, messages: Iterable[Message]) -> list[Delivery]:
    """The transactions in which messages arrive.

    Most keep their order roughly, one in ten is late by many others.  One in thirty comes once more with the
    very same bytes, as after a lost reply, and one in thirty in a mail with a Message-ID of its own.
    """
    rng = random.Random(f"{seed} transport")
    arriving: list[tuple[float, int, Delivery]] = []

    def post(message: Message, when: float) -> None:
        for rcpt_tos in _ways(rng, message):
            moment = when + _delay(rng)
            delivery = Delivery(message, message.from_, rcpt_tos, message.mail())
            arriving.append((moment, len(arriving), delivery))
            if rng.random() < 1 / 30:
                arriving.append((moment + _delay(rng), len(arriving), delivery))

    for when, message in enumerate(messages):
        post(message, when)
        if rng.random() < 1 / 30:
            post(replace(message, copy=1), when)
    return [delivery for _, _, delivery in sorted(arriving, key=lambda one: one[:2])]


def _ways(rng: random.Random, message: Message) -> list[tuple[str, ...]]:
    """All recipients at once, or each on its own."""
    if rng.random() < 0.5:
        return [message.recipients]
    return [(one,) for one in message.recipients]


def _delay(rng: random.Random) -> float:
    """In messages."""
    return rng.expovariate(1 / 200) if rng.random() < 0.1 else 2 * rng.random()
