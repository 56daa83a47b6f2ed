"""The sections of the settings file about keeping, logging, signing in, and scripts."""

from dataclasses import dataclass

from mailcore.setting import setting


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """`[retention]`: how long what is finished is kept."""

    dedup_window: float = setting(
        432_000.0,
        "time in which a re-sent message is recognised; the default is five days",
        unit="seconds",
        example=864_000.0,
        live=True,
    )
    jobs: float = setting(
        2_592_000.0,
        "how long a finished job is kept; the default is 30 days",
        unit="seconds",
        example=604_800.0,
        live=True,
    )
    outbox: float = setting(
        604_800.0,
        "how long a mail that left (or failed) stays in the outbox; the default is a week",
        unit="seconds",
        example=86_400.0,
        live=True,
    )
    tombstones: float = setting(
        63_072_000.0,
        "how long a cancelled meeting's UID is remembered; the default is two years",
        unit="seconds",
        example=31_536_000.0,
        live=True,
    )
    softdelete_lifetime: int = setting(
        30,
        "how long deleted mails, folders and stores can be restored; 0: for ever",
        unit="days",
        example=90,
        live=True,
    )


@dataclass(frozen=True, slots=True)
class LogSettings:
    """`[log]`: what goes to standard error."""

    log_level: str = setting(
        "info",
        "least level that is logged",
        choices=("debug", "info", "warning", "error"),
        live=True,
    )
    log_format: str = setting(
        "text",
        "text for people, one line per event; json for programs, one object per line",
        choices=("text", "json"),
        live=True,
    )
    log_raw_message: str = setting(
        "no",
        "messages that are kept as they came: no, all, error (those that were not taken), or users"
        " separated by blanks",
        example="error",
        live=True,
    )
    log_raw_message_path: str = setting(
        "",
        "directory they are kept in; empty: raw in the data directory",
        example="/var/log/kopano/raw",
        live=True,
    )
    log_raw_message_limit: int = setting(
        100, "size of that directory at which the oldest go", unit="MB", example=1000, live=True
    )


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """`[audit]`: lines about starts, signals, logins and the use of other people's mailboxes (manual, 7.3)."""

    audit_log_enabled: bool = setting(
        False, "whether audit lines are written", example=True, live=True
    )
    audit_log_method: str = setting(
        "syslog",
        "where to: syslog with facility authpriv, standard error, or a file",
        choices=("syslog", "stderr", "file"),
        live=True,
    )
    audit_log_file: str = setting(
        "/var/log/kopano/audit.log",
        "the file; it is appended to, and opened again when it has been rotated",
        example="/srv/kopano/audit.log",
        live=True,
    )


@dataclass(frozen=True, slots=True)
class LoginSettings:
    """`[login]`: how often somebody may try to log in."""

    login_attempts: int = setting(
        10,
        "failed tries for one user from one address until both together are blocked; 0: no limit",
        example=5,
    )
    login_window: float = setting(
        600.0, "time in which so many tries have to fail", unit="seconds", example=3600.0
    )
    login_block: float = setting(
        900.0,
        "time from the last failed try in which a right password is refused too; at most a day",
        unit="seconds",
        example=3600.0,
    )


@dataclass(frozen=True, slots=True)
class EventSettings:
    """`[events]`: scripts that are run when users, groups and companies come and go (manual, 8.5.1)."""

    scripts_directory: str = setting(
        "/etc/kopano/userscripts",
        "where the directories createuser.d, deleteuser.d, creategroup.d and so on are",
        example="/srv/kopano/userscripts",
        live=True,
    )
    script_timeout: float = setting(
        60.0, "time after which a script is killed", unit="seconds", example=600.0, live=True
    )
