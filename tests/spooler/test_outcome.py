import pytest
from hypothesis import given
from hypothesis import strategies as st

from spooler.outcome import Deferred, Refused, SmtpReply, decide_failure, parse_reply


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (451, Deferred),
        (421, Deferred),
        (250, Deferred),  # where 354 was expected
        (500, Refused),
        (550, Refused),
        (554, Refused),
        (552, Refused),
        (503, Deferred),
        (530, Deferred),  # STARTTLS or AUTH wanted: our settings
        (535, Deferred),
    ],
)
def test_only_what_is_the_mails_fault_is_final(code: int, outcome: type) -> None:
    assert decide_failure(SmtpReply(code, "text")) == outcome(SmtpReply(code, "text"))


@pytest.mark.parametrize(
    ("text", "enhanced"),
    [
        ("5.1.1 unknown", "5.1.1"),
        ("4.7.0", "4.7.0"),
        ("no such user", ""),
        ("5.1.1.1 x", ""),
        ("3.0.0 x", ""),
        ("see 5.1.1", ""),
    ],
)
def test_enhanced_code_is_read_at_the_start_only(text: str, enhanced: str) -> None:
    assert SmtpReply(550, text).enhanced == enhanced


@given(st.integers(200, 599), st.binary(max_size=3000))
def test_reply_is_one_printable_line(code: int, text: bytes) -> None:
    line = str(parse_reply(code, text))
    assert line.startswith(str(code))
    assert len(line) <= 1004
    assert "\n" not in line
    assert "\0" not in line
    line.encode()
