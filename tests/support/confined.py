"""Runs a command under what a systemd unit allows it: system calls, socket families, memory mappings.

    python confined.py UNIT COMMAND [ARGUMENT...]

systemd itself needs to be process 1 to do that, so this reads SystemCallFilter=, RestrictAddressFamilies= and
MemoryDenyWriteExecute= of the unit, asks systemd-analyze which system calls are in which group, and loads the filter
with libseccomp, which systemd uses too.  Whatever is not allowed fails with EPERM, as with SystemCallErrorNumber=EPERM.
"""

import ctypes
import errno
import mmap
import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ALLOW = 0x7FFF0000  # SCMP_ACT_ALLOW
REFUSE = 0x00050000 | errno.EPERM  # SCMP_ACT_ERRNO(EPERM)
EQUAL, MASKED_EQUAL = 4, 7  # SCMP_CMP_EQ, SCMP_CMP_MASKED_EQ
NO_NEW_PRIVS = 38  # PR_SET_NO_NEW_PRIVS


class Comparison(ctypes.Structure):
    """struct scmp_arg_cmp: argument number, operator, and the values to compare with."""

    _fields_ = [
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    ]


def read_service(path: str) -> dict[str, list[str]]:
    """The [Service] section of a unit: every key with its values in order."""
    values: dict[str, list[str]] = {}
    section = ""
    for line in Path(path).read_text().splitlines():
        key, assigned, value = line.partition("=")
        if line.startswith("["):
            section = line
        elif section == "[Service]" and assigned and not line.startswith("#"):
            values.setdefault(key, []).append(value)
    return values


def expand(names: Iterable[str]) -> Iterator[str]:
    """System calls, with groups such as @file-system replaced by what systemd takes them for."""
    for name in names:
        if not name.startswith("@"):
            yield name
            continue
        listing = subprocess.run(
            ["systemd-analyze", "syscall-filter", "--no-pager", name],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        inside = [line.strip() for line in listing.splitlines()[1:]]
        yield from expand(line for line in inside if line and not line.startswith("#"))


def allowed_calls(filters: Iterable[str]) -> set[str]:
    """What the lines of SystemCallFilter= allow, taken in their order."""
    allowed: set[str] = set()
    for line in filters:
        if line.startswith("~"):
            allowed -= set(expand(line[1:].split()))
        else:
            allowed |= set(expand(line.split()))
    return allowed


class Filter:
    """A seccomp filter that refuses everything that no rule allows."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        self._library.seccomp_init.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.seccomp_init(REFUSE))

    def allow(self, name: str, *comparisons: Comparison) -> None:
        """Allow a system call, with arguments that meet all comparisons."""
        number = self._library.seccomp_syscall_resolve_name(name.encode())
        if number < 0:
            return  # not on this architecture, or newer than the library
        array = (Comparison * len(comparisons))(*comparisons)
        done = self._library.seccomp_rule_add_array(
            self._context, ctypes.c_uint32(ALLOW), number, len(comparisons), array
        )
        assert done == 0, f"{name}: {os.strerror(-done)}"

    def load(self) -> None:
        """Put it in force for this process and all that it starts."""
        assert ctypes.CDLL(None).prctl(NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        done = self._library.seccomp_load(self._context)
        assert done == 0, os.strerror(-done)


def confine(unit: dict[str, list[str]]) -> None:
    """Load the filter that the unit describes."""
    calls = allowed_calls(unit["SystemCallFilter"]) | {"execve"}
    families = unit["RestrictAddressFamilies"][0].split()
    seccomp = Filter()
    for family in families:
        seccomp.allow("socket", Comparison(0, EQUAL, getattr(socket, family), 0))
    no_execution = Comparison(2, MASKED_EQUAL, mmap.PROT_EXEC, 0)
    no_writing = Comparison(2, MASKED_EQUAL, mmap.PROT_WRITE, 0)
    assert unit["MemoryDenyWriteExecute"] == ["yes"]
    seccomp.allow("mmap", no_execution)
    seccomp.allow("mmap", no_writing)  # libraries are mapped for execution, never for writing too
    seccomp.allow("mprotect", no_execution)
    for call in calls - {"socket", "mmap", "mprotect", "pkey_mprotect"}:
        seccomp.allow(call)
    seccomp.load()


if __name__ == "__main__":
    confine(read_service(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
