"""The options of kopano-dagent that show settings, and what a HUP makes of them."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mailcore.settings_text import sample_text
from tests.support.agent import RunningAgent
from tests.support.waiting import wait_for

COMMAND = Path(sys.executable).parent / "kopano-dagent"


def run(*words: str | Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    inherited = {name: value for name, value in os.environ.items() if name[:7] != "DAGENT_"}
    return subprocess.run(
        [COMMAND, *words],
        env=inherited | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_good_settings_are_ok_and_nothing_is_made(tmp_path: Path) -> None:
    done = run("--check-config", "--data", tmp_path / "data")
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[lmtp]\nlisten = 'x'\n", "kopano.toml: [lmtp] listen: expected host:port"),
        ("[store]\ndatabase = 'mysql://u:s3cret@x/y'\n", "database URL mysql://x/y: expected"),
        ("[userstore]\ndisabled_features = 'imap pop'\n", "unknown feature pop; there are: "),
        ("[rules]\nsrs_domain = 'x y'\n", "[rules] srs_"),
        ("[userstore]\ndefault_timezone = 'Mars'\n", "[userstore] default_timezone: no such time"),
        ("[userstore]\ndefault_timezone = '../x'\n", "[userstore] default_timezone: no such time"),
        ("[spooler]\nsmtp_url = 'smtp://u:\x00@x'\n", "is not valid TOML"),
        ("[spooler]\nsmtp_url = 'smtp://u:%00@x'\n", "smtp_url: user and password must"),
        ("[queue]\nurl = 'amqp://x'\n", "kopano.toml: [queue] url: expected a URL"),
    ],
)
@pytest.mark.parametrize("option", ["--check-config", "--dump-config"])
def test_bad_settings_are_one_line_and_78(
    option: str, text: str, words: str, tmp_path: Path
) -> None:
    config = tmp_path / "kopano.toml"
    config.write_text(text)
    done = run(option, "--config", config)
    assert (done.returncode, done.stdout) == (78, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("kopano-dagent: ")
    assert words in line
    assert "s3cret" not in line


def test_dump_tells_value_and_place(tmp_path: Path) -> None:
    config = tmp_path / "kopano.toml"
    config.write_text("[lmtp]\nmax_recipients = 7\n")
    environ = {"DAGENT_SPOOLER_SMTP_URL": "smtp://me:s3cret@mta"}
    done = run("--dump-config", "--config", config, "--data", tmp_path, **environ)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert f"max_recipients = 7  # {config}" in lines
    assert 'smtp_url = "smtp://me:***@mta"  # DAGENT_SPOOLER_SMTP_URL' in lines
    assert tomllib.loads(done.stdout)["store"]["data"] == str(tmp_path)


def test_sample_is_printed_whatever_the_settings_are(tmp_path: Path) -> None:
    done = run("--sample-config", "--config", tmp_path / "missing.toml")
    assert (done.returncode, done.stdout) == (0, sample_text())


@pytest.mark.parametrize("words", [("-l", "--check-config"), ("anna", "--dump-config")])
def test_showing_is_not_doing(words: tuple[str, ...]) -> None:
    assert run(*words).returncode == 64


def test_hup_takes_over_what_can_change_and_names_the_rest(tmp_path: Path) -> None:
    def reload(text: str, words: str) -> str:
        agent.config.write_text(text)
        before = len(agent.log())
        agent.hang_up()
        wait_for(lambda: words in agent.log()[before:], timeout=10.0, what=words)
        return agent.log()[before:]

    with RunningAgent(tmp_path) as agent:
        agent.settings.pop("DAGENT_SPOOLER_SMTP_URL")
        agent.stop()
        agent.start()
        reload("[spooler]\nsmtp_url = 'smtp://127.0.0.1:1'\n", "mail goes to smtp://127.0.0.1:1 ")
        reload("", "settings reloaded; changed: spooler.smtp_url")
        reload("", "settings reloaded; changed: none")
        said = reload(
            "[store]\nlarge_body = 5\n[queue]\nworkers = 3\npoll_interval = 9\n",
            "only a restart takes it over: store.large_body, queue.workers",
        )
        assert "changed: queue.poll_interval" in said
        said = reload("[queue]\nworkers = 'x'\n", "settings not reloaded, the old ones stay: ")
        assert f"{agent.config}: [queue] workers: expected a whole number" in said
        said = reload("[spooler]\nsmtp_url = 'smtp://u:%00@x'\n", "settings not reloaded, ")
        reload("[log]\nlog_level = 'error'\n[queue]\nworkers = 'x'\n", "settings not reloaded, ")
        assert agent.stop() == 0


def test_hup_changes_the_log_level(tmp_path: Path) -> None:
    with RunningAgent(tmp_path) as agent:
        agent.config.write_text("[log]\nlog_level = 'debug'\n")
        agent.hang_up()
        wait_for(lambda: "changed: log.log_level" in agent.log(), what="the reload")
        with agent.client():
            pass  # QUIT is a command
        wait_for(lambda: "DEBUG" in agent.log(), what="a line for debugging")
