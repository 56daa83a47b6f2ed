"""--dry-run-booking: it changes nothing, and the booker does what it has said."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailcore.view import MessageView
from tests.admin.shell import Installed, Shell
from tests.support.booking_desk import Desk, Room, open_desk
from tests.support.databases import shared_database_urls
from tests.support.meetings import ANNA, BEN, EVE, at, calendar, event, meeting_mail

_MESSAGE_ID = re.compile(r"<mr\.[^>]*>")
