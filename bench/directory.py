"""The directory with many users: what a look-up takes, and what listing them all takes.

    .venv/bin/python -m bench.directory --users 100000 [--database postgresql+psycopg://...]

Without --database in a SQLite database of its own.  The rows are written directly; users are in one group of fifty,
which is in a group of groups, and each has the folders of a new mailbox.  `cold` is a look-up that nobody made before
with the database's pages in memory, `cached` the second one, `known` the answer to the event loop.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, insert, text

from mailcore.settings import Settings, StoreSettings
from store.engine import Database
from store.mailboxes import DEFAULT_FOLDERS
from store.migrate import ensure_schema
from store.schema import (
    account,
    folder,
    group_group,
    group_user,
    mail_address,
    mailbox_store,
    user_group,
)
from userstore.plugins import open_plugin
from userstore.resolve import Directory

BLOCK = 5000
GROUP_SIZE = 50
LOOKUPS = 2000


def load(database: Database, users: int) -> None:
    """Write users, groups and mailboxes, as rows."""
    numbers = range(1, users + 1)
    groups = range(1, users // GROUP_SIZE + 1)
    outer = groups.stop
    with database.write() as connection:
        write(connection, account, ({"id": n, **named(f"u{n}")} for n in numbers))
        write(connection, mail_address, (address_of("account_id", f"u{n}", n) for n in numbers))
        write(connection, user_group, ({"id": g, **named(f"g{g}")} for g in range(1, outer + 1)))
        write(connection, mail_address, (address_of("group_id", f"g{g}", g) for g in groups))
        members = ({"group_id": 1 + n % len(groups), "account_id": n} for n in numbers)
        write(connection, group_user, members)
        write(connection, group_group, ({"group_id": outer, "member_id": g} for g in groups))
        write(connection, mailbox_store, (mailbox_of(n) for n in numbers))
        write(connection, folder, (row for n in numbers for row in folders_of(n)))
        connection.execute(text("ANALYZE"))  # as PostgreSQL does by itself after a while


def write(connection: Connection, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    while block := [row for _, row in zip(range(BLOCK), rows, strict=False)]:
        connection.execute(insert(table), block)


def named(name: str) -> dict[str, Any]:
    return {"name": name, "name_key": name, "created_at": 0}


def address_of(owner: str, name: str, number: int) -> dict[str, Any]:
    address = f"{name}@example.org"
    return {"key": address, owner: number, "address": address, "is_primary": True}


def mailbox_of(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "guid": f"{number:032X}",
        "external_id": f"db:{number}",
        "owner_name": f"u{number}",
        "created_at": 0,
    }


def folders_of(number: int) -> Iterable[dict[str, Any]]:
    for position, (name, special_use) in enumerate(DEFAULT_FOLDERS):
        uidvalidity = number * len(DEFAULT_FOLDERS) + position
        yield {
            "store_id": number,
            "name": name,
            "special_use": special_use,
            "uidvalidity": uidvalidity,
        }


def timed(calls: Iterable[Callable[[], object]]) -> list[float]:
    """Milliseconds of each call."""
    taken = []
    for call in calls:
        began = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - began))
    return taken


def report(what: str, taken: list[float]) -> None:
    ordered = sorted(taken)
    figures = {
        "median_ms": round(statistics.median(ordered), 4),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)], 4),
        "count": len(ordered),
    }
    print(json.dumps({"directory": what, **figures}))


def measure_lookups(directory: Directory, users: int) -> None:
    chosen = random.Random(7).sample(range(1, users + 1), min(LOOKUPS, users))
    addresses = [f"u{number}@example.org" for number in chosen]
    directory.resolve(f"u{users}@example.org")
    report("resolve, cold", timed(lambda a=a: directory.recipients(a) for a in addresses))
    report("resolve, cached", timed(lambda a=a: directory.recipients(a) for a in addresses))
    report("known", timed(lambda a=a: directory.known(a) for a in addresses))
    details = [address.replace("@", "+x@") for address in addresses]
    report(
        "resolve with a detail, cold", timed(lambda a=a: directory.recipients(a) for a in details)
    )
    groups = range(1, min(20, users // GROUP_SIZE) + 1)
    report(
        f"a group of {GROUP_SIZE}, cold",
        timed(lambda g=g: directory.recipients(f"g{g}") for g in groups),
    )


def measure_listing(directory: Directory) -> None:
    began = time.perf_counter()
    listed = directory.plugin.users()
    next(listed)
    first = time.perf_counter() - began
    count = 1 + sum(1 for _ in listed)
    whole = time.perf_counter() - began
    print(
        json.dumps(
            {
                "directory": "users()",
                "users": count,
                "first_ms": round(1000 * first, 2),
                "all_s": round(whole, 2),
            }
        )
    )
    tracemalloc.start()
    sum(1 for _ in directory.plugin.users())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(json.dumps({"directory": "users(), memory", "peak_kib": peak // 1024}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--database", default="", help="URL of an empty database")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as data:
        url = options.database or f"sqlite:///{Path(data) / 'kopano.db'}"
        settings = Settings(store=StoreSettings(data=data, database=url))
        with closing(Database(url)) as database:
            ensure_schema(database)
            began = time.perf_counter()
            load(database, options.users)
            seconds = round(time.perf_counter() - began, 1)
            print(json.dumps({"directory": "loaded", "users": options.users, "s": seconds}))
            plugin = open_plugin(settings, database)
            with closing(Directory(plugin.users, database, settings.userstore)) as directory:
                measure_lookups(directory, options.users)
                measure_listing(directory)


if __name__ == "__main__":
    main()
