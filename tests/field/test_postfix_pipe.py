"""Postfix that starts kopano-dagent for each recipient: samples/postfix/pipe.cf, exit codes, an empty sender."""

import pwd
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.agent import RunningAgent
from tests.support.mta import ANNA, BEN, DELIVERY_SECONDS, inbox, mail_directory, note, submit
from tests.support.postfix import SAMPLES, RunningPostfix, require_postfix
from tests.support.servers import free_port, missing_server
from tests.support.waiting import wait_for

ROOT = Path(__file__).parents[2]
USER = "nobody"
SETTINGS = '[delivery]\nquota_full = "defer"\n'


class Site(NamedTuple):
    """A Postfix, and the store that its commands fill; no agent runs."""

    postfix: RunningPostfix
    agent: RunningAgent


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    require_postfix()
    with mail_directory() as directory:
        command = own_command(directory)
        data = directory / "agent"
        data.mkdir()
        agent = RunningAgent(data)
        agent.config.write_text(SETTINGS)
        for name in ("anna", "ben", "carla"):
            agent.add_user(name)
        give_to_user(data)
        values = {
            name: value
            for line in (SAMPLES / "pipe.cf").read_text().splitlines()
            for name, equals, value in [line.removeprefix("#").partition(" = ")]
            if line.startswith("#") and equals
        }
        assert len(values) == 2
        values["smtpd_recipient_restrictions"] = ""
        postfix = RunningPostfix(directory / "postfix", free_port(), values)
        with (directory / "postfix/config/master.cf").open("a") as master:
            master.write(own_service(command, data))
        postfix.start()
        try:
            yield Site(postfix, agent)
        finally:
            postfix.stop()


def own_service(command: Path, data: Path) -> str:
    """The sample with another user, our command and the settings of this test."""
    sample = (SAMPLES / "pipe.cf").read_text()
    own = sample.replace("user=kopano", f"user={USER}").replace(
        "/usr/bin/kopano-dagent",
        f"{command} --data {data} -c {data / 'kopano.toml'}",
    )
    assert own.count(USER) == 1
    assert own.count(str(data)) == 2
    return own


def give_to_user(data: Path) -> None:
    for path in (data, *data.rglob("*")):
        shutil.chown(path, USER)


def own_command(directory: Path) -> Path:
    """kopano-dagent for another user: with our Python, or the system's where that one lies in a closed home.

    Our packages are copied where they lie in one.
    """
    path = f"{ROOT}:{sysconfig.get_path('purelib')}"
    pythons = (str(Path(sys.executable).resolve()), "/usr/bin/python3")
    python = next((one for one in pythons if may_run(one, "", "sys")), None)
    if python is None:
        missing_server("python3")
    if not may_run(python, path, "dagent.direct"):
        path = str(copied_packages(directory / "packages"))
    command = directory / "kopano-dagent"
    command.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {python} -m dagent.main "$@"\n')
    command.chmod(0o755)
    return command


def copied_packages(target: Path) -> Path:
    """What kopano-dagent needs, without the tools that only look at it."""
    tools = shutil.ignore_patterns(
        "mypy*", "hypothesis*", "ruff*", "pip*", "*pytest*", "__pycache__"
    )
    shutil.copytree(sysconfig.get_path("purelib"), target, ignore=tools)
    for package in ROOT.glob("*/__init__.py"):
        shutil.copytree(
            package.parent, target / package.parent.name, ignore=tools, dirs_exist_ok=True
        )
    for path in (target, *target.rglob("*")):
        path.chmod(0o755)
    return target


def may_run(python: str, path: str, module: str) -> bool:
    account = pwd.getpwnam(USER)
    try:
        done = subprocess.run(
            [python, "-c", f"import {module}"],
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
            cwd="/",
            env={"PYTHONPATH": path},
            capture_output=True,
            check=False,
        )
    except PermissionError:
        return False
    return done.returncode == 0


def test_each_recipient_has_an_outcome_of_its_own(site: Site) -> None:
    people = [ANNA, BEN, "nobody@example.org"]
    submit(site.postfix.port, "carla@example.org", people, note("lunch"))
    for name in ("anna", "ben"):
        (mail,) = wait_for(
            lambda name=name: inbox(site.agent, name, "Note"),
            timeout=DELIVERY_SECONDS,
            what=f"{name} has the mail",
        )
        assert mail["Return-Path"] == "<carla@example.org>"
        assert mail.get_all("Delivered-To") == [f"{name}@example.org"]
    (bounce,) = wait_for(
        lambda: inbox(site.agent, "carla", "Undelivered"),
        timeout=DELIVERY_SECONDS,
        what="the bounce is here",
    )
    assert bounce["Return-Path"] == "<>"
    assert "no such user: nobody@example.org" in bounce.as_string()
    assert "ben@example.org" not in bounce.get_payload(1).as_string()


def test_mail_for_a_full_mailbox_waits_until_there_is_room(site: Site) -> None:
    assert site.agent.admin("-u", "ben", "--qo", "yes", "--qh", "1").returncode == 0
    content = note("big", to=BEN).replace(b"Note", b"Big") + b"x" * 76 * 20_000
    submit(site.postfix.port, ANNA, [BEN], content)
    wait_for(
        lambda: "dsn=4.3.0, status=deferred" in site.postfix.log(),
        timeout=DELIVERY_SECONDS,
        what="Postfix keeps it",
    )
    assert "452 4.2.2 mailbox is full" in site.postfix.queue()
    assert "route=" not in site.postfix.log()  # what is printed can reach the sender
    assert inbox(site.agent, "ben", "Big") == []
    assert site.agent.admin("-u", "ben", "--qh", "100").returncode == 0
    site.postfix.flush()
    wait_for(lambda: inbox(site.agent, "ben", "Big"), timeout=DELIVERY_SECONDS)
    wait_for(lambda: "is empty" in site.postfix.queue(), timeout=DELIVERY_SECONDS)
