"""The settings of all components, and how a file and the environment become values.

One TOML file, a table per component; what there is to set is in `mailcore.setting_sections`, `delivery_sections` and
`upkeep_sections`.  The environment overrides the file: `DAGENT_<SECTION>_<NAME>`, and `DAGENT_DATA` for the data
directory.  Whatever is unknown or bad stops the start with the place, the setting and what was expected; nothing is
guessed.  Reading the file is the only I/O of this package.
"""

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mailcore.delivery_sections import (
    DeliverySettings,
    OofSectionSettings,
    RuleSettings,
)
from mailcore.errors import UsageError
from mailcore.setting_checks import check_section
from mailcore.setting_sections import (
    BookingSettings,
    LmtpSettings,
    QueueSettings,
    SocketmapSettings,
    SpoolerSettings,
    StoreSettings,
    UserStoreSettings,
)
from mailcore.upkeep_sections import (
    AuditSettings,
    EventSettings,
    LoginSettings,
    LogSettings,
    RetentionSettings,
)

__all__ = [
    "AuditSettings",
    "BookingSettings",
    "DeliverySettings",
    "EventSettings",
    "LmtpSettings",
    "LogSettings",
    "LoginSettings",
    "OofSectionSettings",
    "QueueSettings",
    "RetentionSettings",
    "RuleSettings",
    "Settings",
    "SocketmapSettings",
    "SpoolerSettings",
    "StoreSettings",
    "UserStoreSettings",
    "given",
    "load_settings",
    "parse_settings",
    "read_document",
    "sections_of_settings",
]

SYSTEM_FILE = Path("/etc/kopano/kopano.toml")
SYSTEM_DATA = Path("/var/lib/kopano")

_WANTED = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
_SWITCH = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, a field per section of the file."""

    store: StoreSettings = field(default_factory=StoreSettings)
    userstore: UserStoreSettings = field(default_factory=UserStoreSettings)
    lmtp: LmtpSettings = field(default_factory=LmtpSettings)
    delivery: DeliverySettings = field(default_factory=DeliverySettings)
    rules: RuleSettings = field(default_factory=RuleSettings)
    oof: OofSectionSettings = field(default_factory=OofSectionSettings)
    socketmap: SocketmapSettings = field(default_factory=SocketmapSettings)
    queue: QueueSettings = field(default_factory=QueueSettings)
    spooler: SpoolerSettings = field(default_factory=SpoolerSettings)
    booking: BookingSettings = field(default_factory=BookingSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    log: LogSettings = field(default_factory=LogSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    login: LoginSettings = field(default_factory=LoginSettings)
    events: EventSettings = field(default_factory=EventSettings)

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
    document, source = read_document(path)
    return parse_settings(document, environ, source=source)


def read_document(path: Path | None) -> tuple[Mapping[str, Any], str]:
    """The tables of the settings file (or the system's, if it exists), and the file's name for messages.

    Raises UsageError naming a file that cannot be read or is no TOML.
    """
    if path is None:
        if not SYSTEM_FILE.exists():
            return {}, "settings"
        path = SYSTEM_FILE
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")), str(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path}: is not valid TOML: {error}") from error


def sections_of_settings() -> dict[str, Any]:
    """The dataclass of each section, by the section's name, in the order of the file."""
    return {section.name: section.default_factory for section in fields(Settings)}


def parse_settings(
    document: Mapping[str, Any], environ: Mapping[str, str], *, source: str
) -> Settings:
    """Turn a parsed file and the environment into settings; raises UsageError for anything unknown or bad."""
    sections = sections_of_settings()
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
    _refuse_unknown_variables(name, known, environ)
    values: dict[str, Any] = {}
    places: dict[str, str] = {}
    for key, declared in known.items():
        said = given(name, key, table, environ, source)
        if said is not None:
            places[key] = said[1]
            values[key] = _checked(*said, declared)
    check_section(name, values, places)
    return section(**values)


def given(
    section: str, key: str, table: Mapping[str, Any], environ: Mapping[str, str], source: str
) -> tuple[object, str] | None:
    """What the environment, or else the file's `table`, says about a setting, and the place where it does.

    None for a setting that keeps its default.
    """
    variables = [f"DAGENT_{section}_{key}".upper()]
    if (section, key) == ("store", "data"):
        variables.insert(0, "DAGENT_DATA")
    for variable in variables:
        if variable in environ:
            return environ[variable], variable
    return (table[key], f"{source}: [{section}] {key}") if key in table else None


def _refuse_unknown_variables(
    section: str, known: Mapping[str, Any], environ: Mapping[str, str]
) -> None:
    """A misspelt variable would otherwise leave a setting at its default without a word."""
    prefix = f"DAGENT_{section}_".upper()
    for variable in environ:
        if variable.startswith(prefix) and variable.removeprefix(prefix).lower() not in known:
            raise UsageError(f"{variable}: unknown setting; [{section}] has {', '.join(known)}")


def _checked(value: object, where: str, declared: Any) -> Any:
    """Return `value` as the type of the setting's default; text from the environment is converted."""
    kind = type(declared.default)
    converted = _converted(value, kind)
    if converted is None:
        wanted = _WANTED[kind]
        raise UsageError(f"{where}: expected {wanted}, not {value!r}")
    if kind is not str and not 0 <= converted < math.inf:
        raise UsageError(f"{where}: expected a number that is not negative, not {value!r}")
    choices = declared.metadata["choices"]
    if choices and converted not in choices:
        raise UsageError(f"{where}: expected one of {', '.join(choices)}, not {value!r}")
    return converted


def _converted(value: object, kind: type) -> Any:
    """`value` as `kind`, or None where it is something else."""
    if kind is bool:
        return value if isinstance(value, bool) else _SWITCH.get(str(value).lower())
    if isinstance(value, bool) or (kind is str and not isinstance(value, str)):
        return None
    if kind is int and isinstance(value, float):
        return None
    try:
        return kind(value)
    except (TypeError, ValueError, OverflowError):
        return None
