"""Mails per second through LMTP, each reply after its fsync, beside the bare edge that throws mail away.

    .venv/bin/python bench/lmtp.py [--rounds 5] [--seconds 3]

Both servers run at the same time and are loaded in turn (A B A B ...), because a machine's speed drifts: only the
ratio carries over to another one.  The generator shares the machine with them.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from dagent.lmtp import serve
from dagent.lmtp_client import LmtpClient
from mailcore.reply import DELIVERED

USERS = 16
BIN = Path(sys.executable).parent


def message(size: int, number: int) -> bytes:
    head = (
        f"From: Anna <anna@example.org>\r\nTo: u@example.org\r\nSubject: Message {number}\r\n"
        f"Message-ID: <{number}.{time.time_ns()}@example.org>\r\nMIME-Version: 1.0\r\n"
        "Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    ).encode()
    line = bytes(random.choices(b"abcdefghijklmnopqrstuvwxyz     ", k=70)) + b"\r\n"
    return head + line * ((size - len(head)) // len(line))


def load(port: int, sessions: int, recipients: int, size: int, seconds: float) -> float:
    """Return messages per second; every recipient must be answered with 2yz."""
    counts = [0] * sessions
    stop = time.monotonic() + seconds

    def session(index: int) -> None:
        with LmtpClient("127.0.0.1", port) as client:
            number = 0
            while time.monotonic() < stop:
                rcpts = [f"u{(index + number + i) % USERS}@example.org" for i in range(recipients)]
                replies = client.send("anna@example.org", rcpts, message(size, number))
                assert all(reply.positive for reply in replies), replies
                counts[index] += 1
                number += 1

    began = time.monotonic()
    threads = [threading.Thread(target=session, args=(i,)) for i in range(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - began)


class Discard:
    """A postman that takes everything and keeps nothing."""

    async def resolve(self, address: str) -> str:
        return address

    async def deliver(self, envelope, recipients, content):  # noqa: ARG002
        return [DELIVERED] * len(recipients)


def run_discard() -> None:
    async def main() -> None:
        server = await serve(Discard(), "127.0.0.1", 0, "bench")
        print(server.port, flush=True)
        await asyncio.Event().wait()

    asyncio.run(main())


def start_discard() -> tuple[subprocess.Popen[bytes], int]:
    process = subprocess.Popen([sys.executable, __file__, "--discard"], stdout=subprocess.PIPE)
    assert process.stdout
    return process, int(process.stdout.readline())


def start_agent(data: Path, port: int, *, imap: bool) -> subprocess.Popen[bytes]:
    env = os.environ | {
        "DAGENT_DATA": str(data),
        "DAGENT_LMTP_LISTEN": f"127.0.0.1:{port}",
        "DAGENT_LOG_LOG_LEVEL": os.environ.get("BENCH_LOG", "info"),
    }
    for number in range(USERS):
        feature = ["--enable-feature", "imap"] if imap else []
        command = [
            BIN / "kopano-admin",
            "-c",
            f"u{number}",
            "-e",
            f"u{number}@example.org",
            *feature,
        ]
        subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    log = (data / "log").open("wb")
    process = subprocess.Popen([BIN / "kopano-dagent", "-l"], env=env, stderr=log)
    deadline = time.monotonic() + 20
    while b"ready" not in (data / "log").read_bytes():
        assert time.monotonic() < deadline, (data / "log").read_text()
        time.sleep(0.05)
    return process


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--imap", action="store_true", help="with the imap feature on")
    parser.add_argument("--cells", default="1x1,10x1,10x10", help="sessions x recipients")
    parser.add_argument("--discard", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.discard:
        return run_discard()
    cells = [tuple(map(int, cell.split("x"))) for cell in options.cells.split(",")]
    with tempfile.TemporaryDirectory() as directory:
        bare, bare_port = start_discard()
        agent = start_agent(Path(directory), 2903, imap=options.imap)
        try:
            for sessions, recipients in cells:
                ours, floor = [], []
                for _ in range(options.rounds):
                    ours.append(load(2903, sessions, recipients, options.size, options.seconds))
                    floor.append(
                        load(bare_port, sessions, recipients, options.size, options.seconds)
                    )
                ratio = statistics.median(a / b for a, b in zip(ours, floor, strict=True))
                print(
                    json.dumps(
                        {
                            "size": options.size,
                            "sessions": sessions,
                            "recipients": recipients,
                            "imap": options.imap,
                            "per_second": [
                                round(min(ours)),
                                round(statistics.median(ours)),
                                round(max(ours)),
                            ],
                            "bare_edge": [
                                round(min(floor)),
                                round(statistics.median(floor)),
                                round(max(floor)),
                            ],
                            "ratio": round(ratio, 3),
                        }
                    ),
                    flush=True,
                )
        finally:
            agent.terminate()
            bare.kill()
            agent.wait()
    return None


if __name__ == "__main__":
    main()
