"""What holds here for every message: settings in effect, host name, hooks, and the policies read from the settings."""

from dataclasses import dataclass, field
from pathlib import Path

from delivery.hooks import Hooks
from mailcore.errors import UsageError
from mailcore.header_patterns import HeaderPattern, parse_header_patterns
from mailcore.inside import read_domains
from mailcore.settings import RuleSettings, Settings
from oof.settings import OofPolicy
from rules.forward import ForwardPolicy
from rules.srs import Srs


@dataclass(frozen=True, slots=True)
class Site:
    """Made once, and again when settings change; `hostname` is the name in trace headers and Message-IDs."""

    settings: Settings
    hostname: str
    hooks: Hooks = field(default_factory=Hooks)
    forward: ForwardPolicy = field(default_factory=ForwardPolicy)
    srs: Srs | None = None
    oof: OofPolicy = field(default_factory=OofPolicy)


def open_site(settings: Settings, hostname: str, hooks: Hooks | None = None) -> Site:
    """Read what the settings say of rules and out-of-office; raises UsageError naming the setting that is wrong."""
    return Site(
        settings,
        hostname,
        hooks or Hooks(),
        forward=_forward_policy(settings.rules, settings.delivery.max_received),
        srs=_srs(settings),
        oof=_oof_policy(settings),
    )


def _forward_policy(rules: RuleSettings, max_received: int) -> ForwardPolicy:
    headers = _patterns(rules.inhibit_forward_headers, "[rules] inhibit_forward_headers")
    return ForwardPolicy(
        no_double_forward=rules.no_double_forward,
        inhibit_forward_headers=headers,
        forward_whitelist_domains=(*rules.forward_whitelist_domains.split(), *_listed(rules)),
        max_received=max_received,
        max_forwards=rules.max_forwards,
    )


def _patterns(listed: str, setting: str) -> tuple[HeaderPattern, ...]:
    try:
        return parse_header_patterns(one for one in listed.split(",") if one.strip())
    except UsageError as error:
        raise UsageError(f"{setting}: {error}") from error


def _oof_policy(settings: Settings) -> OofPolicy:
    said = settings.oof.inhibit_auto_reply_headers
    return OofPolicy(
        autorespond_cc=settings.oof.autorespond_cc,
        autorespond_bcc=settings.oof.autorespond_bcc,
        autorespond_norecip=settings.oof.autorespond_norecip,
        inhibit_auto_reply_headers=_patterns(said, "[oof] inhibit_auto_reply_headers"),
        internal_domains=read_domains(settings.delivery.internal_domains),
        delimiter=settings.userstore.recipient_delimiter,
    )


def _listed(rules: RuleSettings) -> list[str]:
    """The domains in the file of them."""
    name = rules.forward_whitelist_domains_file
    if not name:
        return []
    try:
        lines = Path(name).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "is not UTF-8"
        raise UsageError(f"[rules] forward_whitelist_domains_file: {name}: {why}") from error
    return [domain for line in lines if (domain := line.partition("#")[0].strip())]


def _srs(settings: Settings) -> Srs | None:
    rules = settings.rules
    if not rules.srs_domain:
        return None
    own = read_domains(settings.delivery.internal_domains)
    try:
        return Srs(rules.srs_domain, tuple(rules.srs_secret.split()), own)
    except UsageError as error:
        raise UsageError(f"[rules] {error}") from error
