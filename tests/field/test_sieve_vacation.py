"""To answer or not, compared mail by mail with Pigeonhole's vacation (RFC 5230), as its own sieve-test carries it out.

Where the two differ the table says why ours is right; a difference that appears or vanishes fails.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mailcore.envelope import Envelope
from mailcore.view import MessageView
from oof.decide import Respond, decide
from oof.recipients import Owner
from oof.settings import OofSettings
from tests.field.vacation_mails import ALIASES, GROUP, MAILS, ME, Mail
from tests.support.mta import mail_directory
from tests.support.servers import missing_server

AWAY = OofSettings(True, "Away", "Back in June.")
NOBODY = 65_534  # root may not own mail
SECONDS = 60.0
AT_ONCE = 2

CONFIG = """
mail_home = {home}
mail_location = maildir:{home}/mail
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 1
first_valid_gid = 1
base_dir = {home}/run
state_dir = {home}/run
stats_writer_socket_path =
log_path = /dev/stderr
postmaster_address = postmaster@example.org
recipient_delimiter = +
"""
SCRIPT = """
require ["vacation"];
vacation :days 1 :addresses [{addresses}] :subject "Away" "Back in June.";
"""


class Pigeonhole:
    """sieve-test in a directory of its own."""

    def __init__(self, program: str, directory: Path) -> None:
        self._program = program
        self._directory = directory
        own = os.geteuid() or NOBODY
        values = {"home": directory, "uid": own, "gid": os.getegid() or NOBODY}
        (directory / "dovecot.conf").write_text(CONFIG.format(**values))
        addresses = ", ".join(f'"{address}"' for address in (ME, *ALIASES))
        (directory / "away.sieve").write_text(SCRIPT.format(addresses=addresses))
        if os.geteuid() == 0:
            shutil.chown(directory, NOBODY, NOBODY)

    def answers(self, number: int, mail: Mail) -> bool:
        """Whether vacation answers this mail, which nobody has had an answer to before."""
        file = self._directory / f"{number}.eml"
        file.write_bytes(mail.content)
        words = ["-c", "dovecot.conf", "-e", "-f", mail.mail_from, "-a", mail.rcpt_to]
        done = subprocess.run(
            [self._program, *words, "-r", ME, "away.sieve", file.name],
            cwd=self._directory,
            env={"PATH": os.environ["PATH"], "HOME": str(self._directory)},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "final result: success" in done.stderr, done.stderr
        return "END MESSAGE" in done.stdout


@pytest.fixture(scope="module")
def pigeonhole() -> Iterator[Pigeonhole]:
    program = shutil.which("sieve-test")
    if program is None:
        missing_server("dovecot-sieve")
    with mail_directory() as directory:
        yield Pigeonhole(program, directory)


@pytest.fixture(scope="module")
def theirs(pigeonhole: Pigeonhole) -> dict[Mail, bool]:
    """What the peer does with each mail."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(pigeonhole.answers, range(len(MAILS)), MAILS)
        return dict(zip(MAILS, found, strict=True))


def our_reason(mail: Mail) -> str:
    """Why we are silent; empty for an answer."""
    owner = Owner(frozenset({ME, *ALIASES, mail.rcpt_to}), frozenset({GROUP}))
    envelope = Envelope(mail.mail_from, (mail.rcpt_to,))
    found = decide(MessageView(mail.content), envelope, owner, AWAY, now=0.0)
    return "" if isinstance(found, Respond) else found.reason


@pytest.mark.parametrize("mail", MAILS, ids=str)
def test_our_own_decision(mail: Mail) -> None:
    assert our_reason(mail) == mail.reason


@pytest.mark.parametrize("mail", MAILS, ids=str)
def test_the_peer_does_the_same_unless_it_is_known_to_differ(
    theirs: dict[Mail, bool], mail: Mail
) -> None:
    assert theirs[mail] is (not mail.reason) ^ bool(mail.differs)


def test_there_are_mails_of_every_kind() -> None:
    assert len(set(MAILS)) == len(MAILS) >= 80
    alike = [mail for mail in MAILS if not mail.differs]
    assert {not mail.reason for mail in alike} == {True, False}
