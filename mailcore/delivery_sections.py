"""The sections of the settings file about what becomes of a message: delivery, rules, out-of-office."""

from dataclasses import dataclass

from mailcore.setting import setting


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
