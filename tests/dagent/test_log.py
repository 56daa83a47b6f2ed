import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dagent.log import LineFormatter

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import logging
from dagent.log import setup_logging
setup_logging("debug")
setup_logging("info")
logging.getLogger("spooler").info("sent %s", "it")
logging.getLogger("spooler").debug("hidden")
logging.getLogger("alembic.runtime").info("hidden")
"""


def run_program(stderr: Path, journal_stream: str | None) -> str:
    environ = {key: value for key, value in os.environ.items() if key != "JOURNAL_STREAM"}
    if journal_stream is not None:
        environ["JOURNAL_STREAM"] = journal_stream
    with stderr.open("ab") as output:
        command = [sys.executable, "-c", PROGRAM]
        subprocess.run(command, check=True, cwd=ROOT, env=environ, stderr=output)
    return stderr.read_text()


@pytest.mark.parametrize("journal_stream", [None, "1:1"])
def test_line_has_a_time_outside_the_journal(tmp_path: Path, journal_stream: str | None) -> None:
    line = run_program(tmp_path / "log", journal_stream)
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d"
    assert re.fullmatch(f"{time} INFO spooler: sent it\n", line)


def test_line_has_no_time_in_the_journal(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.touch()
    stream = log.stat()
    line = run_program(log, f"{stream.st_dev}:{stream.st_ino}")
    assert line == "INFO spooler: sent it\n"


def test_traceback_follows_its_line() -> None:
    try:
        raise ValueError("why")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", None, sys.exc_info())
    lines = LineFormatter(timestamps=False).format(record).splitlines()
    assert lines[0] == "ERROR x: failed"
    assert lines[-1] == "ValueError: why"
