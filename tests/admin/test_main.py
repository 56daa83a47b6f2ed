"""The command line as a whole: help, version, errors, exit codes, and that errors change nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from admin.options import DECLARED, FUNCTIONS
from tests.admin.conftest import populate
from tests.admin.errors import ERRORS
from tests.admin.shell import Installed, Shell
from tests.support.servers import free_port


@pytest.mark.parametrize(("typed", "says"), ERRORS, ids=[typed for typed, _ in ERRORS])
def test_an_error_is_one_line_and_changes_nothing(
    embedded: tuple[Shell, Installed], typed: str, says: str
) -> None:
    shell, installed = embedded
    before = installed.contents()
    assert says in shell.refuses(*typed.split())
    assert installed.contents() == before


def test_the_same_errors_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    shell = Shell(postgres_url, tmp_path)
    populate(shell)
    for typed, says in ERRORS:
        assert says in shell.refuses(*typed.split()), typed
    assert [user["name"] for user in shell.json("-l")] == ["anna", "aurora", "beamers"]


@pytest.mark.parametrize(
    "words",
    [
        ("-u", "anna", "-f", "x", "-p", ""),
        ("-c", "-u", "", "-e", "x@example.org"),
        ("-u", "anna", "-e", ""),
        ("--list-mail", "anna", "--folder", ""),
        ("--show-mail", "", "1"),
        ("-d", ""),
    ],
)
def test_an_empty_value_is_refused(embedded: tuple[Shell, Installed], words: tuple[str]) -> None:
    shell, installed = embedded
    before = installed.contents()
    shell.refuses(*words)
    assert installed.contents() == before


@pytest.mark.parametrize("option", ["-e", "-f", "-p", "-U", "--timezone", "--add-alias"])
def test_a_value_that_is_no_text_is_refused(embedded: tuple[Shell, Installed], option: str) -> None:
    shell, installed = embedded
    before = installed.contents()
    said = shell.refuses("-u", "anna", option, "x\udcff@example.org")
    assert said == f"{option}: the value is not valid UTF-8"
    assert installed.contents() == before


def test_a_windows_zone_is_translated(embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    said = shell.refuses("-u", "aurora", "--timezone", "W. Europe Standard Time")
    assert said.endswith("the IANA name is Europe/Berlin")


def test_without_arguments_it_prints_its_help(shell: Shell) -> None:
    assert shell.ok() == shell.ok("--help")


def test_the_help_names_every_option(shell: Shell) -> None:
    text = shell.ok("--help")
    for declared in DECLARED.values():
        for spelling in declared["spelling"]:
            assert spelling in text


def test_every_option_goes_with_actions_that_exist() -> None:
    for name, declared in DECLARED.items():
        assert set(declared.get("goes_with", ())) <= set(FUNCTIONS), name


def test_a_bad_setting_is_named(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text("[userstore]\ndisabled_features = 'imap fax'\n")
    shell.ok("-c", "anna", "-e", "anna@example.org")
    assert "unknown feature fax" in shell.refuses("--config", str(file), "--details", "anna")
    file.write_text("[store]\ncolour = 'red'\n")
    assert "unknown setting 'colour'" in shell.refuses("--config", str(file), "-l")


def test_a_settings_file_is_used(tmp_path: Path) -> None:
    shell = Shell(f"sqlite:///{tmp_path / 'a.db'}", tmp_path)
    shell.ok("-c", "anna", "-e", "anna@example.org")
    file = tmp_path / "other.toml"
    file.write_text(f"[store]\ndatabase = 'sqlite:///{tmp_path / 'b.db'}'\n")
    del shell.environment["DAGENT_STORE_DATABASE"]
    assert shell.json("-l", "--config", str(file)) == []


def test_an_unreachable_database_is_temporary_and_keeps_its_password(tmp_path: Path) -> None:
    shell = Shell(f"postgresql+psycopg://kopano:hush-hush@127.0.0.1:{free_port()}/mail", tmp_path)
    result = shell("-l")
    assert result.exit_code == os.EX_TEMPFAIL
    assert "postgresql+psycopg://kopano:***@127.0.0.1" in result.stderr
    assert "hush-hush" not in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["file/kopano.db", "file"])
def test_an_embedded_database_that_cannot_be_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("this is no database, and no directory either")
    result = Shell(f"sqlite:///{tmp_path / name}", tmp_path)("-l")
    assert result.exit_code == os.EX_TEMPFAIL
    assert f"database sqlite:///{tmp_path / name} cannot be opened" in result.stderr


def test_a_database_of_another_version_is_refused(embedded: tuple[Shell, Installed]) -> None:
    shell, installed = embedded
    with installed.database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert "newer than this program" in shell.refuses("-l")


def test_migrate_says_what_it_did(bare_database_url: str, tmp_path: Path) -> None:
    shell = Shell(bare_database_url, tmp_path)
    assert shell.ok("--migrate").startswith("The database was brought from schema none to ")
    assert "nothing to do" in shell.ok("--migrate")


def test_the_process_starts_without_the_database_packages(tmp_path: Path) -> None:
    probe = (
        "import sys; sys.argv = ['kopano-admin', '--help']\n"
        "from admin.main import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0\n"
        "slow = {'sqlalchemy', 'alembic', 'icalendar', 'rich', 'dramatiq'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {slow}' if slow else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=False, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: kopano-admin")


def test_shell_completion_offers_the_options(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "_KOPANO_ADMIN_COMPLETE": "bash_complete",
        "COMP_WORDS": "kopano-admin --mr-",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "admin.main"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert "--mr-accept" in done.stdout
