"""What the demo shows: each mail while it happens, then calendars, answers and differences."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from playback.agent import Agent
from playback.answers import Answer
from playback.expected import Booking, Outcome, SampleMail


def show_mail(console: Console, mail: SampleMail, outcome: Outcome) -> None:
    """Print what became of one mail: a line for it, one per recipient, job and answer."""
    console.print(f"[bold]{mail.file}[/]  {escape(mail.why)}", soft_wrap=True)
    for recipient, reply in zip(mail.replies, outcome.replies, strict=True):
        colour = "green" if reply.positive else "yellow"
        console.print(f"    {recipient:26} [{colour}]{escape(str(reply))}[/]")
    for fate in outcome.fates:
        console.print(f"    {'the booker':26} {fate}")
    for answer in outcome.answers:
        console.print(f"    -> {answer.rcpt_to:23} [cyan]{escape(answer.subject)}[/]")


def show_calendar(console: Console, resource: str, bookings: Sequence[Booking]) -> None:
    """Print the bookings of one resource, in its own time zone."""
    table = Table(title=resource, title_justify="left", show_edge=False, pad_edge=False)
    for heading in ("day", "from", "to", "meeting"):
        table.add_column(heading)
    for booking in bookings:
        day, start = booking.start.split("T")
        end_day, end = booking.end.split("T")
        table.add_row(
            day, start, end if end_day == day else f"{end_day} {end}", escape(booking.summary)
        )
    console.print(table, "")


def show_answers(console: Console, answers: Sequence[Answer]) -> None:
    """Print each mail that went out, as its reader sees it."""
    for answer in answers:
        title = f"{answer.mail_from or '<>'} to {answer.rcpt_to}: {answer.subject}"
        console.print(Panel(escape(answer.text), title=escape(title), title_align="left"))


def show_differences(console: Console, differences: Sequence[str]) -> None:
    """Print whether everything happened as samples/expected.toml says."""
    if not differences:
        console.print("[bold green]Everything happened as samples/expected.toml says.[/]")
        return
    console.print(f"[bold red]{len(differences)} differences from samples/expected.toml:[/]")
    for difference in differences:
        console.print(f"  {escape(difference)}", soft_wrap=True)


def show_how_to_talk_to_it(console: Console, agent: Agent, environ: Mapping[str, str]) -> None:
    """Print where the running agent listens and which commands reach it."""
    variables = "\n".join(f"    export {name}={value}" for name, value in environ.items())
    console.print(
        f"\nThe agent is running; Ctrl-C ends it and removes {agent.data}\n"
        f"LMTP listens on 127.0.0.1:{agent.lmtp_port}\n"
        f"In another terminal:\n{variables}\n"
        "    .venv/bin/kopano-admin -l\n"
        "    .venv/bin/kopano-admin --list-bookings room-aurora\n"
        "    .venv/bin/kopano-dagent anna < samples/mail/01-plain.eml",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
