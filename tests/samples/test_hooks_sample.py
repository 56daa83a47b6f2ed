"""samples/hooks, installed as a distribution: its hooks are found by their names, and do what they say."""

import importlib
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from delivery.hooks import load_hooks
from mailcore.reply import DELIVERED
from tests.support.agent import RunningAgent
from tests.support.office import SENDER, Office

SAMPLE = Path(__file__).parents[2] / "samples" / "hooks"
NAMES = "outside-note attachment-gate"
TEXT = "Subject: x\r\nContent-Type: text/plain{}\r\n\r\nHello\r\n"
PLAIN = TEXT.format("").encode()
NOTE = b"-- \r\nThis mail came from outside. Think before you click.\r\n"
PROJECT = tomllib.loads((SAMPLE / "pyproject.toml").read_text(encoding="utf-8"))


def with_file(name: str) -> bytes:
    head = 'Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    part = f'Content-Type: application/octet-stream; name="{name}"\r\n\r\nx\r\n'
    return f"{head}--b\r\n\r\nHello\r\n--b\r\n{part}--b--\r\n".encode()


def inside(mail: bytes) -> bytes:
    return b"Subject: Fwd\r\nContent-Type: message/rfc822\r\n\r\n" + mail


@pytest.fixture(scope="module")
def site_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pip leaves behind: the package, and the entry points of its pyproject.toml."""
    directory = tmp_path_factory.mktemp("site-packages")
    (package,) = PROJECT["tool"]["setuptools"]["packages"]
    (directory / package).symlink_to(SAMPLE / package)
    about = directory / "example_hooks-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: example-hooks\nVersion: 1.0\n")
    points = [
        line
        for group, named in PROJECT["project"]["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {where}" for name, where in named.items()))
    ]
    (about / "entry_points.txt").write_text("\n".join([*points, ""]))
    return directory


@pytest.fixture(scope="module")
def office(site_packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    opened = Office(tmp_path_factory.mktemp("office"))
    sys.path.insert(0, str(site_packages))
    importlib.invalidate_caches()
    try:
        opened.configure(load_hooks(NAMES, "defer"))
        yield opened
    finally:
        sys.path.remove(str(site_packages))
        for name in [name for name in sys.modules if name.startswith("example_hooks")]:
            del sys.modules[name]
        opened.close()


def newest(office: Office) -> bytes:
    return office.read("anna", max(mail.uid for mail in office.mails("anna")))


@pytest.mark.parametrize(
    ("raw", "sender", "noted"),
    [
        (PLAIN, SENDER, True),
        (TEXT.format("; charset=UTF-8").encode(), SENDER, True),
        (b"Content-Transfer-Encoding: quoted-printable\r\n" + PLAIN, SENDER, True),
        (PLAIN + b"no line end", SENDER, True),
        (PLAIN, "ben@example.org", False),
        (PLAIN, "", False),
        (PLAIN + NOTE, SENDER, False),
        (PLAIN + b"-----BEGIN PGP SIGNATURE-----\r\n", SENDER, False),
        (b"Content-Transfer-Encoding: base64\r\n" + PLAIN, SENDER, False),
        (b"Content-Disposition: attachment\r\n" + PLAIN, SENDER, False),
        (TEXT.format("; charset=utf-16").encode(), SENDER, False),
        (PLAIN.replace(b"/plain", b"/html"), SENDER, False),
        (with_file("minutes.txt"), SENDER, False),
    ],
)
def test_the_note_is_put_behind_text_from_outside(
    office: Office, raw: bytes, sender: str, noted: bool, request: pytest.FixtureRequest
) -> None:
    raw = f"X-Test: {request.node.callspec.id}\r\n".encode() + raw  # else a repeat
    assert office.deliver("anna@example.org", raw=raw, sender=sender) == [DELIVERED]
    kept = newest(office)
    if noted:
        line_end = b"" if raw.endswith(b"\r\n") else b"\r\n"
        assert kept.endswith(raw + line_end + NOTE)
    else:
        assert kept.endswith(raw)


@pytest.mark.parametrize(
    ("raw", "code", "folder"),
    [
        (with_file("minutes.txt"), 250, "Inbox"),
        (with_file("setup.exe"), 550, ""),
        (with_file("SETUP.Exe. "), 550, ""),
        (with_file("exe"), 250, "Inbox"),
        (inside(with_file("setup.scr")), 550, ""),
        (with_file("sheet.xlsm"), 250, "Junk E-mail"),
    ],
)
def test_the_gate(
    office: Office, raw: bytes, code: int, folder: str, request: pytest.FixtureRequest
) -> None:
    mark = f"gate {request.node.callspec.id}"
    raw = raw.replace(b"Subject: ", f"Subject: {mark} ".encode(), 1)
    (reply,) = office.deliver("anna@example.org", raw=raw, sender="ben@example.org")
    assert reply.code == code, reply
    places = [
        path
        for path in ("Inbox", "Junk E-mail")
        if any(mail.subject.startswith(f"{mark} ") for mail in office.mails("anna", path))
    ]
    assert places == ([folder] if folder else [])


def test_a_running_agent_has_them(site_packages: Path, tmp_path: Path) -> None:
    agent = RunningAgent(tmp_path)
    agent.add_user("anna")
    agent.settings |= {"PYTHONPATH": str(site_packages), "DAGENT_DELIVERY_HOOKS": NAMES}
    with agent:
        client = agent.client()
        client.connect()
        mails = (PLAIN, with_file("setup.exe"))
        replies = [client.send(SENDER, ["anna@example.org"], mail) for mail in mails]
        client.quit()
    del agent.settings["DAGENT_DELIVERY_HOOKS"]  # not for this process, which has not installed it
    assert [str(reply)[:9] for (reply,) in replies] == ["250 2.1.5", "550 5.7.1"]
    (kept,) = agent.mails("anna")
    assert kept.endswith(PLAIN + NOTE)
