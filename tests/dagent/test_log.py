import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagent.log import JsonFormatter, LineFormatter
from mailcore.log_fields import LogFields

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


def record_of(message: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("delivery", logging.INFO, "x.py", 1, message, args, None)


@given(st.text())
def test_no_text_breaks_a_line(text: str) -> None:
    for said in (text, LogFields({"subject": text})):
        line = LineFormatter(timestamps=False).format(record_of("%s", said))
        assert line.startswith("INFO delivery: ")
        assert not any(c in line for c in "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\x00")


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=1) | st.integers()))
def test_fields_are_keys_in_json(fields: dict[str, object]) -> None:
    line = JsonFormatter().format(record_of("%s", LogFields(fields)))
    assert line.isascii()
    assert len(line.splitlines()) == 1
    found = json.loads(line)
    own = {"time", "level", "logger"}
    assert (found["level"], found["logger"]) == ("info", "delivery")
    kept = {k: v for k, v in fields.items() if k not in own and _no_surrogates(k, v)}
    assert {k: found[k] for k in kept} == kept


def _no_surrogates(*texts: object) -> bool:
    return all(str(text).encode("utf-8", "ignore").decode() == str(text) for text in texts)


def test_a_traceback_is_one_text_in_json() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "failed", (), sys.exc_info())
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert json.loads(line)["exception"].endswith("ValueError: two\nlines")
