"""The sections of the settings file that say where and how the daemons run."""

from dataclasses import dataclass

from mailcore.setting import setting


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
    booking_window_days: int = setting(
        730,
        "how far ahead a resource can be booked, and a series is checked and held, where the resource has no"
        " window of its own; 0 is no limit",
        unit="days",
        example=365,
        live=True,
    )
    trusted_authserv_id: str = setting(
        "",
        "the name under which the own MX writes Authentication-Results; with it, a sender that the MX could not"
        " authenticate changes no booking (RFC 8601)",
        example="mx.example.org",
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
