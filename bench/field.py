"""Mails per second through LMTP, beside a real Dovecot: every reply after its fsync, in interleaved rounds.

    .venv/bin/python -m bench.field [--cells short|full|4096/10/1,...] [--servers agent,maildir,sdbox]
                                    [--rounds 3] [--seconds 2] [--imap] [--out FILE]

All servers run at the same time and are loaded in turn (A B C, B C A, ...), because a machine's speed drifts: the
ratios of the same round are what carries over to another machine.  The generator shares the machine with them.
A cell is size in octets / sessions / recipients per message; a message counts when every recipient got its 250.
"""

import argparse
import contextlib
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.load import MAILBOXES, Load, run_load
from bench.servers import Server, starters

SHORT = "4096/1/1,4096/10/1,4096/10/10,51200/10/1,1048576/10/1"
FULL = ",".join(
    f"{size}/{sessions}/{recipients}"
    for size in (4096, 51200, 1048576)
    for sessions in (1, 10, 50)
    for recipients in (1, 10)
)
_CELLS = {"short": SHORT, "full": FULL}


def measure(server: Server, load: Load, seconds: float, prefix: str) -> dict[str, float]:
    """Load one server once."""
    os.sync()  # what the one before has left to be written is not this one's to pay for
    cpu = server.cpu_seconds()
    generator = run_load(server.port, load, seconds, prefix)
    time.sleep(seconds * 0.9)
    pss = server.pss()  # while all sessions are open
    printed, _ = generator.communicate(timeout=120)
    if generator.returncode:
        raise RuntimeError(f"{server.name}: the load failed; what it said stands above")
    result = json.loads(printed)
    used = server.cpu_seconds() - cpu
    return {
        "per_second": result["messages"] / result["seconds"],
        "cpu_ms": 1000 * used / result["messages"],
        "pss_mb": pss / 1e6,
        "p50_ms": result["p50_ms"],
        "p99_ms": result["p99_ms"],
    }


def measure_cell(
    servers: list[Server], load: Load, rounds: int, seconds: float
) -> dict[str, list[dict[str, float]]]:
    """Load all servers in turn, each round beginning with another one."""
    runs: dict[str, list[dict[str, float]]] = {server.name: [] for server in servers}
    for number in range(rounds):
        shift = number % len(servers)
        for server in servers[shift:] + servers[:shift]:
            prefix = f"{time.time_ns() // 1000 & 0xFFFFFFFF:08x}"
            runs[server.name].append(measure(server, load, seconds, prefix))
    return runs


def summary(load: Load, runs: dict[str, list[dict[str, float]]]) -> list[dict[str, Any]]:
    """One row per server; `ratio` is ours to it, the median over the rounds."""
    ours = [run["per_second"] for run in next(iter(runs.values()))]
    rows = []
    for name, results in runs.items():
        rates = [run["per_second"] for run in results]
        ratios = [a / b for a, b in zip(ours, rates, strict=True)]
        middle = {
            key: round(statistics.median(run[key] for run in results), 2)
            for key in ("cpu_ms", "pss_mb", "p50_ms", "p99_ms")
        }
        row = {
            "size": load.size,
            "sessions": load.sessions,
            "recipients": load.recipients,
            "server": name,
            "per_second": [round(f(rates), 1) for f in (min, statistics.median, max)],
            "ratio": [round(f(ratios), 2) for f in (min, statistics.median, max)],
        }
        rows.append(row | middle)
    return rows


def show(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        low, middle, high = row["per_second"]
        least, ratio, most = row["ratio"]
        print(
            f"{row['size']:>8} {row['sessions']:>4} {row['recipients']:>4}  {row['server']:<24}"
            f"{middle:>8.0f} ({low:.0f}-{high:.0f})".ljust(66)
            + f"{ratio:>6.2f} ({least:.2f}-{most:.2f})".ljust(22)
            + f"{row['cpu_ms']:>7.2f} {row['pss_mb']:>7.0f} {row['p50_ms']:>8.1f} {row['p99_ms']:>8.1f}",
            flush=True,
        )


def start_all(
    names: list[str], directory: Path, stack: contextlib.ExitStack, *, imap: bool
) -> list[Server]:
    """Start the servers and send each mailbox a mail, so that all of them exist."""
    known = starters(imap=imap)
    servers = []
    for name in names:
        if name not in known:
            print(f"{name}: not here (Dovecot needs root and dovecot-lmtpd)", file=sys.stderr)
            continue
        home = directory / name
        home.mkdir()
        server = known[name](home)
        stack.callback(server.stop)
        servers.append(server)
        measure(server, Load(1024, 1, MAILBOXES), 0.1, "warm")
    return servers


def machine() -> dict[str, Any]:
    return {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.release(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", default="short")
    parser.add_argument("--servers", default="agent,maildir,sdbox")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--imap", action="store_true", help="our agent also with the imap feature")
    parser.add_argument("--out", type=Path, help="write every run as JSON to this file")
    options = parser.parse_args()
    cells = _CELLS.get(options.cells, options.cells).split(",")
    loads = [Load(*map(int, cell.split("/"))) for cell in cells]
    names = options.servers.split(",")
    if options.imap:
        names.insert(1, "agent-imap")
    record: dict[str, Any] = {"machine": machine(), "seconds": options.seconds, "cells": []}
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        Path(directory).chmod(0o755)  # Dovecot's processes are other users
        servers = start_all(names, Path(directory), stack, imap=options.imap)
        print(
            f"{'octets':>8} {'sess':>4} {'rcpt':>4}  {'server':<24}{'messages per second':<28}",
            end="",
        )
        print(f"{'we are faster by':<22}{'cpu ms':>7} {'PSS MB':>7} {'p50 ms':>8} {'p99 ms':>8}")
        for load in loads:
            runs = measure_cell(servers, load, options.rounds, options.seconds)
            rows = summary(load, runs)
            show(rows)
            record["cells"].append({"rows": rows, "runs": runs})
            if options.out:
                options.out.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
