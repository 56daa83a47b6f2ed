"""The scripts of directory events: which are run, how they end, and who runs them."""

import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from dagent.event_scripts import PATH, EventScripts, others_may_write, run_events, scripts_in
from mailcore.settings import EventSettings
from store.engine import Database
from store.events import (
    DONE,
    EVENT_VARIABLES,
    FAILED,
    PENDING,
    DirectoryEvent,
    add_event,
    lease_event,
    list_events,
)
from store.schema import directory_event
from tests.support.agent import COMMANDS, RunningAgent
from tests.support.databases import shared_url
from tests.support.mailboxes import open_database
from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "samples/userscripts/createuser.d/50-welcome"
HANGS = "sleep 1000"


class Scripts:
    """A directory of scripts, and events for them in a database."""

    def __init__(self, database: Database, directory: Path) -> None:
        self.database = database
        self.directory = directory
        self.settings = EventSettings(scripts_directory=str(directory), script_timeout=20.0)
        directory.chmod(0o755)
        with database.write() as connection:
            connection.execute(delete(directory_event))

    def write(self, name: str, body: str, *, event: str = "createuser", mode: int = 0o755) -> Path:
        folder = self.directory / f"{event}.d"
        folder.mkdir(mode=0o755, exist_ok=True)
        script = folder / name
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(mode)
        return script

    def add(self, *users: str) -> None:
        with self.database.write() as connection:
            for user in users:
                add_event(connection, "createuser", {"KOPANO_USER": user})

    def run(self, timeout: float = 20.0) -> DirectoryEvent:
        """Add an event, run it, and tell what became of it."""
        self.add("anna")
        settings = EventSettings(scripts_directory=str(self.directory), script_timeout=timeout)
        assert run_events(self.database, settings) == 1
        return self.events()[-1]

    def events(self) -> list[DirectoryEvent]:
        with self.database.read() as connection:
            return list_events(connection)

    @property
    def log(self) -> Path:
        """Where scripts may write."""
        return self.directory / "log"


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    with open_database(shared_url(request, tmp_path_factory)) as database:
        yield database


@pytest.fixture
def scripts(tmp_path: Path) -> Iterator[Scripts]:
    """On SQLite, for what does not depend on the database."""
    with open_database(f"sqlite:///{tmp_path / 'kopano.db'}") as database:
        yield Scripts(database, tmp_path)


@pytest.fixture
def shared_scripts(shared: Database, tmp_path: Path) -> Scripts:
    """On either database."""
    return Scripts(shared, tmp_path)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO):
        yield caplog


def alive(pid_file: Path) -> bool:
    """Whether the process of that number lives; a zombie does not."""
    try:
        status = Path(f"/proc/{int(pid_file.read_text())}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_names_that_are_scripts(scripts: Scripts) -> None:
    good = ["00-first", "10_b.sh", "9", "A", "Z.py", "b"]
    bad = ["x~", "x.bak", "x.dpkg-old", "x.dpkg-dist", ".hidden", "a b", "#x#", "é", "x,y"]
    for name in good + bad:
        script = scripts.write(name, "true")
    scripts.write("not-executable", "true", mode=0o644)
    directory = script.parent
    (directory / "directory").mkdir()
    (directory / "link").symlink_to(directory / "b")
    (directory / "broken-link").symlink_to(directory / "nothing")
    os.mkfifo(directory / "pipe", 0o777)
    assert [path.name for path in scripts_in(directory)] == [*good, "link"]


def test_a_script_gets_the_variables_and_a_clean_environment(
    scripts: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGENT_STORE_DATABASE", "secret")
    scripts.write("env", "env | sort; pwd; cat; ps -o pgid= $$ | tr -d ' '; echo $$")
    event = scripts.run()
    assert event.state == DONE
    name, *lines = event.output.splitlines()
    assert name == "env: exit code 0"
    variables = {line.partition("=")[0] for line in lines if "=" in line}
    assert variables <= {"KOPANO_USER", "LANG", "PATH", "PWD", "OLDPWD", "SHLVL", "_"}
    assert "KOPANO_USER=anna" in lines
    directory, group, pid = lines[-3:]
    assert directory == "/"
    assert group == pid


@pytest.mark.parametrize("event", EVENT_VARIABLES)
def test_each_event_has_its_directory(scripts: Scripts, event: str) -> None:
    (variable,) = EVENT_VARIABLES[event]
    for name in EVENT_VARIABLES:
        scripts.write("say", f'echo "{name} ${variable}"', event=name)
    with scripts.database.write() as connection:
        add_event(connection, event, {variable: "a b; $(touch /x) 'c'"})
    assert run_events(scripts.database, scripts.settings) == 1
    (done,) = scripts.events()
    assert done.output == f"say: exit code 0\n{event} a b; $(touch /x) 'c'"


def test_scripts_run_in_order_and_a_failure_stops_none(
    scripts: Scripts, log: pytest.LogCaptureFixture
) -> None:
    scripts.write("30", "echo third")
    scripts.write("10", "echo first; echo wrong >&2; exit 3")
    scripts.write("20", "kill -KILL $$")
    event = scripts.run()
    assert event.state == FAILED
    assert event.output.splitlines() == [
        "10: exit code 3",
        "first",
        "wrong",
        "20: killed by signal 9",
        "30: exit code 0",
        "third",
    ]
    where = f"event {event.id}: createuser.d"
    assert [
        (r.levelname, r.getMessage()) for r in log.records if "createuser.d" in r.msg % r.args
    ] == [
        ("INFO", f"{where}/10: first"),
        ("INFO", f"{where}/10: wrong"),
        ("ERROR", f"{where}/10: exit code 3"),
        ("ERROR", f"{where}/20: killed by signal 9"),
        ("INFO", f"{where}/30: third"),
        ("INFO", f"{where}/30: exit code 0"),
    ]


@pytest.mark.parametrize("missing", ["createuser.d", "everything", "no scripts"])
def test_without_scripts_an_event_is_done_at_once(scripts: Scripts, missing: str) -> None:
    if missing == "no scripts":
        (scripts.directory / "createuser.d").mkdir()
    if missing == "everything":
        scripts.directory = scripts.directory / "nowhere"
    event = scripts.run()
    assert (event.state, event.output) == (DONE, "")


def test_a_script_that_hangs_is_killed_with_all_it_started(scripts: Scripts) -> None:
    """Also what it has in the background, and whoever does not listen to TERM."""
    scripts.write(
        "hang",
        f"trap '' TERM; sh -c 'trap \"\" TERM; echo $$ > {scripts.log}; {HANGS}; {HANGS}' & echo up; wait",
    )
    scripts.write("next", "echo still run")
    event = scripts.run(timeout=1.0)
    assert event.state == FAILED
    assert "hang: killed after 1 seconds\nup\n" in event.output
    assert "still run" in event.output
    wait_for(lambda: not alive(scripts.log), what="the child is gone")


def test_what_a_script_leaves_behind_does_not_hold_us_and_is_ended(scripts: Scripts) -> None:
    scripts.write(
        "fork", f"sh -c 'echo $$ > {scripts.log}; {HANGS}; {HANGS}' & sleep 0.2; echo over"
    )
    began = time.monotonic()
    event = scripts.run(timeout=30.0)
    assert time.monotonic() - began < 15
    assert (event.state, event.output) == (DONE, "fork: exit code 0\nover")
    wait_for(lambda: not alive(scripts.log), what="the child is gone")


def test_a_child_that_leaves_the_group_does_not_hold_us(scripts: Scripts) -> None:
    """It keeps the output open; that is what a daemon does that has been started badly."""
    scripts.write("daemon", f"setsid sh -c 'echo $$ > {scripts.log}; {HANGS}' & sleep 0.2")
    began = time.monotonic()
    try:
        assert scripts.run(timeout=30.0).state == DONE
        assert time.monotonic() - began < 15
    finally:
        os.killpg(int(scripts.log.read_text()), signal.SIGKILL)


def test_closed_output_is_not_the_end(scripts: Scripts) -> None:
    scripts.write("quiet", f"exec >&- 2>&-; sleep 0.5; touch {scripts.log}; exit 4")
    assert scripts.run().output == "quiet: exit code 4"
    assert scripts.log.exists()


def test_binary_output(scripts: Scripts, log: pytest.LogCaptureFixture) -> None:
    content = scripts.directory / "content"
    content.write_bytes(bytes(range(256)) + "\u2028\u0085x".encode())
    scripts.write("binary", f"cat {content}")
    event = scripts.run()
    assert event.state == DONE
    assert "\0" not in event.output
    for record in log.records:
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", record.getMessage())


def test_endless_output_is_read_and_not_kept(scripts: Scripts) -> None:
    scripts.write("yes", "yes")
    event = scripts.run(timeout=1.0)
    assert event.state == FAILED
    assert len(event.output) <= 4000
    assert event.output.endswith("y\ny")


def test_a_loud_script_does_not_hide_how_another_ended(scripts: Scripts) -> None:
    scripts.write("10-bad", "echo why; exit 3")
    scripts.write("20-loud", "yes | head -c 9000; echo done")
    output = scripts.run().output
    assert output.startswith("10-bad: exit code 3\nwhy\n20-loud: exit code 0\ny\ny\n")
    assert 1900 < len(output) <= 4000


def test_a_large_output_does_not_stop_a_script(scripts: Scripts) -> None:
    scripts.write("much", f"head -c 300000 /dev/zero | tr '\\0' x; touch {scripts.log}; exit 5")
    assert scripts.run().output.endswith("x" * 1000)
    assert scripts.log.exists()


@pytest.mark.parametrize(
    ("body", "trouble"),
    [("#!/nonexistent/interpreter\n", "No such file"), ("\0\0not a program", "Exec format error")],
)
def test_what_cannot_be_started_is_a_failure(scripts: Scripts, body: str, trouble: str) -> None:
    scripts.write("bad", "").write_text(body)
    event = scripts.run()
    assert event.state == FAILED
    assert f"bad: cannot be run: {trouble}" in event.output


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
@pytest.mark.parametrize("what", ["script", "directory"])
def test_what_others_may_write_is_refused(
    scripts: Scripts, what: str, mode: int, log: pytest.LogCaptureFixture
) -> None:
    script = scripts.write("evil", f"touch {scripts.log}")
    scripts.write("good", "echo run")
    (script if what == "script" else script.parent).chmod(mode)
    event = scripts.run()
    assert not scripts.log.exists()
    assert event.state == FAILED
    assert "evil: refused: others may write" in log.text
    assert ("run" in event.output.split()) == (what == "script")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_the_script_of_another_user_is_refused(scripts: Scripts) -> None:
    script = scripts.write("theirs", "true")
    assert others_may_write(script) == ""
    os.chown(script, 65534, -1)
    assert "belongs to user 65534; give it to root" in others_may_write(script)
    assert scripts.run().state == FAILED


def test_a_script_that_is_gone_is_a_failure(scripts: Scripts) -> None:
    script = scripts.write("20", "true")
    scripts.write("10", f"rm {script}")
    event = scripts.run()
    assert event.state == FAILED
    assert "20: " in event.output


def test_events_of_one_round_run_in_order(shared_scripts: Scripts) -> None:
    shared_scripts.write("say", f"echo $KOPANO_USER >> {shared_scripts.log}")
    shared_scripts.add("anna", "ben", "carla")
    assert run_events(shared_scripts.database, shared_scripts.settings) == 3
    assert run_events(shared_scripts.database, shared_scripts.settings) == 0
    assert shared_scripts.log.read_text().split() == ["anna", "ben", "carla"]


def test_two_runners_run_each_event_once(shared_scripts: Scripts) -> None:
    """In order, though neither knows of the other."""
    names = [f"user{number:02}" for number in range(20)]
    shared_scripts.write("say", f"echo $KOPANO_USER >> {shared_scripts.log}")
    shared_scripts.add(*names)
    finished = [0, 0]

    def work(which: int) -> None:
        while any(event.state == PENDING for event in shared_scripts.events()):
            finished[which] += run_events(shared_scripts.database, shared_scripts.settings)

    runners = [threading.Thread(target=work, args=[which]) for which in range(2)]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join(60)
    assert shared_scripts.log.read_text().split() == names
    assert sum(finished) == len(names)
    assert {event.state for event in shared_scripts.events()} == {DONE}


RUNNER = """
import sys
from dagent import event_scripts
from mailcore.settings import EventSettings
from store.engine import Database
event_scripts.LEASE = 1.5
event_scripts.run_events(Database(sys.argv[1]), EventSettings(scripts_directory=sys.argv[2]))
"""


def test_what_is_killed_in_its_midst_is_run_again(shared_scripts: Scripts) -> None:
    log = shared_scripts.log
    shared_scripts.write("say", f"echo $$ >> {log}; test $(wc -l < {log}) -gt 1 || exec {HANGS}")
    shared_scripts.add("anna")
    url = shared_scripts.database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", RUNNER, url, str(shared_scripts.directory)]
    with subprocess.Popen(command, cwd=ROOT) as runner:
        wait_for(log.exists, timeout=30, what="the script runs")
        runner.kill()
    os.kill(int(log.read_text()), signal.SIGKILL)  # under systemd it dies with its service
    assert [event.state for event in shared_scripts.events()] == [PENDING]
    run = lambda: run_events(shared_scripts.database, shared_scripts.settings)  # noqa: E731
    assert wait_for(run, timeout=30, what="the lease runs out") == 1
    assert len(log.read_text().split()) == 2
    assert [event.state for event in shared_scripts.events()] == [DONE]


def test_a_lease_is_kept_while_a_script_runs(
    shared_scripts: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dagent.event_scripts.LEASE", 1.0)
    shared_scripts.write("long", f"echo x >> {shared_scripts.log}; sleep 2.5")
    shared_scripts.add("anna")
    runner = EventScripts(shared_scripts.database, shared_scripts.settings)
    runner.start()
    wait_for(shared_scripts.log.exists, what="the script runs")

    def ended() -> bool:
        assert run_events(shared_scripts.database, shared_scripts.settings) == 0
        return shared_scripts.events()[0].state == DONE

    wait_for(ended, timeout=20, what="the script has ended")
    runner.stop(10.0)
    assert shared_scripts.log.read_text().split() == ["x"]


def test_a_script_ends_when_its_event_gets_into_other_hands(
    shared_scripts: Scripts, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("dagent.event_scripts.LEASE", 0.6)
    shared_scripts.write("hang", f"echo $$ > {shared_scripts.log}; {HANGS}; {HANGS}")
    shared_scripts.add("anna")
    runner = EventScripts(shared_scripts.database, shared_scripts.settings)
    runner.start()
    wait_for(shared_scripts.log.exists, what="the script runs")
    with shared_scripts.database.write() as connection:
        changed = update(directory_event).values(lease_token="other", lease_until=2**40)
        connection.execute(changed)
    wait_for(lambda: "taken over by another process" in log.text, what="it notices")
    wait_for(lambda: not alive(shared_scripts.log), what="the script is gone")
    runner.stop(5.0)
    (event,) = shared_scripts.events()
    assert (event.state, event.lease_token) == (PENDING, "other")


def test_stop_lets_the_event_at_hand_end_and_begins_no_other(scripts: Scripts) -> None:
    scripts.write("10", f"touch {scripts.log}; sleep 0.5")
    scripts.write("20", "echo second script")
    scripts.add("anna", "ben")
    runner = EventScripts(scripts.database, scripts.settings)
    runner.start()
    wait_for(scripts.log.exists, what="the script runs")
    runner.stop(15.0)
    assert [event.state for event in scripts.events()] == [DONE, PENDING]
    assert "second script" in scripts.events()[0].output


def test_stop_kills_what_needs_too_long_and_it_is_run_again(scripts: Scripts) -> None:
    scripts.write("hang", f"echo $$ > {scripts.log}; {HANGS}; {HANGS}")
    scripts.add("anna")
    runner = EventScripts(scripts.database, scripts.settings)
    runner.start()
    wait_for(scripts.log.exists, what="the script runs")
    began = time.monotonic()
    runner.stop(0.1)
    assert time.monotonic() - began < 5
    assert not alive(scripts.log)
    assert lease_event(scripts.database, 1.0) is not None, "it can be taken at once"


def test_the_daemon_runs_events_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Once at the start; after a HUP with the new settings; at the end what hangs is killed and waits."""
    directory = tmp_path / "scripts"
    environ = {"DAGENT_LMTP_SHUTDOWN_GRACE": "2"}
    agent = RunningAgent(tmp_path, environ=environ)
    directory.mkdir()
    with agent.store() as parts:
        scripts = Scripts(parts.database, directory)
        scripts.add("anna")
        with agent:
            wait_for(lambda: scripts.events()[0].state == DONE, timeout=15, what="no script")
            scripts.write("hang", f"echo $$ > {scripts.log}; {HANGS}; {HANGS}")
            agent.config.write_text(f"[events]\nscripts_directory = '{directory}'\n")
            agent.hang_up()
            wait_for(lambda: "settings reloaded" in agent.log(), what="the HUP")
            scripts.add("ben")
            wait_for(scripts.log.exists, timeout=15, what="the script runs")
            assert agent.stop() == 0, agent.log()
        assert not alive(scripts.log)
        assert [event.state for event in scripts.events()] == [DONE, PENDING]
        assert "no time left; run again later" in agent.log()


def test_the_sample_delivers_one_mail_however_often_it_runs(tmp_path: Path) -> None:
    agent = RunningAgent(tmp_path)
    agent.add_user("anna")
    environ = {**agent.settings, "PATH": f"{COMMANDS}:{PATH}", "KOPANO_USER": "anna"}
    for _ in range(2):
        subprocess.run([SAMPLE], env=environ, check=True, capture_output=True)
    (mail,) = agent.mails("anna")
    assert b"Subject: Welcome" in mail
    assert os.access(SAMPLE, os.X_OK)
