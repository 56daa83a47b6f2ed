"""A private Dovecot: mail in by LMTP or APPEND, out by IMAP, as a real server answers.

Configuration, mail, sockets and log are below one directory; nothing of the system's Dovecot is read or written.
Started by root its processes have users of their own; started by anyone else all of them are theirs.
"""

import grp
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from delivery.lmtp_client import LmtpClient
from mailcore.errors import MailError
from tests.support.imap_client import ImapSession
from tests.support.mta import HOST, ending_with_us
from tests.support.servers import free_port, missing_server
from tests.support.waiting import wait_for

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin"
MODULES = Path("/usr/lib/dovecot")
START_SECONDS = 30.0
STOP_SECONDS = 30.0

_CONFIGURATION = """\
base_dir = {directory}/run
state_dir = {directory}/state
log_path = {directory}/dovecot.log
protocols = imap lmtp
listen = {host}
ssl = no
disable_plaintext_auth = no
login_trusted_networks = {host}
first_valid_uid = 1
auth_username_format = %Ln
postmaster_address = postmaster@example.org
mail_location = {storage}:~/mail
mail_max_userip_connections = 0
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = passwd-file
  args = {directory}/users
}}
namespace inbox {{
  inbox = yes
}}
service imap-login {{
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp_port}
  }}
}}
"""
_WITHOUT_ROOT = """\
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class RunningDovecot:
    """A Dovecot whose mailboxes are `users`; with any password, and NAME@any.domain is NAME."""

    def __init__(
        self, directory: Path, users: Sequence[str], storage: str, settings: str = ""
    ) -> None:
        self.lmtp_port = free_port()
        self.imap_port = free_port()
        self.lmtp_socket = directory / "run" / "lmtp"
        self._directory = directory
        self._write(users, storage, settings)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it greets on both ports."""
        program = shutil.which("dovecot", path=PATH)
        assert program
        with self._console.open("ab") as console:
            self._process = subprocess.Popen(
                ending_with_us([program, "-F", "-c", self._directory / "dovecot.conf"]),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        wait_for(self._greets, timeout=START_SECONDS, what="Dovecot greets")

    def stop(self) -> None:
        """End it with all its processes."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        finally:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)

    @contextmanager
    def imap(self, user: str) -> Iterator[ImapSession]:
        """An IMAP session of this user, authenticated, with no mailbox selected."""
        with ImapSession.connected(HOST, self.imap_port) as session:
            session.run(f"LOGIN {user} secret")
            yield session

    @contextmanager
    def lmtp(self) -> Iterator[LmtpClient]:
        """An LMTP session."""
        with LmtpClient(HOST, self.lmtp_port, timeout=30) as client:
            yield client

    def log(self) -> str:
        """What it has said so far."""
        files = (self._console, self._directory / "dovecot.log")
        return "".join(file.read_text("utf-8", "replace") for file in files if file.exists())

    @property
    def _console(self) -> Path:
        return self._directory / "console.log"

    def _write(self, users: Sequence[str], storage: str, settings: str) -> None:
        root = os.geteuid() == 0
        owner = pwd.getpwnam("mail") if root else pwd.getpwuid(os.geteuid())
        for name in ("run", "state", "mail"):
            (self._directory / name).mkdir(parents=True)
        os.chown(self._directory / "mail", owner.pw_uid, owner.pw_gid)
        lines = [
            f"{user}::{owner.pw_uid}:{owner.pw_gid}::{self._directory}/mail/{user}::\n"
            for user in users
        ]
        (self._directory / "users").write_text("".join(lines))
        configuration = _CONFIGURATION.format(
            directory=self._directory,
            host=HOST,
            storage=storage,
            imap_port=self.imap_port,
            lmtp_port=self.lmtp_port,
        )
        if not root:
            configuration += _WITHOUT_ROOT.format(user=owner.pw_name, group=group_name(owner))
        (self._directory / "dovecot.conf").write_text(configuration + settings)

    def _greets(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"Dovecot ended at once:\n{self.log()}"
        try:
            with self.lmtp(), ImapSession.connected(HOST, self.imap_port):
                return True
        except (OSError, MailError):
            return False


def group_name(owner: pwd.struct_passwd) -> str:
    """The name of a user's own group."""
    return grp.getgrgid(owner.pw_gid).gr_name


def require_dovecot() -> None:
    """End the running test where there is no Dovecot with IMAP and LMTP."""
    if shutil.which("dovecot", path=PATH) is None or not all(
        (MODULES / name).exists() for name in ("imap", "lmtp")
    ):
        missing_server("dovecot")


@contextmanager
def running_dovecot(
    directory: Path, users: Sequence[str], *, storage: str = "sdbox", settings: str = ""
) -> Iterator[RunningDovecot]:
    """Start a Dovecot with these mailboxes below `directory`, which `mail_directory()` gives.

    `storage` is sdbox or maildir; `settings` are lines added to its configuration.  Skips or fails
    the test where Dovecot is not installed.
    """
    require_dovecot()
    others = directory.stat().st_mode & 0o001
    assert others or os.geteuid(), (
        f"users of servers may not enter {directory}: use mail_directory()"
    )
    dovecot = RunningDovecot(directory / "dovecot", users, storage, settings)
    try:
        dovecot.start()
        yield dovecot
    finally:
        dovecot.stop()
