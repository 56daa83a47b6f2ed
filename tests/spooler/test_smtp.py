import socket
import ssl
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.outgoing import OutgoingMail
from spooler.outcome import Deferred, Outcome, Refused, Sent, SmtpReply
from spooler.smtp import MOST_LOSSES, _stuff, send_mails
from spooler.smtp_server import parse_smtp_url
from tests.spooler.outbox import make_mail
from tests.spooler.sink import SLOW_SECONDS, Sink, running_sink
from tests.support.servers import free_port

ANY_ADDRESS = "0.0.0.0"
"""Leads to this host, and does not look like it."""


def send(url: str, mails: Sequence[OutgoingMail], **options: float) -> list[Outcome]:
    settings = {"timeout": 5.0} | options
    return list(send_mails(parse_smtp_url(url), mails, hostname="mx.example.org", **settings))


def test_bytes_and_envelope_arrive_unchanged(sink: Sink) -> None:
    mail = make_mail("ben@example.net")
    assert send(sink.url, [mail]) == [Sent(SmtpReply(250, "2.0.0 taken"))]
    (received,) = sink.received
    assert received.mail_from == "anna@example.org"
    assert received.rcpt_to == "ben@example.net"
    assert received.content == mail.content


def test_batch_uses_one_connection_and_says_goodbye(sink: Sink) -> None:
    mails = [make_mail(f"user{n}@example.net", number=n) for n in range(20)]
    assert all(isinstance(outcome, Sent) for outcome in send(sink.url, mails))
    assert sink.rcpts() == [mail.rcpt_to for mail in mails]
    assert sink.commands == {"EHLO": 1, "QUIT": 1}


def test_null_sender(sink: Sink) -> None:
    send(sink.url, [make_mail("ben@example.net", mail_from="")])
    assert sink.received[0].mail_from == ""


@pytest.mark.parametrize(
    ("rcpt_to", "outcome"),
    [
        ("later@x.org", Deferred(SmtpReply(451, "4.7.1 try later"))),
        ("unknown@x.org", Refused(SmtpReply(550, "5.1.1 no such user"))),
        ("full@x.org", Refused(SmtpReply(552, "5.2.2 mailbox full"))),
        ("last@x.org", Refused(SmtpReply(550, "5.7.1 go away"))),
        ("cut@x.org", Deferred),
        ("farewell@x.org", Deferred),
        ("garbage@x.org", Deferred(SmtpReply(0, "connection lost: malformed reply o there"))),
        ("long@x.org", Sent(SmtpReply(250, "2.0.0 taken 2.0.0 for good"))),
        ("no address@x.org", Refused),
        ("a@x.org> SIZE=1", Refused),
        ("a@x.org>\r\nRCPT TO:<b@x.org", Refused),
        ("", Refused),
    ],
)
def test_outcome_of_each_and_none_for_its_neighbours(
    sink: Sink, rcpt_to: str, outcome: Outcome | type
) -> None:
    before, tried, after = send(
        sink.url, [make_mail("ann@x.org"), make_mail(rcpt_to), make_mail("ben@x.org")]
    )
    assert isinstance(before, Sent)
    assert isinstance(after, Sent)
    if isinstance(outcome, type):
        assert isinstance(tried, outcome)
    else:
        assert tried == outcome
    assert [rcpt for rcpt in sink.rcpts() if not rcpt.startswith("long")] == [
        "ann@x.org",
        "ben@x.org",
    ]


def test_farewell_is_told(sink: Sink) -> None:
    (outcome,) = send(sink.url, [make_mail("farewell@x.org")])
    assert "421 4.3.2 going down" in str(outcome.reply)


def test_several_lost_connections_are_the_mtas_trouble(sink: Sink) -> None:
    outcomes = send(sink.url, [make_mail("cut@x.org")] * 10)
    assert len(outcomes) == MOST_LOSSES
    assert [isinstance(o, Deferred) and o.reachable for o in outcomes] == [True, True, False]


def test_nobody_listens() -> None:
    outcomes = send(f"smtp://127.0.0.1:{free_port()}", [make_mail("ben@x.org")] * 3)
    assert outcomes == [Deferred(SmtpReply(0, "Connection refused"), reachable=False)]


def test_silent_server_is_not_waited_for_longer_than_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        (outcome,) = send(url, [make_mail("ben@x.org")], timeout=0.2)
    assert isinstance(outcome, Deferred)
    assert not outcome.reachable
    assert "timed out" in str(outcome.reply)


def test_data_may_take_longer_than_a_command(sink: Sink) -> None:
    (outcome,) = send(sink.url, [make_mail("slow@x.org")], timeout=SLOW_SECONDS / 4)
    assert isinstance(outcome, Sent)


def test_data_is_not_waited_for_without_end(sink: Sink) -> None:
    mails = [make_mail("slow@x.org"), make_mail("ben@x.org")]
    first, second = send(sink.url, mails, timeout=0.1, data_timeout=0.1)
    assert isinstance(first, Deferred)
    assert isinstance(second, Sent)


def test_password_with_odd_characters(sink: Sink) -> None:
    url = sink.url.replace("//", "//spool%40example.org:p%3Aw%2F%25@")
    assert isinstance(send(url, [make_mail("ben@x.org")])[0], Sent)
    assert sink.received[0].user == "spool@example.org"


def test_wrong_password_bounces_nothing(sink: Sink) -> None:
    url = sink.url.replace("//", "//spool%40example.org:wrong@")
    (outcome,) = send(url, [make_mail("ben@x.org")] * 2)
    assert isinstance(outcome, Deferred)
    assert not outcome.reachable
    assert "535" in str(outcome.reply)
    assert "wrong" not in str(outcome.reply)


def test_starttls_is_used_when_offered(server_tls: ssl.SSLContext) -> None:
    with running_sink(tls=server_tls) as sink:
        url = sink.url.replace("//", "//spool%40example.org:p%3Aw%2F%25@")
        assert isinstance(send(url, [make_mail("ben@x.org")])[0], Sent)
    assert sink.received[0].encrypted
    assert sink.received[0].user == "spool@example.org"


def test_password_does_not_leave_this_host_in_the_clear(sink: Sink) -> None:
    url = sink.url.replace("//127.0.0.1", f"//spool:pw@{ANY_ADDRESS}")
    (outcome,) = send(url, [make_mail("ben@x.org")])
    assert isinstance(outcome, Deferred)
    assert str(outcome.reply) == "no STARTTLS: the password is not sent in the clear"


@pytest.mark.parametrize(("user", "sent"), [("", True), ("spool:pw@", False)])
def test_unsigned_certificate_will_do_unless_a_password_depends_on_it(
    user: str, sent: bool, server_tls: ssl.SSLContext
) -> None:
    with running_sink(tls=server_tls) as sink:
        url = sink.url.replace("//127.0.0.1", f"//{user}{ANY_ADDRESS}")
        (outcome,) = send(url, [make_mail("ben@x.org")])
    assert isinstance(outcome, Sent) is sent
    assert [received.encrypted for received in sink.received] == [True] * sent
    assert sent or "certificate" in str(outcome.reply).lower()


EIGHT_BIT = OutgoingMail("a@x.org", "b@x.org", "Subject: é\r\n\r\né\r\n".encode(), "<m@x.org>")
UTF8 = make_mail("zoë@example.org")
IDN = make_mail("anna@bücher.example")


@pytest.mark.parametrize(
    ("mail", "server_speaks_utf8", "rcpt_to", "options"),
    [
        (make_mail("ben@x.org"), True, "ben@x.org", set()),
        (EIGHT_BIT, False, "b@x.org", {"BODY=8BITMIME"}),
        (EIGHT_BIT, True, "b@x.org", {"BODY=8BITMIME"}),
        (UTF8, True, "zoë@example.org", {"SMTPUTF8"}),
        (IDN, True, "anna@bücher.example", {"SMTPUTF8"}),
        (IDN, False, "anna@xn--bcher-kva.example", set()),
    ],
)
def test_options_only_where_needed_and_offered(
    mail: OutgoingMail, server_speaks_utf8: bool, rcpt_to: str, options: set[str]
) -> None:
    with running_sink(utf8=server_speaks_utf8) as sink:
        assert isinstance(send(sink.url, [mail])[0], Sent)
    (received,) = sink.received
    assert received.rcpt_to == rcpt_to
    assert received.content == mail.content
    assert {o for o in received.options if not o.startswith("SIZE=")} == options
    assert f"SIZE={len(mail.content)}" in received.options


def test_utf8_address_is_refused_where_the_mta_cannot_take_it(sink: Sink) -> None:
    (outcome,) = send(sink.url, [UTF8])
    assert isinstance(outcome, Refused)
    assert outcome.reply.enhanced == "5.6.7"


@given(st.lists(st.sampled_from([b".", b"\r\n", b"a", b"\r", b"\n", b"\r\n.\r\n"])).map(b"".join))
def test_only_the_last_line_ends_the_data(content: bytes) -> None:
    wire = _stuff(content)
    assert wire.endswith(b"\r\n.\r\n") or wire in {b".\r\n", b"\r\n.\r\n"}
    inner = wire.removesuffix(b".\r\n")
    assert not any(line.startswith(b".") and line[1:2] != b"." for line in inner.split(b"\n"))
    if b"\n" not in content.replace(b"\r\n", b""):  # no bare line feeds: given back exactly
        unstuffed = (b"\r\n" + inner).replace(b"\r\n.", b"\r\n").removeprefix(b"\r\n")
        assert unstuffed in {content, content + b"\r\n"}
