"""Events of the directory and their scripts (manual, chapter 8.5.1): what became of them, and running them here."""

from admin.context import Installation
from admin.options import Options
from admin.output import counted, iso_time, print_json, print_table, say
from dagent.event_scripts import run_events
from store.events import list_events


def list_all(installation: Installation, options: Options) -> None:
    """Print the events that are kept, by id."""
    with installation.database.read() as connection:
        events = list_events(connection)
    records = [
        {
            "id": one.id,
            "event": one.name,
            "variables": dict(one.variables),
            "state": one.state,
            "created_at": iso_time(one.created_at),
            "finished_at": iso_time(one.finished_at),
            "output": one.output,
        }
        for one in events
    ]
    if options.json:
        print_json(records)
        return
    print_table(
        ("ID", "Event", "Variables", "State", "Created", "Output"),
        [
            (
                one.id,
                one.name,
                " ".join(f"{name}={value}" for name, value in one.variables.items()),
                one.state,
                iso_time(one.created_at),
                one.output,
            )
            for one in events
        ],
    )


def run(installation: Installation, _options: Options) -> None:
    """Run the scripts of every event that waits."""
    ended = run_events(installation.database, installation.settings.events)
    say(f"{counted(ended, 'event')} run; --list-events shows what became of each.")
