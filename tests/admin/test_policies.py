"""The rules of a resource: setting and showing them."""

import logging
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailcore.audit import AUDIT
from mr_accept.policy_text import OF_USERS, policy_keys
from store.booking_policies import load_policy_values, save_policy_values
from tests.admin.shell import Installed, Shell

FILE = """BEGIN:VCALENDAR
BEGIN:VEVENT
DTSTART;VALUE=DATE:20000101
RRULE:FREQ=YEARLY
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20001224
DURATION:P3D
RRULE:FREQ=YEARLY
END:VEVENT
END:VCALENDAR
"""


def kept(installed: Installed, name: str) -> dict[str, str]:
    with installed.database.read() as connection:
        return load_policy_values(connection, installed.mailbox(name).id)


def rows(shell: Shell, name: str) -> dict[str, str]:
    """The lines of --show-policy by key."""
    heading, *lines = shell.ok("--show-policy", name).splitlines()
    assert heading.split() == ["Rule", "Value", "Default", "Meaning"]
    return {line.split()[0]: " ".join(line.split()[1:]) for line in lines}


def test_rules_are_set_shown_and_taken_back(shell: Shell, installed: Installed) -> None:
    words = ("Lead-Time-Minutes=060", "work_hours=8:00-18:00", "reply_text=Keys: ask Carla.")
    assert shell.ok("--set-policy", "aurora", *words) == (
        "Policy of aurora: lead_time_minutes=60, work_hours=08:00-18:00, reply_text=Keys: ask Carla..\n"
    )
    assert kept(installed, "aurora") == {
        "lead_time_minutes": "60",
        "work_hours": "08:00-18:00",
        "reply_text": "Keys: ask Carla.",
    }
    shown = rows(shell, "aurora")
    assert shown["lead_time_minutes"].startswith("60 0 how long ahead")
    assert shown["work_hours"].startswith("08:00-18:00 none the hours")
    assert shown["work_days"].startswith("mon,tue,wed,thu,fri,sat,sun the days")
    text = shell.ok("--set-policy", "aurora", "lead_time_minutes=", "work_hours=07:00-19:00")
    assert text == "Policy of aurora: lead_time_minutes=default, work_hours=07:00-19:00.\n"
    assert kept(installed, "aurora") == {
        "work_hours": "07:00-19:00",
        "reply_text": "Keys: ask Carla.",
    }
    assert kept(installed, "beamers") == {}


def test_every_key_is_shown_with_what_is_set_elsewhere(
    embedded: tuple[Shell, Installed],
) -> None:
    shell, _ = embedded
    shown = rows(shell, "aurora")
    assert list(shown) == [*policy_keys(), *OF_USERS]
    assert shown["booking_window_days"].startswith("730 how far ahead")
    assert shown["capacity"] == "1 kopano-admin -u aurora --capacity N"
    assert shown["mr_accept"] == "yes kopano-admin -u aurora --mr-accept yes|no"
    assert shown["mr_decline_recurring"].startswith("no kopano-admin -u aurora")
    assert shown["timezone"] == "Europe/Berlin kopano-admin -u aurora --timezone ZONE"


def test_the_settings_give_the_defaults(embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    shell.environment["DAGENT_BOOKING_BOOKING_WINDOW_DAYS"] = "90"
    shell.environment["DAGENT_BOOKING_PROCESSED_REQUESTS"] = "drop"
    assert rows(shell, "aurora")["booking_window_days"].startswith("90 how far")
    shell.ok("--set-policy", "aurora", "booking_window_days=30")
    assert rows(shell, "aurora")["booking_window_days"].startswith("30 90 how far")
    record = shell.json("--show-policy", "aurora")
    assert record["policy"]["processed_requests"] == "drop"
    assert record["defaults"]["booking_window_days"] == 90


def test_programs_read_plain_values(embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    shell.ok("-g", "staff")
    shell.ok(
        *("--set-policy", "aurora", "work_days=mon-wed", "max_conflicts=0", "show_holder=yes"),
        *("work_hours=08:00-18:00", "book_in_policy=staff, anna,@example.org"),
    )
    record = shell.json("--show-policy", "aurora")
    policy = record["policy"]
    assert policy["work_days"] == ["mon", "tue", "wed"]
    assert policy["work_hours"] == "08:00-18:00"
    assert policy["book_in_policy"] == ["staff", "anna", "@example.org"]
    assert (policy["max_conflicts"], policy["max_conflict_percent"]) == (0, None)
    assert (policy["show_holder"], policy["strip_body"]) == (True, False)
    assert list(policy) == list(policy_keys()) == list(record["defaults"])
    assert record["defaults"]["work_hours"] is None
    assert record["set"] == [
        *("book_in_policy", "max_conflicts", "show_holder", "work_days", "work_hours")
    ]
    assert (record["resource"], record["capacity"], record["errors"]) == ("aurora", 1, {})
    assert (record["mr_accept"], record["timezone"]) == (True, "Europe/Berlin")


def test_days_off_come_from_a_file(shell: Shell, installed: Installed, tmp_path: Path) -> None:
    file = tmp_path / "days off.ics"
    file.write_text("\ufeff" + FILE.replace("\n", "\r\n"), encoding="utf-8")
    said = shell.ok("--set-policy", "aurora", f"holidays=@{file}")
    assert said.startswith("Policy of aurora: holidays=8 days off, ")
    assert said.endswith("-12-26.\n")
    assert "8 days off, " in rows(shell, "aurora")["holidays"]
    assert shell.json("--show-policy", "aurora")["policy"]["holidays"].startswith("BEGIN:VCALENDAR")
    file.unlink()  # what is kept is the text
    assert "8 days off, " in rows(shell, "aurora")["holidays"]
    past = FILE.replace("RRULE:FREQ=YEARLY\n", "")
    shell.ok("--set-policy", "aurora", "holidays=@-", stdin=past)
    assert "no days off in " in rows(shell, "aurora")["holidays"]


def test_a_long_text_comes_from_a_file_and_is_shown_in_short(
    embedded: tuple[Shell, Installed], tmp_path: Path
) -> None:
    shell, _ = embedded
    file = tmp_path / "welcome.txt"
    file.write_text("Second floor.\n" + "Ask Carla for the key. " * 20, encoding="utf-8")
    shell.ok("--set-policy", "aurora", f"reply_text=@{file}")
    assert "... none a text" in rows(shell, "aurora")["reply_text"]
    full = shell.json("--show-policy", "aurora")["policy"]["reply_text"]
    assert full == file.read_text(encoding="utf-8").strip()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "--set-policy aurora: expected KEY=VALUE, for example "),
        (["lead_time_minutes"], "'lead_time_minutes': expected KEY=VALUE"),
        (["lead_time_minutes=soon"], "lead_time_minutes='soon': expected a whole number"),
        (["lead_time=5"], "did you mean lead_time_minutes?"),
        (["capacity=5"], "kopano-admin -u RESOURCE --capacity N sets it"),
        (["mr_decline_conflict=yes"], "--mr-decline-conflict yes|no sets it"),
        (["mr_decline_conflict="], "--mr-decline-conflict yes|no sets it"),
        (["frobnicate="], "no rule is called 'frobnicate'"),
        (["strip_body=yes", "strip_body=no"], "strip_body is given twice"),
        (["strip_body=yes", "strip-body=no"], "strip_body is given twice"),
        (["min_duration_minutes=60", "max_duration_minutes=30"], "nothing could be booked"),
        (["max_duration_minutes=4"], "min_duration_minutes=5 is above max_duration_minutes=4"),
        (["book_in_policy=staf"], "book_in_policy: no user or group 'staf'"),
        (["book_out_of_policy=anna,bob"], "book_out_of_policy: no user or group 'bob'"),
        (["holidays=@/nowhere/days.ics"], "/nowhere/days.ics: cannot be read"),
        (["holidays=2030-01-01"], "expected an iCalendar file with days off, as @FILE"),
        (["holidays=@-"], "expected an iCalendar file with days off"),
    ],
)
def test_one_bad_value_changes_nothing(
    embedded: tuple[Shell, Installed], words: list[str], says: str
) -> None:
    shell, installed = embedded
    shell.ok("--set-policy", "aurora", "min_duration_minutes=5")
    before = installed.contents()
    first = ["lead_time_minutes=60"] if words and "=" in words[0] else []
    if first and words[0].startswith("lead_time_minutes"):
        first = ["strip_subject=yes"]
    assert says in shell.refuses("--set-policy", "aurora", *first, *words, stdin="no calendar")
    assert installed.contents() == before


def test_whom_there_is_not_has_no_policy(embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    for words in (("--set-policy", "nobody", "strip_body=yes"), ("--show-policy", "nobody")):
        assert "nobody" in shell.refuses(*words)


def test_an_address_finds_the_resource_too(embedded: tuple[Shell, Installed]) -> None:
    shell, installed = embedded
    shell.ok("--set-policy", "aurora@example.org", "strip_body=yes")
    assert kept(installed, "aurora") == {"strip_body": "yes"}


def test_names_mean_people_of_the_resources_company(embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    shell.ok("--create-company", "acme")
    shell.ok("-c", "carla", "-e", "carla@acme.example", "-I", "acme")
    shell.ok("-c", "-u", "tower", "-e", "tower@acme.example", "-n", "room", "-I", "acme")
    shell.ok("--set-policy", "tower", "book_in_policy=Carla", "-I", "acme")
    shell.ok("--set-policy", "aurora", "book_in_policy=anna,everyone,carla@acme")
    assert shell.json("--show-policy", "tower", "-I", "acme")["policy"]["book_in_policy"] == [
        "Carla"
    ]
    says = shell.refuses("--set-policy", "tower", "book_in_policy=anna", "-I", "acme")
    assert says == "book_in_policy: no user or group 'anna' in company acme; an address has an @"
    assert "'carla'" in shell.refuses("--set-policy", "aurora", "book_in_policy=carla")


@pytest.mark.parametrize(
    ("user", "words", "hint"),
    [
        ("anna", ["strip_body=yes"], "anna does not answer meeting requests: "),
        ("aurora", ["enforce_capacity=yes"], "aurora has no seats to count: "),
        ("beamers", ["max_conflicts=2"], "beamers declines no conflicts: "),
    ],
)
def test_what_has_no_effect_yet_is_told(
    embedded: tuple[Shell, Installed], user: str, words: list[str], hint: str
) -> None:
    shell, _ = embedded
    assert hint in shell.ok("--set-policy", user, *words)
    assert hint in shell.ok("--show-policy", user)
    assert hint not in shell.ok("--show-policy", "aurora" if user != "aurora" else "anna")


def test_what_another_version_has_set_is_shown_and_can_be_taken_away(
    embedded: tuple[Shell, Installed],
) -> None:
    shell, installed = embedded
    values = {"of_tomorrow": "1", "work_days": "9", "strip_body": "yes"}
    with installed.database.write() as connection:
        save_policy_values(connection, installed.mailbox("aurora").id, values)
    text = shell.ok("--show-policy", "aurora")
    assert "of_tomorrow cannot be read, and nothing is booked: no rule is called" in text
    assert "work_days cannot be read, and nothing is booked: work_days='9': expected" in text
    record = shell.json("--show-policy", "aurora")
    assert set(record["errors"]) == {"of_tomorrow", "work_days"}
    assert record["policy"]["strip_body"] is True
    assert "of_tomorrow" in shell.refuses("--set-policy", "aurora", "strip_body=no")
    shell.ok("--set-policy", "aurora", "of_tomorrow=", "work_days=")
    assert kept(installed, "aurora") == {"strip_body": "yes"}


@pytest.fixture
def audit_as_it_was() -> Iterator[None]:
    logger = logging.getLogger(AUDIT)
    before = (logger.handlers[:], logger.level, logger.propagate)
    yield
    for handler in logger.handlers:
        if handler not in before[0]:
            handler.close()
    logger.handlers, logger.propagate = before[0], before[2]
    logger.setLevel(before[1])


@pytest.mark.usefixtures("audit_as_it_was")
def test_a_change_leaves_an_audit_line(embedded: tuple[Shell, Installed], tmp_path: Path) -> None:
    shell, _ = embedded
    file = tmp_path / "audit.log"
    shell.environment["DAGENT_AUDIT_AUDIT_LOG_ENABLED"] = "true"
    shell.environment["DAGENT_AUDIT_AUDIT_LOG_METHOD"] = "file"
    shell.environment["DAGENT_AUDIT_AUDIT_LOG_FILE"] = str(file)
    shell.ok("--set-policy", "aurora", "strip_body=yes", "work_hours=")
    shell.refuses("--set-policy", "aurora", "strip_body=perhaps")
    (line,) = file.read_text(encoding="utf-8").splitlines()
    assert "policy changed user='aurora' by=" in line
    assert line.endswith("strip_body='yes' work_hours='default'")


def test_the_options_go_with_json_and_company_only(
    embedded: tuple[Shell, Installed],
) -> None:
    shell, _ = embedded
    assert "--json does not go with" in shell.refuses("--set-policy", "anna", "a=1", "--json")
    assert "too many words" in shell.refuses("--show-policy", "aurora", "strip_body=yes")


def test_the_guide_runs_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "booking.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    typed = [line for block in blocks for line in block.splitlines()]
    assert len(typed) > 8
    shell = Shell(f"sqlite:///{tmp_path / 'kopano.db'}", tmp_path)
    for line in typed:
        program, *words = shlex.split(line)
        assert program == "kopano-admin"
        shell.ok(*words)
