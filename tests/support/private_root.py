"""A root directory for a server that insists on system paths and users of its own.

`make test-deps` unpacks such packages into .servers; here one gets its libraries, the files of /etc that it
reads, and devices, and runs in it by chroot(2).  The network is the host's, everything else is its own.  Needs root.
"""

import os
import shutil
import stat
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.mta import ending_with_us, require_root
from tests.support.servers import missing_server

UNPACKED = Path(__file__).resolve().parents[2] / ".servers"
DEVICES = {"null": (1, 3), "random": (1, 8), "urandom": (1, 9)}
FIRST_ID = 500


class PrivateRoot:
    """A root directory with one unpacked package; `users` are created in it, with a group each."""

    def __init__(self, directory: Path, package: str, users: Sequence[str]) -> None:
        self.directory = directory
        self._ids = {name: FIRST_ID + n for n, name in enumerate(users)}
        shutil.copytree(UNPACKED / package, directory, symlinks=True)
        for name in ("dev", "etc", "proc", "run", "tmp", "var/log", "var/spool"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        (directory / "tmp").chmod(0o1777)
        (directory / "var/run").symlink_to("/run")
        self._make_devices()
        self._write_etc()

    def file(self, path: str, content: str) -> None:
        """Write a file that its users may read."""
        target = self._inside(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
        target.chmod(0o644)

    def private_directory(self, path: str, owner: str, group: str, mode: int) -> None:
        """Make a directory that belongs to `owner`."""
        target = self._inside(path)
        target.mkdir(parents=True, exist_ok=True)
        os.chown(target, self._ids.get(owner, 0), self._ids.get(group, 0))
        target.chmod(mode)

    def add_program(self, program: str) -> None:
        """Copy a program of this host, with its libraries."""
        self._inside(program).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(program, self._inside(program))
        self.add_libraries(program)

    def set_group_id(self, program: str, group: str) -> None:
        """Let a program run with a group of this root, as the package's installation would."""
        target = self._inside(program)
        os.chown(target, 0, self._ids[group])
        target.chmod(0o2555)

    def add_libraries(self, program: str) -> None:
        """Copy the shared libraries of a program of the package."""
        listed = subprocess.run(
            ["ldd", self._inside(program)], capture_output=True, text=True, check=True
        ).stdout
        assert "not found" not in listed, listed
        for word in listed.split():
            if word.startswith("/"):
                target = self._inside(word)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(word, target)

    def start(self, words: Sequence[str], output: Path) -> "subprocess.Popen[bytes]":
        """Start a program of the package; what it says goes to the file `output`."""
        with output.open("ab") as log:
            return subprocess.Popen(
                ending_with_us(self._command(words)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": "/usr/sbin:/usr/bin"},
                start_new_session=True,
            )

    def run(self, words: Sequence[str]) -> str:
        """Run a program of the package and return what it says."""
        done = subprocess.run(self._command(words), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def _command(self, words: Sequence[str]) -> list[str]:
        return ["/usr/sbin/chroot", str(self.directory), *words]

    def _inside(self, path: str) -> Path:
        return self.directory / path.lstrip("/")

    def _make_devices(self) -> None:
        """Devices, or files where a container or the mount forbids them: of these a few octets are read."""
        for name, (major, minor) in DEVICES.items():
            device = self.directory / "dev" / name
            try:
                os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(major, minor))
                device.open("rb").close()
            except PermissionError:
                device.unlink(missing_ok=True)
                device.write_bytes(os.urandom(4096) if "random" in name else b"")
            device.chmod(0o666)

    def _write_etc(self) -> None:
        ids: Mapping[str, int] = {"root": 0, **self._ids, "nobody": 65534}
        passwd = [f"{name}:x:{number}:{number}::/:/bin/false\n" for name, number in ids.items()]
        self.file("etc/passwd", "".join(passwd))
        self.file("etc/group", "".join(f"{name}:x:{number}:\n" for name, number in ids.items()))
        self.file("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")
        self.file("etc/services", "smtp 25/tcp\n")
        self.file("etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")


def require_unpacked(package: str) -> None:
    """End the running test where the package was not unpacked, or nobody may call chroot(2)."""
    if not (UNPACKED / package).is_dir():
        missing_server(package)
    require_root(package)
