import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, strategies

from mailcore.hidden import hide_passwords
from mailcore.settings import Settings, parse_settings, sections_of_settings
from mailcore.settings_text import dump_text, sample_text, toml_value

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "dagent.toml"


def test_sample_is_up_to_date() -> None:
    assert SAMPLE.read_text(encoding="utf-8") == sample_text(), "run `make samples`"


def test_sample_changes_nothing() -> None:
    document = tomllib.loads(sample_text())
    assert set(document) == set(sections_of_settings())
    assert parse_settings(document, {}, source="sample") == Settings()


def test_sample_uncommented_says_every_default() -> None:
    text = re.sub(r"^#(?=\w+ = )", "", sample_text(), flags=re.MULTILINE)
    document = tomllib.loads(text)
    for name, section in sections_of_settings().items():
        assert set(document[name]) == set(section.__dataclass_fields__)
    assert parse_settings(document, {}, source="sample") == Settings()


def test_examples_of_the_sample_work_together() -> None:
    text = re.sub(r"^# Example: (?=\w+ = )", "", sample_text(), flags=re.MULTILINE)
    settings = parse_settings(tomllib.loads(text), {}, source="sample")
    assert settings.lmtp.shutdown_grace == 60.0
    assert settings.booking != Settings().booking


def test_dump_says_where_each_value_comes_from() -> None:
    document = {"lmtp": {"max_recipients": 7, "idle_timeout": 1}}
    environ = {"DAGENT_LMTP_IDLE_TIMEOUT": "2.5", "DAGENT_DATA": "/data"}
    settings = parse_settings(document, environ, source="/etc/x.toml")
    lines = dump_text(settings, document, environ, "/etc/x.toml").splitlines()
    assert "max_recipients = 7  # /etc/x.toml" in lines
    assert "idle_timeout = 2.5  # DAGENT_LMTP_IDLE_TIMEOUT" in lines
    assert 'data = "/data"  # DAGENT_DATA' in lines
    assert "max_message_size = 52428800  # default" in lines
    assert lines[0].startswith("# The data directory is /data, the database sqlite:////data/")


def test_dump_can_be_used_as_a_file() -> None:
    document = {"delivery": {"spam_header_value": 'a "quoted" \\ \x7f\x01 bücher 😀'}}
    settings = parse_settings(document, {}, source="x")
    dumped = tomllib.loads(dump_text(settings, document, {}, "x"))
    assert parse_settings(dumped, {}, source="dump") == settings


def test_dump_hides_passwords() -> None:
    document = {
        "store": {"database": "postgresql+psycopg://kopano:s3cret@db/kopano?sslpassword=s3cret"},
        "queue": {"url": "redis://:s3cret@redis:6379/0"},
        "spooler": {"smtp_url": "smtps://agent:s3%3Acret@mta:465"},
    }
    text = dump_text(parse_settings(document, {}, source="x"), document, {}, "x")
    assert "s3" not in text
    assert 'database = "postgresql+psycopg://kopano:***@db/kopano?sslpassword=***"' in text
    assert 'url = "redis://:***@redis:6379/0"' in text
    assert 'smtp_url = "smtps://agent:***@mta:465"' in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sqlite:////var/lib/kopano/kopano.db", None),
        ("redis://redis.example.org:6379/0", None),
        ("smtp://[::1]:25", None),
        ("unix:/run/lmtp.sock", None),
        ("redis://anna@redis/0", None),
        ("redis://anna:p@redis/0", "redis://anna:***@redis/0"),
        ("smtp://a:p/q?@x", "smtp://a:***@x"),
        ("unix:///run/redis?db=1&password=p", "unix:///run/redis?db=1&password=***"),
    ],
)
def test_what_is_a_password(text: str, shown: str | None) -> None:
    assert hide_passwords(text) == (shown or text)


@given(strategies.text(strategies.characters(exclude_categories=["Cs"])))
def test_any_text_survives_toml(value: str) -> None:
    assert tomllib.loads(f"x = {toml_value(value)}") == {"x": value}


def test_unusual_values_stay_what_they_are() -> None:
    settings = Settings()
    settings = replace(settings, lmtp=replace(settings.lmtp, idle_timeout=1e-7, max_recipients=0))
    dumped = tomllib.loads(dump_text(settings, {}, {}, "x"))
    assert parse_settings(dumped, {}, source="dump") == settings
