"""The sections of the settings file, and for every setting its type, default, unit, meaning and an example.

This is the one source: the sample file, `--dump-config` and the checks of `mailcore.settings` are made from it.
"""

from dataclasses import dataclass, field
from typing import Any


def setting(
    default: Any,
    meaning: str,
    *,
    unit: str = "",
    example: Any = None,
    choices: tuple[str, ...] = (),
    live: bool = False,
    secret: bool = False,
) -> Any:
    """Declare one setting: its default, its meaning in words, and its unit if it is a quantity.

    `example`: a value that is not the default; `choices`: the values allowed, and then the example
    may be left out; `live`: a HUP puts a change into effect, else it takes a restart; `secret`: never shown.
    """
    if example is None:
        example = next((choice for choice in choices if choice != default), default)
    said = {"meaning": meaning, "unit": unit, "example": example, "choices": choices, "live": live}
    return field(default=default, metadata={**said, "secret": secret})


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """`[store]`: where everything durable lives."""

    data: str = setting(
        "",
        "data directory; empty: /var/lib/kopano, or the user's state directory",
        example="/srv/kopano",
    )
    database: str = setting(
        "",
        "SQLAlchemy URL of the database; empty: SQLite in the data directory",
        example="postgresql+psycopg://kopano:secret@db.example.org/kopano",
    )
    attachments: str = setting(
        "auto",
        "where large bodies live; auto: directory with SQLite, database with PostgreSQL",
        choices=("auto", "directory", "database"),
    )
    large_body: int = setting(
        65536, "size from which a stored body counts as large", unit="octets", example=262_144
    )


@dataclass(frozen=True, slots=True)
class UserStoreSettings:
    """`[userstore]`: who exists."""

    plugin: str = setting("db", "the user store plugin", choices=("db",))
    disabled_features: str = setting(
        "imap pop3",
        "features that are off unless a user has them enabled, separated by blanks",
        example="pop3",
    )
    default_timezone: str = setting(
        "UTC", "IANA zone of mailboxes that have none of their own", example="Europe/Berlin"
    )
    recipient_delimiter: str = setting(
        "+",
        "characters of which each begins a detail, as in anna+lists@example.org; empty: none does",
        example="+-",
        live=True,
    )
    quota_warn: int = setting(
        0, "size from which an owner is warned; 0: never", unit="MB", example=450, live=True
    )
    quota_soft: int = setting(
        0, "size from which an owner cannot send; 0: no limit", unit="MB", example=500, live=True
    )
    quota_hard: int = setting(
        0, "size that no mailbox may pass; 0: no limit", unit="MB", example=1000, live=True
    )


@dataclass(frozen=True, slots=True)
class LmtpSettings:
    """`[lmtp]`: the listener."""

    listen: str = setting(
        "127.0.0.1:2003",
        "host:port or unix:/path of the LMTP listener, or several with blanks or commas between them;"
        " sockets that systemd hands over replace them",
        example="127.0.0.1:2003, [::1]:2003, unix:/run/kopano/lmtp.sock",
    )
    unix_mode: str = setting(
        "0660", "octal permissions of the unix sockets that we create", example="0600"
    )
    unix_owner: str = setting(
        "", "owner of the unix sockets that we create; empty: who runs us", example="kopano"
    )
    unix_group: str = setting(
        "", "group of the unix sockets that we create; empty: our own", example="postfix"
    )
    hostname: str = setting(
        "",
        "name in the greeting and the Received header; empty: this host's",
        example="mail.example.org",
    )
    tls_certificate: str = setting(
        "",
        "PEM file with a certificate and its chain, for STARTTLS; empty: not offered."
        " A HUP reads the file again",
        example="/etc/kopano/lmtp.pem",
        live=True,
    )
    tls_key: str = setting(
        "",
        "PEM file with the certificate's key; empty: it is in the same file",
        example="/etc/kopano/lmtp.key",
        live=True,
    )
    max_message_size: int = setting(
        52_428_800,
        "largest message accepted; a larger one gets 552 5.3.4",
        unit="octets",
        example=104_857_600,
        live=True,
    )
    max_recipients: int = setting(
        1000, "recipients of one message; more get 452 4.5.3", example=100, live=True
    )
    max_sessions: int = setting(
        200, "clients at the same time; more get 421 4.3.2", example=500, live=True
    )
    max_sessions_per_host: int = setting(
        100,
        "clients from one address at the same time; more get 421 4.7.0. Unix sockets do not count",
        example=50,
        live=True,
    )
    max_commands: int = setting(
        1000,
        "commands in a row that bring no mail, accepted recipients not counted; then 421 4.7.0",
        example=100,
        live=True,
    )
    idle_timeout: float = setting(
        300.0,
        "time without a word from the client before a session ends with 421 4.4.2",
        unit="seconds",
        example=600.0,
        live=True,
    )
    shutdown_grace: float = setting(
        30.0,
        "how long a TERM waits for sessions and jobs, all together",
        unit="seconds",
        example=60.0,
        live=True,
    )


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """`[delivery]`: what becomes of a message on its way into a mailbox."""

    spam_header_name: str = setting(
        "X-Spam-Status", "header that marks spam", example="X-Spam-Flag", live=True
    )
    spam_header_value: str = setting(
        "Yes,", "text in that header that means spam", example="YES", live=True
    )
    internal_domains: str = setting(
        "",
        "mail domains of this organisation, separated by blanks; who writes from one is no outsider",
        example="example.org example.com",
        live=True,
    )
    honour_expires: bool = setting(
        False,
        "whether Expires counts like Expiry-Time: mail that is past it is taken, but not stored",
        example=True,
        live=True,
    )
    max_received: int = setting(
        50,
        "Received headers from which a message counts as going round in circles",
        example=100,
        live=True,
    )
    quota_full: str = setting(
        "reject",
        "answer for a mailbox over its hard quota: reject is 552 5.2.2, defer is 452 4.2.2",
        choices=("reject", "defer"),
        live=True,
    )
    detail_folder: bool = setting(
        False,
        "whether mail to user+detail goes into the folder of that name, where there is one",
        example=True,
        live=True,
    )
    deliver_via: str = setting(
        "store",
        "where finished mail goes: store is our own, lmtp:unix:/path or lmtp:host:port another server"
        " (docs/next-hop.md); --deliver-via sets it for one user",
        example="lmtp:unix:/run/dovecot/lmtp",
        live=True,
    )
    deliver_via_detail: bool = setting(
        False,
        "whether the next hop is told a folder other than the Inbox, as user+Folder/Sub@example.org",
        example=True,
        live=True,
    )
    deliver_via_connect_timeout: float = setting(
        5.0,
        "longest wait for the next hop to take a connection and to greet",
        unit="seconds",
        example=10.0,
        live=True,
    )
    deliver_via_timeout: float = setting(
        60.0,
        "longest wait for each of its other replies",
        unit="seconds",
        example=300.0,
        live=True,
    )
    deliver_via_connections: int = setting(
        10, "connections to next hops at the same time; more mail waits its turn", example=20
    )
    hooks: str = setting(
        "",
        "hooks of this site, in their order, separated by blanks (docs/hooks.md)",
        example="disclaimer",
    )
    hook_failure: str = setting(
        "defer",
        "what a hook that fails means: defer answers 451, skip goes on without it",
        choices=("defer", "skip"),
    )
    archive_folder: str = setting(
        "",
        "folder that gets a copy of ordinary mail (not of junk, nor of what the booker has dealt with); made"
        " where it is missing; empty: no archive",
        example="Archive",
        live=True,
    )
    archive_store: str = setting(
        "",
        "whose mailbox that folder is in: a user name, public, or empty for the recipient's own",
        example="archive",
        live=True,
    )


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """`[rules]`: what users' rules may send, and how it is kept from going round in circles."""

    max_forwards: int = setting(
        10,
        "addresses to which the rules of one user pass one message on, at most",
        example=3,
        live=True,
    )
    no_double_forward: bool = setting(
        True,
        "whether mail that a rule has sent (X-Kopano-Rule-Action) is not passed on by another one",
        example=False,
        live=True,
    )
    inhibit_forward_headers: str = setting(
        "X-Kopano-Vacation, Auto-Submitted",
        "headers of mail that is not passed on, separated by commas: Name, Name: value, or Prefix*",
        example="X-Kopano-Vacation, Auto-Submitted, X-Loop*",
        live=True,
    )
    forward_whitelist_domains: str = setting(
        "*",
        "domains to which mail may be passed on, separated by blanks; * stands for anything",
        example="example.org *.example.com",
        live=True,
    )
    forward_whitelist_domains_file: str = setting(
        "",
        "file with more such domains, one a line, # for remarks; read at the start and at HUP",
        example="/etc/kopano/forward-domains",
        live=True,
    )
    forward_whitelist_domain_subject: str = setting(
        "Not forwarded: %subject",
        "subject of the notice to a user whose forward is not allowed; %subject and %sender are filled in",
        example="REJECT: %subject",
        live=True,
    )
    srs_domain: str = setting(
        "",
        "domain of rewritten envelope senders (SRS), whose mail has to come here; empty: none is rewritten",
        example="srs.example.org",
        live=True,
    )
    srs_secret: str = setting(
        "",
        "secrets of the rewriting, separated by blanks: the first signs, all are good for what comes back",
        example="Ahw5phei eiVoh0ae",
        live=True,
        secret=True,
    )


@dataclass(frozen=True, slots=True)
class OofSectionSettings:
    """`[oof]`: out-of-office answers (docs/oof.md)."""

    autorespond_cc: bool = setting(
        True, "whether mail is answered that names the user only in Cc", example=False, live=True
    )
    autorespond_bcc: bool = setting(
        False,
        "whether mail is answered that names others, and the user not at all or in Bcc",
        example=True,
        live=True,
    )
    autorespond_norecip: bool = setting(
        False, "whether mail is answered that names no recipient at all", example=True, live=True
    )
    timelimit: float = setting(
        86_400.0,
        "time within which a sender gets one answer only",
        unit="seconds",
        example=604_800.0,
        live=True,
    )
    repeat: str = setting(
        "timelimit",
        "when a sender is answered again: after the timelimit, or once-per-period: not before the user switches"
        " on again (after 90 days at the latest)",
        choices=("timelimit", "once-per-period"),
        live=True,
    )
    inhibit_auto_reply_headers: str = setting(
        "X-Is-Junk: YES, X-AMAZON*, X-LinkedIn*",
        "more headers of mail that is not answered, separated by commas: Name, Name: value, or Prefix*; lists, bulk"
        " mail, answers and spam never are",
        example="X-Is-Junk: YES, X-AMAZON*, X-LinkedIn*, X-Mailer: Robot",
        live=True,
    )
    copy_to_sentmail: bool = setting(
        True, "whether the user gets a copy of each answer in Sent Items", example=False, live=True
    )


@dataclass(frozen=True, slots=True)
class SocketmapSettings:
    """`[socketmap]`: the lookups of an MTA, by Postfix's socketmap_table(5)."""

    listen: str = setting(
        "",
        "host:port or unix:/path of the listener; empty: none. Whoever reaches it learns who exists",
        example="unix:/run/kopano/socketmap.sock",
    )
    idle_timeout: float = setting(
        300.0,
        "time without a request before a connection is closed",
        unit="seconds",
        example=60.0,
    )


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """`[queue]`: how workers are woken."""

    url: str = setting(
        "",
        "redis://, rediss://, unix:// or redis+sentinel:// URL of the wake-up queue;"
        " empty: workers and spooler inside kopano-dagent",
        example="redis://:secret@redis.example.org:6379/0",
    )
    workers: int = setting(2, "booking threads of a process", example=4)
    poll_interval: float = setting(
        3.0,
        "pause between two looks for jobs nobody was woken for",
        unit="seconds",
        example=1.0,
        live=True,
    )


@dataclass(frozen=True, slots=True)
class SpoolerSettings:
    """`[spooler]`: how mail leaves."""

    smtp_url: str = setting(
        "smtp://127.0.0.1:25",
        "smtp:// or smtps:// URL of the MTA",
        example="smtps://agent:secret@mta.example.org:465",
        live=True,
    )
    timeout: float = setting(
        30.0,
        "longest wait for each step of the SMTP dialogue",
        unit="seconds",
        example=60.0,
        live=True,
    )
    poll_interval: float = setting(
        2.0, "pause between two looks at the outbox", unit="seconds", example=10.0, live=True
    )
    max_retry_interval: float = setting(
        900.0, "longest pause between two attempts", unit="seconds", example=3600.0, live=True
    )
    give_up_after: float = setting(
        432_000.0,
        "age at which mail that never left bounces; the default is five days",
        unit="seconds",
        example=172_800.0,
        live=True,
    )


@dataclass(frozen=True, slots=True)
class BookingSettings:
    """`[booking]`: the auto-booker."""

    booking_deadline: float = setting(
        300.0,
        "how long a job is tried before ordinary delivery",
        unit="seconds",
        example=600.0,
        live=True,
    )
    lease: float = setting(
        60.0,
        "how long a worker may hold a resource's jobs",
        unit="seconds",
        example=120.0,
        live=True,
    )
    horizon_days: int = setting(
        730,
        "time from now up to which a series is checked and held",
        unit="days",
        example=365,
        live=True,
    )
    max_occurrences: int = setting(
        5000, "occurrences of one meeting, at most", example=1000, live=True
    )
    expansion_seconds: float = setting(
        2.0,
        "time that parsing and expanding one request may take",
        unit="seconds",
        example=5.0,
        live=True,
    )
    max_replies_per_hour: int = setting(
        20, "replies one organiser gets an hour; more wait", example=100, live=True
    )
    processed_requests: str = setting(
        "deleted-items",
        "what becomes of a request the booker has dealt with",
        choices=("drop", "deleted-items", "inbox"),
        live=True,
    )


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
