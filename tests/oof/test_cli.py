"""kopano-set-oof as an administrator types it, against real databases."""

import json
import locale
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert

from oof.cli import main
from store.engine import Database
from store.mailboxes import StoredOof, create_mailbox, load_mailbox, update_mailbox
from store.schema import oof_memory
from tests.support.mailboxes import open_database
from tests.support.servers import free_port
from userstore.db_edit import DbEditor


class SetOof:
    """The command line over one database in which there is anna."""

    def __init__(self, url: str, data: Path) -> None:
        self.environment = {"DAGENT_DATA": str(data), "DAGENT_STORE_DATABASE": url}

    def __call__(self, *words: str, stdin: bytes | None = None) -> Result:
        return CliRunner().invoke(
            main, list(words), input=stdin, env=self.environment, prog_name="kopano-set-oof"
        )

    def ok(self, *words: str, stdin: bytes | None = None) -> str:
        result = self("-u", "anna", *words, stdin=stdin)
        assert result.exit_code == 0, (words, result.stderr, result.exception)
        assert not result.stderr
        return result.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.ok("--dump-json", *words))

    def refuses(self, *words: str, stdin: bytes | None = None) -> str:
        """Run what must fail with exit code 1 and one line; return that line."""
        result = self(*words, stdin=stdin)
        assert result.exit_code == 1, (words, result.stdout, result.exception)
        assert not result.stdout
        prefix, _, text = result.stderr.partition(": ")
        assert prefix == "kopano-set-oof"
        assert text.count("\n") == 1
        return text.strip()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with open_database(database_url) as opened:
        with opened.write() as connection:
            user = DbEditor().create_user(connection, "anna", {"address": "anna@example.org"})
            store_id = create_mailbox(connection, user.external_id, "anna")
            update_mailbox(connection, store_id, {"timezone": "Europe/Berlin"})
            DbEditor().create_user(connection, "nobox", {"address": "nobox@example.org"})
        yield opened


@pytest.fixture
def stored(database: Database) -> Callable[[], StoredOof | None]:
    """What the next delivery will go by."""

    def load() -> StoredOof | None:
        with database.read() as connection:
            mailbox = load_mailbox(connection, "db:1")
        assert mailbox is not None
        return mailbox.oof

    return load


@pytest.fixture
def set_oof(database: Database, database_url: str, tmp_path: Path) -> SetOof:
    return SetOof(database_url, tmp_path)


@pytest.fixture
def embedded(tmp_path: Path) -> SetOof:
    """For what goes wrong before anybody looks into the database: it is empty."""
    return SetOof(f"sqlite:///{tmp_path / 'kopano.db'}", tmp_path)


def test_the_manuals_example(
    set_oof: SetOof, stored: Callable[[], StoredOof | None], tmp_path: Path
) -> None:
    text = tmp_path / "oof.txt"
    text.write_bytes(b"I am away.\r\nBack soon.\r\n")
    began = time.time()
    said = set_oof.ok("-m", "1", "-t", "I'm on holiday till the 30th of June", "-n", str(text))
    assert said == (
        "Out-of-office of anna is on, and answers.\n"
        "Subject: I'm on holiday till the 30th of June\n"
        "Text:\n  I am away.\n  Back soon.\n"
    )
    found = stored()
    assert found is not None
    assert (found.enabled, found.starts_at, found.ends_at) == (True, None, None)
    assert found.subject == "I'm on holiday till the 30th of June"
    assert found.message == "I am away.\nBack soon.\n"
    assert found.switched_on_at >= began
    assert set_oof.ok("-m", "0").startswith("Out-of-office of anna is off.\n")
    found = stored()
    assert found is not None
    assert (found.enabled, found.message) == (False, "I am away.\nBack soon.\n")


def test_the_window_is_in_the_mailboxs_zone_unless_another_is_named(
    set_oof: SetOof, stored: Callable[[], StoredOof | None]
) -> None:
    document = set_oof.json("-m", "1", "--from", "2130-07-01 02:00", "--until", "2130-08-01 02:00")
    found = stored()
    assert found is not None
    assert found.starts_at == datetime(2130, 7, 1, tzinfo=UTC).timestamp()
    assert document == {
        "set": True,
        "active": False,
        "subject": "",
        "message": "",
        "from": "2130-07-01 02:00",
        "until": "2130-08-01 02:00",
        "timezone": "Europe/Berlin",
        "external": "all",
        "external_message": "",
        "internal_message": "",
        "decline_meetings": False,
    }
    elsewhere = set_oof.json("--timezone", "Asia/Tokyo")
    assert (elsewhere["from"], elsewhere["until"]) == ("2130-07-01 09:00", "2130-08-01 09:00")
    assert set_oof.json("-m", "1", "--until", "infinite")["until"] is None


def test_a_zone_is_kept_with_the_window(
    set_oof: SetOof, stored: Callable[[], StoredOof | None]
) -> None:
    words = ("-m", "1", "--from", "2130-07-01 09:00", "--timezone", "Asia/Tokyo")
    document = set_oof.json(*words)
    assert (document["from"], document["timezone"]) == ("2130-07-01 09:00", "Asia/Tokyo")
    found = stored()
    assert found is not None
    assert found.starts_at == datetime(2130, 7, 1, tzinfo=UTC).timestamp()
    assert found.timezone == "Asia/Tokyo"
    assert "will answer from 2130-07-01 09:00 (Asia/Tokyo)" in set_oof.ok()
    set_oof.json("--timezone", "UTC")  # only shown so
    assert stored() == found


def test_what_is_said_to_whom(
    set_oof: SetOof, stored: Callable[[], StoredOof | None], tmp_path: Path
) -> None:
    for name in ("all", "inside", "outside"):
        (tmp_path / name).write_text(f"For {name}.\n")
    set_oof.ok(
        *("-m", "1", "-n", str(tmp_path / "all"), "--external", "known"),
        *("--internal-message", str(tmp_path / "inside"), "--decline-meetings", "yes"),
        *("--external-message", str(tmp_path / "outside")),
    )
    found = stored()
    assert found is not None
    assert (found.message, found.internal_message) == ("For all.\n", "For inside.\n")
    assert (found.external, found.external_message) == ("known", "For outside.\n")
    assert found.decline_meetings
    document = set_oof.json("-m", "1", "--external", "none", "--decline-meetings", "no")
    assert (document["external"], document["decline_meetings"]) == ("none", False)
    assert document["internal_message"] == "For inside.\n"


def test_a_mailbox_without_a_zone_has_the_default_one(
    set_oof: SetOof, database: Database, stored: Callable[[], StoredOof | None]
) -> None:
    with database.write() as connection:
        update_mailbox(connection, 1, {"timezone": ""})
    set_oof.ok("-m", "1", "--from", "2130-07-01 00:00")
    set_oof.environment["DAGENT_USERSTORE_DEFAULT_TIMEZONE"] = "Asia/Tokyo"
    assert set_oof.json()["from"] == "2130-07-01 09:00"


def test_texts_are_changed_while_it_is_off(
    set_oof: SetOof, stored: Callable[[], StoredOof | None]
) -> None:
    assert set_oof.ok("-t", "Later", "-n", "-", stdin="Tschüß\n".encode()).splitlines() == [
        *("Out-of-office of anna is off.", "Subject: Later", "Text:", "  Tschüß")
    ]
    set_oof.ok("-m", "1")
    before = stored()
    assert before is not None
    assert (before.subject, before.message) == ("Later", "Tschüß\n")
    said = set_oof.refuses("-u", "anna", "-m", "-", "-t", "Now")
    assert said.startswith("out-of-office is on; give -m 1 to change its texts while it lasts")
    assert stored() == before
    set_oof.ok("-m", "1", "-t", "Now")
    after = stored()
    assert after is not None
    assert (after.subject, after.switched_on_at) == ("Now", before.switched_on_at)


def test_looking_changes_nothing(
    set_oof: SetOof, database: Database, stored: Callable[[], StoredOof | None]
) -> None:
    assert set_oof.ok() == (
        "Out-of-office of anna is off.\nSubject: Out of office\nText: none; -n FILE gives one\n"
    )
    assert set_oof.json()["set"] is False
    assert stored() is None
    by_address = set_oof("-u", "ANNA@example.org")
    assert by_address.stdout.startswith("Out-of-office of ANNA@example.org is off")


def test_switching_on_again_forgets_who_was_answered(set_oof: SetOof, database: Database) -> None:
    row = {"store_id": 1, "sender_key": "ben@example.net", "answered_at": time.time()}
    with database.write() as connection:
        connection.execute(insert(oof_memory), [row])
    set_oof.ok("-m", "1")
    with database.read() as connection:
        assert connection.execute(oof_memory.select()).all() == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-u", "nobody", "-m", "1"), "no user 'nobody'; kopano-admin -l lists them"),
        (("-u", "no@where.example"), "no user 'no@where.example'; kopano-admin -l"),
        (("-u", "nobox"), "user 'nobox' has no mailbox"),
        (("-u", "anna", "-m", "1", "--until", "2020-01-01 00:00"), "--until 2020-01-01 00:00 is p"),
        (("-u", "anna", "--timezone", "Mars/Base"), "time zone 'Mars/Base': expected an IANA name"),
    ],
)
def test_what_is_wrong_with_a_request(
    set_oof: SetOof, stored: Callable[[], StoredOof | None], words: tuple[str, ...], said: str
) -> None:
    assert set_oof.refuses(*words).startswith(said)
    assert stored() is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-m", "1"), "whose out-of-office? Name the user with -u USER"),
        (("-u", ""), "whose out-of-office? Name the user with -u USER"),
        (("-u", "anna", "-m", "2"), "Invalid value for '-m' / '--mode': '2' is not one of"),
        (("-u", "anna", "-n", "/no/such/file"), "-n /no/such/file: cannot be read: No such file"),
        (("-u", "anna", "-n", "/"), "-n /: cannot be read: Is a directory"),
        (("-u", "anna", "-t", "\udcff"), "-t: the value is not valid text in the locale's charset"),
        (("-u", "anna", "--config", "/no/file"), "/no/file: cannot be read: No such file"),
        (("--nonsense",), "No such option"),
        (("-u", "anna", "--external", "some"), "Invalid value for '--external': 'some' is not one"),
        (("-u", "anna", "--decline-meetings", "x"), "Invalid value for '--decline-meetings'"),
        (
            ("-u", "anna", "--internal-message", "/no/such/file"),
            "--internal-message /no/such/file: cannot be read: No such file",
        ),
        (
            ("-u", "anna", "-n", "-", "--external-message", "-"),
            "only one text can come from standard input; name files for the others",
        ),
    ],
)
def test_mistakes_that_need_no_database(
    embedded: SetOof, words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    assert embedded.refuses(*words).startswith(said)
    assert not list(tmp_path.iterdir())


def test_a_text_in_the_locales_charset(
    set_oof: SetOof, stored: Callable[[], StoredOof | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locale, "getpreferredencoding", lambda _: "ISO-8859-15")
    set_oof.ok("-n", "-", stdin=b"5 \xa4\n")
    found = stored()
    assert found is not None
    assert found.message == "5 \u20ac\n"


def test_a_text_in_another_charset(
    set_oof: SetOof, stored: Callable[[], StoredOof | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locale, "getpreferredencoding", lambda _: "UTF-8")
    said = set_oof.refuses("-u", "anna", "-n", "-", stdin=b"T\xfc\n")
    assert said == "-n -: is not UTF-8 text; convert the file, or set LC_ALL to its charset"
    assert stored() is None
    set_oof.ok("-n", "-", stdin=b"\xef\xbb\xbfplain")
    found = stored()
    assert found is not None
    assert found.message == "plain"


@pytest.mark.parametrize("words", [(), ("--help",)])
def test_the_help_needs_nothing(embedded: SetOof, words: tuple[str, ...], tmp_path: Path) -> None:
    result = embedded(*words)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("Usage: kopano-set-oof")
    assert "--until TIME" in result.stdout
    assert not list(tmp_path.iterdir())


def test_the_version(embedded: SetOof) -> None:
    assert embedded("--version").stdout.startswith("kopano-set-oof, version ")


@pytest.mark.parametrize("trouble", ["no server", "no database", "no directory"])
def test_a_database_that_cannot_be_used(embedded: SetOof, trouble: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is no database, but it is long enough to be looked at")
    embedded.environment["DAGENT_STORE_DATABASE"] = {
        "no server": f"postgresql://anna:secret@127.0.0.1:{free_port()}/mail",
        "no database": f"sqlite:///{tmp_path / 'text'}",
        "no directory": f"sqlite:///{tmp_path / 'text' / 'kopano.db'}",
    }[trouble]
    said = embedded.refuses("-u", "anna")
    assert said.startswith("database ")
    assert "secret" not in said


def test_help_is_printed_without_loading_the_database() -> None:
    code = (
        "import sys, contextlib, io\n"
        "from oof.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main([])\n"
        "print([name for name in ('sqlalchemy', 'alembic', 'argon2') if name in sys.modules])\n"
    )
    root = Path(__file__).resolve().parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True
    )
    assert ran.stdout == "[]\n"
