"""Direct delivery: where the options send a message, the exit codes, and the dry run that changes nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dagent.direct import (
    EX_OK,
    EX_PERMANENT,
    EX_TEMPORARY,
    Request,
    deliver_directly,
    explain_directly,
)
from dagent.direct_options import DirectOptions
from delivery.arrival import Wish
from delivery.dry_run import Outcome
from mailcore.settings import DeliverySettings, Settings, StoreSettings, UserStoreSettings
from store.engine import Database
from store.listing import ListedMail, list_folder, read_mail
from store.mailboxes import load_mailbox
from tests.admin.shell import Installed, Shell

MAIL = b"To: anna@example.org\nSubject: Lunch\n\nAt noon?\n"
COMMAND = Path(sys.executable).parent / "kopano-dagent"


class House:
    """An installation with anna, ben and their group."""

    def __init__(self, data: Path) -> None:
        self.shell = Shell(f"sqlite:///{data / 'kopano.db'}", data)
        self.settings = Settings(store=StoreSettings(data=str(data)))
        for name in ("anna", "ben"):
            self.shell.ok("-c", name, "-p", "x", "-e", f"{name}@example.org", "-f", name.title())

    def deliver(self, *users: str, content: bytes = MAIL, **asked: Any) -> tuple[int, list[str]]:
        said: list[str] = []
        request = Request(users, "carla@example.net", **asked)
        return deliver_directly(self.settings, request, content, say=said.append), said

    def explain(
        self, *users: str, content: bytes = MAIL, **asked: Any
    ) -> tuple[int, list[Outcome]]:
        shown: list[Outcome] = []
        request = Request(users, "carla@example.net", **asked)
        code = explain_directly(
            self.settings, request, content, say=lambda _: None, show=shown.extend
        )
        return code, shown

    def mails(self, name: str) -> list[ListedMail]:
        with self.opened() as installed, installed.database.read() as connection:
            found = installed.mailbox(name)
            return [
                mail
                for path, number in found.folders.items()
                for mail in list_folder(connection, number, path)
            ]

    @contextmanager
    def opened(self) -> Iterator[Installed]:
        database = Database(self.shell.url)
        try:
            yield Installed(database)
        finally:
            database.close()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.mark.parametrize(
    ("wish", "folder", "flags"),
    [
        (Wish(), "Inbox", ()),
        (Wish(junk=True), "Junk E-mail", ()),
        (Wish(folder="drafts", read=True), "Drafts", ("\\Seen",)),
        (Wish(folder="No/Such"), "Inbox", ()),
        (Wish(folder="No/Such", create=True), "No/Such", ()),
        (Wish(folder="Board", public=True), "Inbox", ()),  # there is no public store
    ],
)
def test_where_a_message_goes(
    house: House, wish: Wish, folder: str, flags: tuple[str, ...]
) -> None:
    assert house.deliver("anna", wish=wish) == (EX_OK, [])
    assert [(mail.folder, mail.flags) for mail in house.mails("anna")] == [(folder, flags)]


def test_into_the_public_store(house: House) -> None:
    house.shell.ok("-s")
    wish = Wish(folder="Board", public=True, create=True)
    assert house.deliver("anna", wish=wish) == (EX_OK, [])
    assert house.mails("anna") == []
    with house.opened() as installed, installed.database.read() as connection:
        public = load_mailbox(connection, "public:")
        assert public is not None
        (mail,) = list_folder(connection, public.folders["Board"], "Board")
    assert mail.subject == "Lunch"


@pytest.mark.parametrize(
    ("received", "now", "expected"),
    [
        ("by mx; Tue, 1 Jan 2019 12:00:00 +0100", False, "2019-01-01T11:00:00+00:00"),
        ("by mx; Tue, 1 Jan 2019 12:00:00 +0100", True, None),
        ("by mx; yesterday", False, None),
        ("by mx; Tue, 1 Jan 2999 12:00:00 +0000", False, None),
    ],
)
def test_the_delivery_time(house: House, received: str, now: bool, expected: str | None) -> None:
    content = f"Received: {received}\nReceived: by x; Mon, 1 Jan 2018 00:00:00 +0000\n".encode()
    house.deliver("anna", content=content + MAIL, now=now)
    (mail,) = house.mails("anna")
    if expected is None:
        assert mail.date.year >= 2026
        assert mail.date.year < 2999
    else:
        assert mail.date.isoformat() == expected


def test_several_users_get_it_all_together(house: House) -> None:
    assert house.deliver("anna", "ben@example.org") == (EX_OK, [])
    assert [len(house.mails(name)) for name in ("anna", "ben")] == [1, 1]


@pytest.mark.parametrize(
    ("policy", "code", "words"),
    [("reject", EX_PERMANENT, "552 5.2.2"), ("defer", EX_TEMPORARY, "452 4.2.2")],
)
def test_where_one_is_full_nobody_gets_it(house: House, policy: str, code: int, words: str) -> None:
    house.shell.ok("-u", "ben", "--qo", "yes", "--qh", "1")
    house.settings = replace(house.settings, delivery=DeliverySettings(quota_full=policy))
    ended, said = house.deliver("anna", "ben", content=MAIL + b"x" * 1_100_000)
    assert ended == code
    assert next(line for line in said if line.startswith("ben: ")).startswith(f"ben: {words}")
    assert [house.mails(name) for name in ("anna", "ben")] == [[], []]


def test_a_bug_in_the_booker_does_not_take_back_the_zero(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("bug")

    house.shell.ok("-u", "ben", "--mr-accept", "yes")
    monkeypatch.setattr("dagent.direct.Worker.drain", broken)
    request = b"Content-Type: text/calendar; method=REQUEST\n" + MAIL
    assert house.deliver("ben", content=request) == (EX_OK, [])
    assert "left to the daemon" in caplog.text


@pytest.mark.parametrize(
    ("content", "users", "code"),
    [
        (MAIL, ("nobody",), EX_PERMANENT),
        (MAIL, ("anna", "nobody"), EX_PERMANENT),
        (b"Received: x\n" * 50 + MAIL, ("anna", "ben"), EX_PERMANENT),
        (b"Expiry-Time: Mon, 1 Jan 2001 00:00:00 +0000\n" + MAIL, ("anna",), EX_OK),
    ],
)
def test_what_is_not_stored(
    house: House, content: bytes, users: tuple[str, ...], code: int
) -> None:
    assert house.deliver(*users, content=content)[0] == code
    assert [house.mails(name) for name in ("anna", "ben")] == [[], []]


def test_the_first_line_of_a_mailbox_file_is_no_header(house: House) -> None:
    assert (
        house.deliver("anna", content=b"From carla Mon Jan  1 00:00:00 2030\n" + MAIL)[0] == EX_OK
    )
    (mail,) = house.mails("anna")
    with house.opened() as installed, installed.database.read() as connection:
        inbox = installed.mailbox("anna").folders["Inbox"]
        content = read_mail(connection, installed.committer.blobs, inbox, mail.uid)
    assert content.endswith(b"\r\nTo: anna@example.org\r\nSubject: Lunch\r\n\r\nAt noon?\r\n")


def test_a_database_that_is_away_is_temporary(house: House) -> None:
    away = replace(house.settings, store=StoreSettings(database="postgresql://x@127.0.0.1:1/x"))
    house.settings = away
    code, (said,) = house.deliver("anna")
    assert code == EX_TEMPORARY
    assert "cannot be opened" in said


def test_the_domain_is_stripped_on_demand(house: House) -> None:
    assert house.deliver("anna@elsewhere.example")[0] == EX_PERMANENT
    assert house.deliver("anna@elsewhere.example", strip_domain=True)[0] == EX_OK


def test_a_dry_run_tells_everything_and_changes_nothing(house: House) -> None:
    rule = {
        "name": "lists",
        "when": {"header": "Subject", "contains": "lunch"},
        "then": ["mark-read"],
    }
    house.shell.ok("--add-rule", "anna", "-", stdin=json.dumps(rule))
    with house.opened() as installed:
        before = installed.contents()
    code, (outcome,) = house.explain("anna")
    with house.opened() as installed:
        assert installed.contents() == before
    assert code == EX_OK
    record = outcome.record()
    assert (record["route"], record["folder"], record["rule"]) == ("rule", "Inbox", "lists")
    assert (record["flags"], record["reply"]) == (["read"], "250 2.1.5 delivered")
    assert "  rule: lists" in list(outcome.lines())


def test_a_dry_run_knows_the_quota_and_the_booker(house: House) -> None:
    house.shell.ok("-u", "ben", "--qo", "yes", "--qh", "1", "--mr-accept", "yes")
    code, (outcome,) = house.explain("ben", content=MAIL + b"x" * 1_100_000)
    assert (code, str(outcome.reply)[:9]) == (EX_PERMANENT, "552 5.2.2")
    request = b"Content-Type: text/calendar; method=REQUEST\n" + MAIL
    code, (outcome,) = house.explain("ben", content=request)
    assert code == EX_OK
    assert "auto-booker" in str(outcome.record()["booker"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"junk": True, "folder": "A"}, "one of them"),
        ({"create": True}, "-C creates"),
        ({"as_json": True}, "--json goes with"),
        ({"folder": "//"}, "expected the path"),
        ({"separator": ".."}, "one character"),
    ],
)
def test_options_that_contradict_each_other(options: dict[str, Any], words: str) -> None:
    with pytest.raises(Exception, match=words):
        DirectOptions(**options).check()


def test_a_path_with_another_separator() -> None:
    options = DirectOptions(folder="Projects.2030", separator=".")
    assert options.request(("anna",)).wish.folder == "Projects/2030"


def run(house: House, *words: str, content: bytes = MAIL) -> "subprocess.CompletedProcess[bytes]":
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DAGENT_")}
    environment |= house.shell.environment
    return subprocess.run(
        [COMMAND, *words],
        input=content,
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_the_command(house: House, tmp_path: Path) -> None:
    done = run(house, "--dry-run", "--json", "anna")
    assert (done.returncode, [one["user"] for one in json.loads(done.stdout)]) == (0, ["anna"])
    mail = tmp_path / "mail.eml"
    mail.write_bytes(MAIL)
    assert run(house, "-r", "-n", "-N", "-R", "-f", str(mail), "anna", "ben").returncode == 0
    failed = run(house, "-q", "nobody")
    assert (failed.returncode, failed.stderr) == (100, b"kopano-dagent: no such user: nobody\n")
    assert run(house, "-q", "-s", "nobody").stderr == b""
    assert run(house, "-j", "-F", "A", "anna").returncode == 64
    assert run(house, "-l", "-j").returncode == 64
    assert run(house, "-f", str(tmp_path / "none"), "anna").returncode == 75


def test_a_message_that_is_too_large(house: House) -> None:
    house.shell.environment["DAGENT_LMTP_MAX_MESSAGE_SIZE"] = "1000"
    done = run(house, "anna", content=MAIL + b"x" * 1000)
    assert (done.returncode, b"larger than 1000 octets" in done.stderr) == (70, True)


def test_a_detail_goes_to_its_folder(house: House) -> None:
    house.settings = replace(
        house.settings,
        delivery=DeliverySettings(detail_folder=True),
        userstore=UserStoreSettings(recipient_delimiter="+"),
    )
    assert house.deliver("anna+drafts@example.org")[0] == EX_OK
    assert [mail.folder for mail in house.mails("anna")] == ["Drafts"]
