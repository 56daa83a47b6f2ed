import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from mailcore.errors import UsageError
from mailcore.settings import Settings, load_settings, parse_settings, sections_of_settings

ALL = [
    pytest.param(section, declared, id=f"{section}.{declared.name}")
    for section, kind in sections_of_settings().items()
    for declared in fields(kind)
]

BAD = [
    ("[lmpt]\n", "unknown section [lmpt]; known: store, userstore, lmtp"),
    ("lmtp = 5\n", "[lmtp] must be a table"),
    ("[lmtp]\nlisten_on = 'x'\n", "[lmtp] unknown setting 'listen_on'; known: listen, "),
    ("[lmtp]\nlisten = 2003\n", "[lmtp] listen: expected a text, not 2003"),
    ("[lmtp]\nlisten = 'localhost'\n", "[lmtp] listen: expected host:port"),
    ("[lmtp]\nlisten = 'localhost:x'\n", "[lmtp] listen: expected host:port"),
    ("[lmtp]\nlisten = 'localhost:²'\n", "[lmtp] listen: expected host:port"),
    ("[lmtp]\nlisten = 'localhost:65536'\n", "[lmtp] listen: expected host:port"),
    ("[lmtp]\nmax_recipients = 1.5\n", "[lmtp] max_recipients: expected a whole number, not 1.5"),
    ("[lmtp]\nmax_recipients = true\n", "[lmtp] max_recipients: expected a whole number, not True"),
    ("[lmtp]\nmax_recipients = -1\n", "[lmtp] max_recipients: expected a number that is not neg"),
    ("[lmtp]\nidle_timeout = 'soon'\n", "[lmtp] idle_timeout: expected a number, not 'soon'"),
    ("[lmtp]\nidle_timeout = nan\n", "[lmtp] idle_timeout: expected a number that is not neg"),
    ("[lmtp]\nidle_timeout = inf\n", "[lmtp] idle_timeout: expected a number that is not neg"),
    ("[lmtp]\nidle_timeout = [1]\n", "[lmtp] idle_timeout: expected a number, not [1]"),
    ("[lmtp]\nidle_timeout = 2026-11-21\n", "[lmtp] idle_timeout: expected a number, not "),
    ("[log]\nlog_level = 'loud'\n", "[log] log_level: expected one of debug, info, warning, error"),
    ("[spooler]\nsmtp_url = 'mta'\n", "[spooler] smtp_url: expected smtp://host:port, not 'mta'"),
    ("[spooler]\nsmtp_url = 'smtp://'\n", "[spooler] smtp_url: expected smtp://host:port"),
    ("[spooler]\nsmtp_url = 'smtp://[::1'\n", "[spooler] smtp_url: expected smtp://host:port"),
    ("[spooler]\nsmtp_url = 'smtp://a:b'\n", "[spooler] smtp_url: expected smtp://host:port"),
    ("[lmtp\n", "is not valid TOML: "),
    ("[lmtp]\n\xff = '", "is not valid TOML: "),
]


@pytest.mark.parametrize(("text", "words"), BAD)
def test_error_names_file_and_setting_and_what_was_expected(
    text: str, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "kopano.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        load_settings(path, {})
    assert str(raised.value).startswith(f"{path}: ")
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("DAGENT_LMTP_LISTEN", "nowhere", "expected host:port"),
        ("DAGENT_LMTP_MAX_RECIPIENTS", "many", "expected a whole number, not 'many'"),
        ("DAGENT_LMTP_MAX_RECIPIENTS", "1.5", "expected a whole number, not '1.5'"),
        ("DAGENT_LMTP_IDLE_TIMEOUT", "-1", "expected a number that is not negative, not '-1'"),
        ("DAGENT_LMTP_IDLE_TIMEOUT", "nan", "expected a number that is not negative, not 'nan'"),
        ("DAGENT_DELIVERY_DETAIL_FOLDER", "perhaps", "expected true or false, not 'perhaps'"),
        ("DAGENT_EVENTS_SCRIPTS_DIRECTORY", "scripts", "expected a path from /, not 'scripts'"),
        ("DAGENT_EVENTS_SCRIPT_TIMEOUT", "0", "expected more than 0 seconds"),
        ("DAGENT_LOG_LOG_LEVEL", "INFO", "expected one of debug, info"),
        ("DAGENT_SPOOLER_SMTP_URL", "mta", "expected smtp://host:port, not 'mta'"),
        ("DAGENT_SPOOLER_URL", "x", "unknown setting; [spooler] has smtp_url, "),
    ],
)
def test_error_names_the_variable(variable: str, value: str, words: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_settings({}, {variable: value}, source="/etc/x.toml")
    assert str(raised.value).startswith(f"{variable}: ")
    assert words in str(raised.value)
    assert "/etc/x.toml" not in str(raised.value)


def test_error_shows_no_password() -> None:
    with pytest.raises(UsageError) as raised:
        parse_settings({}, {"DAGENT_SPOOLER_SMTP_URL": "http://me:s3cret@mta"}, source="x")
    assert "s3cret" not in str(raised.value)
    assert "http://me:***@mta" in str(raised.value)


@pytest.mark.parametrize(
    ("levels", "good"),
    [
        ({"warn": 1, "soft": 2, "hard": 2}, True),
        ({"warn": 0, "hard": 5}, True),
        ({"warn": 10, "hard": 5}, False),
        ({"soft": 3, "hard": 2}, False),
    ],
)
def test_default_quota_in_its_order(levels: dict[str, int], good: bool) -> None:
    document = {"userstore": {f"quota_{name}": size for name, size in levels.items()}}
    if good:
        parse_settings(document, {}, source="x")
        return
    with pytest.raises(UsageError, match=r"quota_(warn|soft): \d+ MB is above quota_hard"):
        parse_settings(document, {}, source="x")


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"kopano\.toml: cannot be read: No such file"):
        load_settings(tmp_path / "kopano.toml", {})


@pytest.mark.parametrize(
    ("text", "value"), [("yes", True), ("TRUE", True), ("1", True), ("no", False), ("False", False)]
)
def test_switch_in_the_environment(text: str, value: bool) -> None:
    settings = parse_settings({}, {"DAGENT_DELIVERY_DETAIL_FOLDER": text}, source="x")
    assert settings.delivery.detail_folder is value


def test_without_anything_all_defaults() -> None:
    assert parse_settings({}, {}, source="x") == Settings()


@pytest.mark.parametrize(("section", "declared"), ALL)
def test_each_setting_comes_from_the_file(section: str, declared: Any) -> None:
    document = {section: {declared.name: declared.metadata["example"]}}
    settings = parse_settings(document, {}, source="x")
    assert getattr(getattr(settings, section), declared.name) == declared.metadata["example"]


@pytest.mark.parametrize(("section", "declared"), ALL)
def test_environment_goes_before_the_file(section: str, declared: Any) -> None:
    variable = f"DAGENT_{section}_{declared.name}".upper()
    environ = {variable: str(declared.metadata["example"])}
    document = {section: {declared.name: declared.default}} if declared.default != "" else {}
    settings = parse_settings(document, environ, source="x")
    assert getattr(getattr(settings, section), declared.name) == declared.metadata["example"]


@pytest.mark.parametrize(("section", "declared"), ALL)
def test_each_setting_is_declared_well(section: str, declared: Any) -> None:
    said = declared.metadata
    assert said["meaning"], "what does it mean?"
    assert type(said["example"]) is type(declared.default), "the example has the wrong type"
    assert said["example"] != declared.default or len(said["choices"]) == 1, "shows nothing new"
    assert not isinstance(declared.default, float) or said["unit"], "a quantity has a unit"


def test_data_directory_has_a_short_variable() -> None:
    environ = {"DAGENT_DATA": "/short", "DAGENT_STORE_DATA": "/long"}
    assert parse_settings({}, environ, source="x").store.data == "/short"
    del environ["DAGENT_DATA"]
    assert parse_settings({}, environ, source="x").store.data == "/long"


def test_foreign_variables_are_none_of_our_business() -> None:
    environ = {"DAGENT_FAILPOINTS": "x:kill", "DAGENT_": "x", "LMTP_LISTEN": "x"}
    assert parse_settings({}, environ, source="x") == Settings()


@pytest.mark.parametrize(
    ("attachments", "database", "directory"),
    [
        ("auto", "", True),
        ("auto", "postgresql+psycopg://db/kopano", False),
        ("directory", "postgresql+psycopg://db/kopano", True),
        ("database", "", False),
    ],
)
def test_place_of_large_bodies(attachments: str, database: str, directory: bool) -> None:
    table = {"data": "/data", "attachments": attachments, "database": database}
    settings = parse_settings({"store": table}, {}, source="x")
    assert settings.attachment_directory == (Path("/data/attachments") if directory else None)


def values() -> st.SearchStrategy[Any]:
    """Anything that TOML can hold."""
    plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes()
    return plain | st.lists(plain) | st.dictionaries(st.text(), plain)


def documents() -> st.SearchStrategy[dict[str, Any]]:
    def tables(section: str) -> st.SearchStrategy[Any]:
        names = [declared.name for declared in fields(sections_of_settings()[section])]
        return st.dictionaries(st.sampled_from(names), values(), max_size=3) | values()

    return st.fixed_dictionaries(
        {}, optional={name: tables(name) for name in sections_of_settings()}
    )


@for_all(documents())
def test_whatever_a_file_holds_is_settings_or_a_usage_error(document: dict[str, Any]) -> None:
    try:
        settings = parse_settings(document, {}, source="x")
    except UsageError as error:
        assert str(error).startswith("x: ")
    else:
        assert all(kept_types(settings))


def kept_types(settings: Settings) -> Iterator[bool]:
    for section in sections_of_settings():
        for declared in fields(getattr(settings, section)):
            value = getattr(getattr(settings, section), declared.name)
            yield type(value) is type(declared.default)


def test_toml_reads_what_the_table_of_bad_values_says() -> None:
    readable = [text for text, words in BAD if "TOML" not in words]
    assert all(tomllib.loads(text) for text in readable)
