"""Every setting of every component: its type, default, unit and meaning, and how a file becomes values.

One TOML file, a table per component.  The environment overrides the file: `DAGENT_<SECTION>_<NAME>`, and
`DAGENT_DATA` for the data directory.  Whatever is unknown or bad stops the start with the place, the setting and
what was expected; nothing is guessed.  Reading the file is the only I/O of this package.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mailcore.errors import UsageError

SYSTEM_FILE = Path("/etc/kopano/kopano.toml")
SYSTEM_DATA = Path("/var/lib/kopano")


def setting(default: Any, meaning: str, *, choices: tuple[str, ...] = ()) -> Any:
    """Declare one setting: its default, its meaning in words (with the unit), and the values allowed."""
    return field(default=default, metadata={"meaning": meaning, "choices": choices})


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """`[store]`: where everything durable lives."""

    data: str = setting("", "data directory; empty: /var/lib/kopano, or the user's state directory")
    database: str = setting("", "SQLAlchemy URL; empty: SQLite in the data directory")
    attachments: str = setting(
        "auto",
        "where large bodies live; auto: directory with SQLite, database with PostgreSQL",
        choices=("auto", "directory", "database"),
    )
    large_body: int = setting(65536, "octets from which a stored body counts as large")


@dataclass(frozen=True, slots=True)
class UserStoreSettings:
    """`[userstore]`: who exists."""

    plugin: str = setting("db", "the user store plugin", choices=("db",))
    disabled_features: str = setting(
        "imap pop3", "features that are off unless a user has them enabled, separated by blanks"
    )
    default_timezone: str = setting("UTC", "IANA zone of mailboxes that have none of their own")


@dataclass(frozen=True, slots=True)
class LmtpSettings:
    """`[lmtp]`: the listener."""

    listen: str = setting("127.0.0.1:2003", "host:port of the LMTP listener")
    hostname: str = setting("", "name in the greeting and the Received header; empty: this host's")
    max_message_size: int = setting(52_428_800, "largest message accepted, in octets")
    max_recipients: int = setting(1000, "recipients of one message")
    idle_timeout: float = setting(300.0, "seconds without a command before a session ends")
    shutdown_grace: float = setting(30.0, "seconds a TERM waits for sessions and jobs")
    spam_header_name: str = setting("X-Spam-Status", "header that marks spam")
    spam_header_value: str = setting("Yes,", "text in that header that means spam")


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """`[queue]`: how workers are woken."""

    url: str = setting("", "redis:// URL of the wake-up queue; empty: workers inside kopano-dagent")
    workers: int = setting(2, "booking threads of a process")
    poll_interval: float = setting(3.0, "seconds between two looks for jobs nobody was woken for")


@dataclass(frozen=True, slots=True)
class SpoolerSettings:
    """`[spooler]`: how mail leaves."""

    smtp_url: str = setting("smtp://127.0.0.1:25", "smtp:// or smtps:// URL of the MTA")
    timeout: float = setting(30.0, "seconds for each step of the SMTP dialogue")
    poll_interval: float = setting(2.0, "seconds between two looks at the outbox")
    max_retry_interval: float = setting(900.0, "longest pause between two attempts, in seconds")
    give_up_after: float = setting(432_000.0, "seconds after which mail that never left bounces")


@dataclass(frozen=True, slots=True)
class BookingSettings:
    """`[booking]`: the auto-booker."""

    booking_deadline: float = setting(300.0, "seconds a job is tried before ordinary delivery")
    lease: float = setting(60.0, "seconds a worker may hold a resource's jobs")
    horizon_days: int = setting(730, "days from now up to which a series is checked and held")
    max_occurrences: int = setting(5000, "occurrences of one meeting, at most")
    expansion_seconds: float = setting(
        2.0, "seconds that parsing and expanding one request may take"
    )
    max_replies_per_hour: int = setting(20, "replies one organiser gets an hour; more wait")
    processed_requests: str = setting(
        "deleted-items",
        "what becomes of a request the booker has dealt with",
        choices=("drop", "deleted-items", "inbox"),
    )


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """`[retention]`: how long what is finished is kept."""

    dedup_window: float = setting(432_000.0, "seconds in which a re-sent message is recognised")
    jobs: float = setting(2_592_000.0, "seconds a finished job is kept")
    outbox: float = setting(604_800.0, "seconds a mail that left (or failed) stays in the outbox")
    tombstones: float = setting(63_072_000.0, "seconds a cancelled meeting's UID is remembered")


@dataclass(frozen=True, slots=True)
class LogSettings:
    """`[log]`: what goes to standard error."""

    log_level: str = setting(
        "info", "least level that is logged", choices=("debug", "info", "warning", "error")
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, a field per section of the file."""

    store: StoreSettings = StoreSettings()
    userstore: UserStoreSettings = UserStoreSettings()
    lmtp: LmtpSettings = LmtpSettings()
    queue: QueueSettings = QueueSettings()
    spooler: SpoolerSettings = SpoolerSettings()
    booking: BookingSettings = BookingSettings()
    retention: RetentionSettings = RetentionSettings()
    log: LogSettings = LogSettings()

    @property
    def data_directory(self) -> Path:
        """The data directory; the defaults depend on who runs this."""
        if self.store.data:
            return Path(self.store.data)
        if os.access(SYSTEM_DATA, os.W_OK) or os.geteuid() == 0:
            return SYSTEM_DATA
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        return Path(state) / "kopano"

    @property
    def database_url(self) -> str:
        """The database's URL; SQLite in the data directory unless one is set."""
        return self.store.database or f"sqlite:///{self.data_directory / 'kopano.db'}"

    @property
    def attachment_directory(self) -> Path | None:
        """Where large bodies are files; None where they are rows."""
        where = self.store.attachments
        if where == "auto":
            where = "directory" if self.database_url.startswith("sqlite") else "database"
        return self.data_directory / "attachments" if where == "directory" else None


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the settings file (or the system's, if it exists) and the environment.

    Raises UsageError naming the file or variable, the setting and what was expected.
    """
    if path is None:
        path = SYSTEM_FILE if SYSTEM_FILE.exists() else None
    document: dict[str, Any] = {}
    if path is not None:
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise UsageError(f"{path}: is not valid TOML: {error}") from error
    return parse_settings(document, environ, source=str(path) if path else "settings")


def parse_settings(
    document: Mapping[str, Any], environ: Mapping[str, str], *, source: str
) -> Settings:
    """Turn a parsed file and the environment into settings; raises UsageError for anything unknown or bad."""
    sections = {f.name: type(f.default) for f in fields(Settings)}
    for name in document:
        if name not in sections:
            raise UsageError(f"{source}: unknown section [{name}]; known: {', '.join(sections)}")
    return Settings(
        **{
            name: _parse_section(section, name, document.get(name, {}), environ, source)
            for name, section in sections.items()
        }
    )


def _parse_section(
    section: Any, name: str, table: object, environ: Mapping[str, str], source: str
) -> Any:
    if not isinstance(table, dict):
        raise UsageError(f"{source}: [{name}] must be a table")
    known = {f.name: f for f in fields(section)}
    for key in table:
        if key not in known:
            raise UsageError(
                f"{source}: [{name}] unknown setting {key!r}; known: {', '.join(known)}"
            )
    values: dict[str, Any] = {}
    for key, declared in known.items():
        variable = f"DAGENT_{name}_{key}".upper()
        if name == "store" and key == "data" and "DAGENT_DATA" in environ:
            values[key] = environ["DAGENT_DATA"]
        elif variable in environ:
            values[key] = _checked(environ[variable], declared, variable)
        elif key in table:
            values[key] = _checked(table[key], declared, f"{source}: [{name}] {key}")
    _check_urls(name, values, source)
    return section(**values)


def _checked(value: object, declared: Any, where: str) -> Any:
    """Return `value` as the type of the setting's default; text from the environment is converted."""
    kind = type(declared.default)
    converted = _converted(value, kind)
    if converted is None:
        wanted = {int: "a whole number", float: "a number", str: "a text"}[kind]
        raise UsageError(f"{where}: expected {wanted}, not {value!r}")
    if kind is not str and converted < 0:
        raise UsageError(f"{where}: expected a number that is not negative, not {value!r}")
    choices = declared.metadata["choices"]
    if choices and converted not in choices:
        raise UsageError(f"{where}: expected one of {', '.join(choices)}, not {value!r}")
    return converted


def _converted(value: object, kind: type) -> Any:
    """`value` as `kind`, or None where it is something else."""
    if isinstance(value, bool) or (kind is str and not isinstance(value, str)):
        return None
    if kind is int and isinstance(value, float):
        return None
    try:
        return kind(value)
    except (TypeError, ValueError):
        return None


def _check_urls(section: str, values: Mapping[str, Any], source: str) -> None:
    """Refuse addresses that cannot work, at the start rather than with the first mail."""
    if section == "lmtp" and "listen" in values:
        split_host_port(values["listen"], f"{source}: [lmtp] listen")
    if section == "spooler" and "smtp_url" in values:
        url = urlsplit(values["smtp_url"])
        if url.scheme not in {"smtp", "smtps"} or not url.hostname:
            raise UsageError(
                f"{source}: [spooler] smtp_url: expected smtp://host:port, not {values['smtp_url']!r}"
            )


def split_host_port(value: str, where: str) -> tuple[str, int]:
    """Split `host:port` (IPv6 hosts in brackets); raises UsageError naming `where`.

    >>> split_host_port("[::1]:2003", "listen")
    ('::1', 2003)
    """
    host, colon, port = value.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"{where}: expected host:port, for example 127.0.0.1:2003, not {value!r}")
    return host.strip("[]"), int(port)
