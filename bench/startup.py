"""Start-up: from the command to the first greeting, and what a command line costs.

    .venv/bin/python -m bench.startup [--rounds 7]

Measured in turn with a bare interpreter, which is the floor on the same machine.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BIN = Path(sys.executable).parent


def run(*command: str | Path, env: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def until_greeting(env: dict[str, str]) -> float:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = env | {"DAGENT_LMTP_LISTEN": f"127.0.0.1:{port}"}
    began = time.perf_counter()
    agent = subprocess.Popen([BIN / "kopano-dagent", "-l"], env=env, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port)) as client:
                    assert client.recv(100).startswith(b"220")
                    return time.perf_counter() - began
            except ConnectionRefusedError:
                assert time.perf_counter() - began < 30
                time.sleep(0.005)
    finally:
        agent.terminate()
        agent.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        env = os.environ | {"DAGENT_DATA": directory}
        run(BIN / "kopano-admin", "-l", env=env)
        cases = {
            "bare interpreter": lambda: run(sys.executable, "-c", "pass", env=env),
            "kopano-admin --help": lambda: run(BIN / "kopano-admin", "--help", env=env),
            "kopano-admin -l": lambda: run(BIN / "kopano-admin", "-l", env=env),
            "kopano-dagent -l, to its greeting": lambda: until_greeting(env),
        }
        times: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(options.rounds):
            for name, case in cases.items():
                times[name].append(case())
        for name, seconds in times.items():
            ms = [round(1000 * s) for s in (min(seconds), statistics.median(seconds), max(seconds))]
            print(json.dumps({"start": name, "ms": ms}))


if __name__ == "__main__":
    main()
