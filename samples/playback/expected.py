"""What the demo has to see (samples/expected.toml), and how what it saw differs from it.  Pure."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from mailcore.reply import LmtpReply
from playback.answers import Answer


class ExpectedAnswer(NamedTuple):
    """The answer that one mail causes; `says` are words that its text has to hold."""

    to: str
    subject: str
    partstat: str
    says: tuple[str, ...] = ()


class Booking(NamedTuple):
    """One booking of a resource; ISO times with the offset of the resource's zone."""

    summary: str
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class SampleMail:
    """One mail to send, and what has to come of it."""

    file: str
    why: str
    mail_from: str
    replies: Mapping[str, int]
    fate: str
    answer: ExpectedAnswer | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one mail: LMTP replies, fates of its booking jobs, answers that went out."""

    replies: Sequence[LmtpReply]
    fates: Sequence[str]
    answers: Sequence[Answer]


@dataclass(frozen=True, slots=True)
class Expected:
    """Everything that has to happen: the mails in sending order, then the bookings at the end."""

    mails: tuple[SampleMail, ...]
    bookings: Mapping[str, tuple[Booking, ...]]


def parse_expected(text: str, zones: Mapping[str, ZoneInfo], by: timedelta) -> Expected:
    """Read the text of samples/expected.toml, its times in the resources' `zones` and moved `by` whole days."""
    document = tomllib.loads(text)
    return Expected(
        mails=tuple(_parse_mail(mail) for mail in document["mail"]),
        bookings={
            resource: tuple(
                Booking(
                    row["summary"],
                    *(
                        _written((row[edge] + by).replace(tzinfo=zones[resource]))
                        for edge in ("start", "end")
                    ),
                )
                for row in rows
            )
            for resource, rows in document["bookings"].items()
        },
    )


def read_bookings(rows: Sequence[Mapping[str, Any]]) -> tuple[Booking, ...]:
    """Return the rows of `kopano-admin --list-bookings --json` that hold time as bookings, by beginning."""
    bookings = (
        Booking(
            row["summary"],
            _written(datetime.fromisoformat(row["start"])),
            _written(datetime.fromisoformat(row["end"])),
        )
        for row in rows
        if row["status"] == "accepted"
    )
    return tuple(sorted(bookings, key=lambda booking: datetime.fromisoformat(booking.start)))


def differing_outcome(mail: SampleMail, outcome: Outcome) -> list[str]:
    """Return one sentence for each thing that did not become of a mail as it should."""
    found = [
        f"{mail.file}: {recipient}: expected {code}, got {reply}"
        for (recipient, code), reply in zip(mail.replies.items(), outcome.replies, strict=True)
        if reply.code != code
    ]
    if list(outcome.fates) != ([mail.fate] if mail.fate else []):
        got = ", ".join(outcome.fates)
        found.append(f"{mail.file}: expected {mail.fate or 'no job'}, got {got or 'no job'}")
    expected = [mail.answer] if mail.answer else []
    answers = [
        ExpectedAnswer(each.rcpt_to, each.subject, each.partstat) for each in outcome.answers
    ]
    if answers != [answer._replace(says=()) for answer in expected]:
        found.append(f"{mail.file}: expected {_listed(expected)}, got {_listed(answers)}")
        return found
    return found + [
        f"{mail.file}: expected the words {words!r} in the answer, got {got.text!r}"
        for answer, got in zip(expected, outcome.answers, strict=True)
        for words in answer.says
        if words not in " ".join(got.text.split())
    ]


def differing_bookings(
    resource: str, expected: Sequence[Booking], got: Sequence[Booking]
) -> list[str]:
    """Return one sentence for each booking that is missing or that should not be there."""
    missing = [
        f"{resource}: missing: {_shown(booking)}" for booking in expected if booking not in got
    ]
    extra = [
        f"{resource}: not expected: {_shown(booking)}" for booking in got if booking not in expected
    ]
    return missing + extra


def _parse_mail(mail: Mapping[str, Any]) -> SampleMail:
    answer = None
    if "answer" in mail:
        written = mail["answer"]
        answer = ExpectedAnswer(**{**written, "says": tuple(written.get("says", ()))})
    return SampleMail(
        file=mail["file"],
        why=mail["why"],
        mail_from=mail["mail_from"],
        replies=mail["replies"],
        fate=mail.get("fate", ""),
        answer=answer,
    )


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")


def _shown(booking: Booking) -> str:
    return f"{booking.summary}, {booking.start} to {booking.end}"


def _listed(answers: Sequence[ExpectedAnswer]) -> str:
    shown = [f"{answer.subject!r} to {answer.to} ({answer.partstat})" for answer in answers]
    return " and ".join(shown) or "no answer"
