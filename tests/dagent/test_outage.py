import pytest

from dagent.outage import Outage


def test_each_outage_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="dagent.outage")
    outage = Outage("Redis", "we look by ourselves")
    outage.end("send")
    for _ in range(2):
        outage.note("send", OSError("refused"))
        outage.note("send", OSError("refused again"))
        outage.end("send")
        outage.end("send")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "Redis cannot be used: refused; we look by ourselves"),
        ("INFO", "Redis can be used again"),
    ] * 2


def test_it_is_back_when_every_way_works_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="dagent.outage")
    outage = Outage("Redis", "we look by ourselves")
    outage.note("send", OSError("full"))
    outage.end("receive")
    outage.note("receive", OSError("gone"))
    outage.end("send")
    assert len(caplog.records) == 1
    outage.end("receive")
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
