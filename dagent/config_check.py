"""`--check-config`: what would keep a daemon from starting, found without starting it.

Looks at the values and the certificate: no database is opened and no server is asked.
"""

import zoneinfo

from dagent.tls import load_certificate
from delivery.site import open_site
from mailcore.errors import UsageError
from mailcore.settings import Settings
from spooler.smtp_server import parse_smtp_url
from store.engine import parse_database_url
from userstore.features import parse_features


def check_settings(settings: Settings) -> None:
    """Raise UsageError, naming the setting, for a value that reads well and cannot work."""
    parse_database_url(settings.database_url)
    parse_smtp_url(settings.spooler.smtp_url)
    parse_features(settings.userstore.disabled_features)
    load_certificate(settings.lmtp)
    open_site(settings, settings.lmtp.hostname)
    zone = settings.userstore.default_timezone
    try:
        zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(f"[userstore] default_timezone: no such time zone: {zone!r}") from error
