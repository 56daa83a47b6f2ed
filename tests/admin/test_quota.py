"""Quotas as they are typed, and as they are kept."""

import pytest

from admin.options import Options
from admin.quota import quota_after
from tests.admin.shell import Installed, Shell
from userstore.model import NO_QUOTA, Quota

MB = 1024 * 1024
NOW = Quota(10 * MB, 20 * MB, 30 * MB)


@pytest.mark.parametrize(
    ("typed", "now", "after"),
    [
        (Options(qo="y"), NOW, NOW),
        (Options(qo="yes"), NO_QUOTA, NO_QUOTA),
        (Options(qo="n"), NOW, None),
        (Options(qo="no"), NOW, None),
        (Options(qw=5), NOW, Quota(5 * MB, 20 * MB, 30 * MB)),
        (Options(qs=25), NOW, Quota(10 * MB, 25 * MB, 30 * MB)),
        (Options(qh=2000), NOW, Quota(10 * MB, 20 * MB, 2000 * MB)),
        (Options(qo="y", qh=0), NOW, Quota(10 * MB, 20 * MB, 0)),
        (Options(qs=0, qh=10), NOW, Quota(10 * MB, 0, 10 * MB)),
        (Options(qh=1), NO_QUOTA, Quota(0, 0, MB)),
    ],
)
def test_what_becomes_of_a_quota(typed: Options, now: Quota, after: Quota | None) -> None:
    assert quota_after(typed, now) == after


def shown(shell: Shell) -> list[str]:
    lines = shell.ok("--details", "anna").splitlines()
    start = lines.index("Current user store quota settings:")
    return [line.partition(":")[2].strip() for line in lines[start + 1 : start + 5]]


def test_a_quota_of_ones_own_and_back(shell: Shell, installed: Installed) -> None:
    shell.environment["DAGENT_USERSTORE_QUOTA_WARN"] = "1024"
    shell.environment["DAGENT_USERSTORE_QUOTA_HARD"] = "3072"
    default = ["no", "1024.00 MB", "unlimited", "3072.00 MB"]
    assert shown(shell) == default
    shell.ok("-u", "anna", "--qs", "2048")
    assert shown(shell) == ["yes", "1024.00 MB", "2048.00 MB", "3072.00 MB"]
    details = shell.json("--details", "anna")
    assert (details["quota_override"], details["quota_soft"]) == (True, 2048 * MB)
    shell.ok("-u", "anna", "--qw", "0")
    assert shown(shell) == ["yes", "unlimited", "2048.00 MB", "3072.00 MB"]
    assert "--qs 2048.00 MB is above --qh 5.00 MB" in shell.refuses("-u", "anna", "--qh", "5")
    shell.ok("-u", "anna", "--qo", "n")
    assert shown(shell) == default


def test_a_quota_at_creation(embedded: tuple[Shell, Installed]) -> None:
    shell, _ = embedded
    shell.ok("-c", "ben", "-e", "ben@example.org", "--qh", "7")
    details = shell.json("--details", "ben")
    assert (details["quota_override"], details["quota_hard"]) == (True, 7 * MB)
