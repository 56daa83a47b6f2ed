import contextlib
import logging
import socket
import struct

import pytest

from dagent import lmtp_commands
from dagent.bdat import ChunkedMessage
from dagent.data_reader import DataReader
from mailcore.reply import LmtpReply

LHLO = (
    "250-mail.example|250-PIPELINING|250-ENHANCEDSTATUSCODES|250-8BITMIME|250-SMTPUTF8|250-CHUNKING"
    "|250 SIZE 100000"
)

BEFORE_LHLO = [
    ("MAIL FROM:<a@x.example>", "503 5.5.1"),
    ("RCPT TO:<b@x.example>", "503 5.5.1"),
    ("DATA", "503 5.5.1"),
    ("RSET", "250 2.0.0"),
    ("NOOP", "250 2.0.0"),
    ("VRFY anna", "252 2.5.0"),
    ("HELO x", "500 5.5.1"),
    ("EHLO x", "500 5.5.1"),
    ("LHLO", "501 5.5.4"),
    ("LHLO a b", "501 5.5.4"),
    ("QUIT", "221 2.0.0"),
]

AFTER_LHLO = [
    ("noop with words", "250 2.0.0"),
    ("RSET now", "501 5.5.4"),
    ("QUIT now", "501 5.5.4"),
    ("VRFY", "501 5.5.4"),
    ("HELP", "502 5.5.1"),
    ("EXPN list", "502 5.5.1"),
    ("AUTH PLAIN", "502 5.5.1"),
    ("STARTTLS", "502 5.5.1"),
    ("BDAT 0 LAST", "503 5.5.1"),
    ("BDAT", "501 5.5.4"),
    ("BDAT -1", "501 5.5.4"),
    ("BDAT 0x1", "501 5.5.4"),
    ("BDAT 000000000000000000001", "501 5.5.4"),
    ("", "500 5.5.1"),
    ("GET / HTTP/1.1", "500 5.5.1"),
    ("RCPT TO:<b@x.example>", "503 5.5.1"),
    ("DATA", "503 5.5.1"),
    ("MAIL", "501 5.5.4"),
    ("MAIL a@x.example", "501 5.5.4"),
    ("MAIL TO:<a@x.example>", "501 5.5.4"),
    ("MAIL FROM:a@x.example", "501 5.5.4"),
    ("MAIL FROM:<a@>", "501 5.1.7"),
    ("MAIL FROM:<a b@x.example>", "501 5.1.7"),
    ("MAIL FROM:<a@x.example>SIZE=1", "501 5.5.4"),
    ("MAIL FROM:<a@x.example> SIZE=100000", "250 2.1.0"),
    ("MAIL FROM:<a@x.example> SIZE=100001", "552 5.3.4"),
    ("MAIL FROM:<a@x.example> SIZE=99999999999999999999", "552 5.3.4"),
    ("MAIL FROM:<a@x.example> SIZE=999999999999999999999", "501 5.5.4"),
    ("MAIL FROM:<a@x.example> SIZE", "501 5.5.4"),
    ("MAIL FROM:<a@x.example> SIZE=1 SIZE=2", "501 5.5.4"),
    ("MAIL FROM:<a@x.example> body=8bitmime", "250 2.1.0"),
    ("MAIL FROM:<a@x.example> BODY=7BIT SIZE=3 SMTPUTF8", "250 2.1.0"),
    ("MAIL FROM:<a@x.example> BODY=BINARYMIME", "501 5.5.4"),
    ("MAIL FROM:<a@x.example> BODY", "501 5.5.4"),
    ("MAIL FROM:<a@x.example> SMTPUTF8=1", "501 5.5.4"),
    ("MAIL FROM:<a@x.example> RET=FULL ENVID=QQ314159", "250 2.1.0"),
    ("MAIL FROM:<a@x.example> AUTH=<>", "555 5.5.4"),
    ("mail from: <>", "250 2.1.0"),
]

IN_TRANSACTION = [
    ("MAIL FROM:<b@x.example>", "503 5.5.1"),
    ("DATA", "503 5.5.1"),
    ("DATA now", "501 5.5.4"),
    ("RCPT TO:<anna@x.example>", "250 2.1.5"),
    ("RCPT TO:<@relay.example:anna@x.example>", "250 2.1.5"),
    ("RCPT TO:<Postmaster>", "250 2.1.5"),
    ("rcpt to:<änna@bücher.example>", "250 2.1.5"),
    ("RCPT TO:<anna@x.example> NOTIFY=NEVER ORCPT=rfc822;a+3Db@c", "250 2.1.5"),
    ("RCPT TO:<anna@x.example> RRVS=x", "555 5.5.4"),
    ("RCPT TO:<nobody@x.example>", "550 5.1.1"),
    ("RCPT TO:<refused@x.example>", "550 5.1.0 not\\r\\nhere, b\\xfccher"),
    ("RCPT TO:<down@x.example>", "451 4.3.0"),
    ("RCPT TO:<bug@x.example>", "451 4.3.0"),
    ("RCPT TO:<offline@x.example>", "451 4.3.0"),
    ("RCPT TO:<>", "501 5.1.3"),
    ("RCPT TO:<anna@>", "501 5.1.3"),
    ("RCPT TO:anna@x.example", "501 5.5.4"),
    ("RCPT FROM:<anna@x.example>", "501 5.5.4"),
    ("LHLO again", "250-mail.example"),
]


@pytest.mark.parametrize(("command", "reply"), BEFORE_LHLO)
def test_commands_before_lhlo(server, connect, command, reply):
    wire = connect(server)
    assert wire.reply() == "220 mail.example LMTP ready"
    assert wire.ask(command).startswith(f"{reply} ")


@pytest.mark.parametrize(("command", "reply"), AFTER_LHLO)
def test_commands_after_lhlo(wire, command, reply):
    assert wire.ask(command).startswith(f"{reply} ")


@pytest.mark.parametrize(("command", "reply"), IN_TRANSACTION)
def test_commands_in_a_transaction(wire, command, reply):
    assert wire.ask("MAIL FROM:<a@x.example>").startswith("250 2.1.0 ")
    assert wire.ask(command).startswith(reply)


def test_lhlo_offers_exactly_this_and_begins_anew(wire):
    wire.ask("MAIL FROM:<a@x.example>")
    assert wire.ask("lhlo again") == LHLO
    assert wire.ask("RCPT TO:<b@x.example>").startswith("503 5.5.1")


def test_quit_closes(wire):
    assert wire.ask("QUIT").startswith("221 2.0.0")
    assert wire.reply() == ""


def test_a_message_reaches_the_postman_byte_for_byte(server, wire):
    content = b".\x00\xff..\r\n.dot\n.\nbare\r.\r" + b"x" * 5000 + b"\r\n\r\n"
    wire.transaction("anna@x.example", "berta@x.example", mail_from="")
    wire.send(content.replace(b"\r\n.", b"\r\n..").replace(b".", b"..", 1) + b".\r\n")
    assert wire.replies(2) == [
        "250 2.1.5 delivered to anna@x.example",
        "250 2.1.5 delivered to berta@x.example",
    ]
    ((envelope, recipients, stored),) = server.postman.delivered
    assert stored == content
    assert recipients == ["anna@x.example", "berta@x.example"]
    assert envelope.mail_from == ""
    assert envelope.rcpt_tos == ("anna@x.example", "berta@x.example")
    assert (envelope.peer, envelope.helo) == ("[127.0.0.1]", "client.example")
    assert envelope.protocol == "LMTP"


def test_smtputf8_is_told_to_the_postman(server, wire):
    wire.send("MAIL FROM:<ä@x.example> SMTPUTF8\r\nRCPT TO:<ü@x.example>\r\nDATA\r\n".encode())
    wire.replies(3)
    wire.send(b"x\r\n.\r\n")
    assert wire.reply() == "250 2.1.5 delivered to \\xfc@x.example"
    assert server.postman.delivered[0][0].protocol == "UTF8LMTP"


def test_refused_recipients_get_no_reply_after_data(wire):
    wire.send(
        b"MAIL FROM:<a@x.example>\r\nRCPT TO:<nobody@x.example>\r\nRCPT TO:<anna@x.example>\r\n"
        b"RCPT TO:<down@x.example>\r\nRCPT TO:<anna@x.example>\r\nDATA\r\n"
    )
    assert [r[:9] for r in wire.replies(6)][1:5] == [
        "550 5.1.1",
        "250 2.1.5",
        "451 4.3.0",
        "250 2.1.5",
    ]
    wire.send(b"hello\r\n.\r\nNOOP\r\n")
    assert [r[:9] for r in wire.replies(3)] == ["250 2.1.5", "250 2.1.5", "250 2.0.0"]


def test_a_reply_line_is_never_too_long():
    line = lmtp_commands.reply_line(LmtpReply(550, "5.1.0", "ü" * 1000))
    assert len(line) == 512
    assert line.startswith(b"550 5.1.0 \\xfc")
    assert line.endswith(b"\r\n")
    assert line.isascii()


def test_too_many_recipients(wire):
    wire.ask("MAIL FROM:<a@x.example>")
    answers = [wire.ask(f"RCPT TO:<u{i}@x.example>")[:9] for i in range(7)]
    assert answers == ["250 2.1.5"] * 5 + ["452 4.5.3"] * 2


def test_a_refused_recipient_is_in_the_log(wire, caplog):
    wire.ask("MAIL FROM:<a@x.example>")
    with caplog.at_level(logging.INFO):
        wire.ask("RCPT TO:<nobody@x.example>")
    assert 'recipient=nobody@x.example reply="550 5.1.1' in caplog.text


@pytest.mark.parametrize("sender", ["explode@x.example", "short@x.example"])
def test_a_failing_delivery_is_temporary_for_each(wire, caplog, sender):
    wire.transaction("anna@x.example", "berta@x.example", "carla@x.example", mail_from=sender)
    with caplog.at_level(logging.ERROR):
        wire.send(b"hello\r\n.\r\n")
        assert [r[:9] for r in wire.replies(3)] == ["451 4.3.0"] * 3
    assert len([r for r in caplog.records if r.levelno == logging.ERROR]) == 1
    assert wire.ask("NOOP").startswith("250 ")


@pytest.mark.parametrize(("size", "code"), [(100_000, "250 2.1.5"), (100_001, "552 5.3.4")])
def test_the_size_limit_counts_the_message_and_not_its_dots(server, wire, size, code):
    content = b".\r\n" * 20_000 + b"x" * (size - 60_002) + b"\r\n"
    wire.transaction("anna@x.example", "berta@x.example")
    wire.send(content.replace(b".", b"..") + b".\r\nNOOP\r\n")
    assert [r[:9] for r in wire.replies(3)] == [code, code, "250 2.0.0"]
    assert [len(stored) for _, _, stored in server.postman.delivered] == (
        [size] if code.startswith("250") else []
    )


def test_an_unexpected_exception_is_temporary(server, connect, monkeypatch, caplog):
    def explode(_argument):
        raise RuntimeError("bug")

    wire = connect(server)
    wire.reply()
    with monkeypatch.context() as patch:
        patch.setattr(lmtp_commands, "parse_hostname", explode)
        assert wire.ask("LHLO x").startswith("451 4.3.0 ")
    assert wire.ask("LHLO x") == LHLO
    assert "RuntimeError: bug" in caplog.text


@pytest.mark.parametrize(
    ("parameter", "size"), [("", 0), (" SIZE=0", 0), (" SIZE=100000", 100_000)]
)
def test_the_declared_size_is_told_to_the_postman(server, wire, parameter, size):
    wire.ask(f"MAIL FROM:<a@x.example>{parameter}")
    wire.ask("RCPT TO:<anna@x.example>")
    assert server.postman.asked == [("anna@x.example", size)]


@pytest.mark.parametrize("message", [DataReader, ChunkedMessage])
def test_an_unexpected_exception_after_a_message_is_temporary_for_each(wire, monkeypatch, message):
    def explode(_self):
        raise MemoryError

    monkeypatch.setattr(message, "content", explode)
    wire.ask("MAIL FROM:<a@x.example>")
    wire.send(b"RCPT TO:<anna@x.example>\r\nRCPT TO:<berta@x.example>\r\n")
    wire.send(b"DATA\r\nhi\r\n.\r\n" if message is DataReader else b"BDAT 2 LAST\r\nhi")
    replies = [reply for reply in wire.replies(4 + (message is DataReader)) if reply[:3] != "354"]
    assert [reply[:9] for reply in replies[2:]] == ["451 4.3.0"] * 2
    assert wire.ask("NOOP").startswith("250 ")


@pytest.mark.parametrize("content", [b"DATA\r\nhi\r\n.\r\n", b"BDAT 2\r\nhi"])
def test_an_unexpected_exception_behind_a_message_ends_nothing(wire, monkeypatch, content):
    def explode(_argument):
        raise RuntimeError("bug")

    wire.send(b"MAIL FROM:<a@x.example>\r\nRCPT TO:<anna@x.example>\r\n" + content)
    wire.replies(3 + content.startswith(b"DATA"))
    monkeypatch.setattr(lmtp_commands, "parse_hostname", explode)
    assert wire.ask("LHLO x").startswith("451 4.3.0 ")
    assert wire.ask("NOOP").startswith("250 ")


def test_an_unexpected_exception_in_a_chunk_ends_the_session(wire, monkeypatch):
    def explode(_self, octets):
        if octets:
            raise MemoryError

    monkeypatch.setattr(ChunkedMessage, "add", explode)
    wire.send(b"MAIL FROM:<a@x.example>\r\nRCPT TO:<anna@x.example>\r\nBDAT 6\r\nQUIT\r\nNOOP\r\n")
    assert wire.replies(4)[2:] == ["421 4.3.0 temporary trouble here, closing", ""]


def test_an_unexpected_exception_in_mid_message_ends_the_session(server, wire, monkeypatch):
    def explode(_self, block):
        if block:
            raise MemoryError

    monkeypatch.setattr(DataReader, "feed", explode)
    wire.transaction("anna@x.example")
    wire.send(b"hello\r\nQUIT\r\n")
    assert wire.reply().startswith("421 4.3.0 ")
    assert wire.reply() == ""


def test_the_whole_dialogue_in_one_packet(server, wire):
    one = b"MAIL FROM:<a@x.example>\r\nRCPT TO:<anna@x.example>\r\nDATA\r\n%d\r\n.\r\n"
    wire.send(b"".join(one % i for i in range(20)) + b"QUIT\r\n")
    replies = wire.replies(81)
    assert replies[-1].startswith("221 ")
    assert [content for _, _, content in server.postman.delivered] == [
        b"%d\r\n" % i for i in range(20)
    ]


SMUGGLED = b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<anna@x.example>\r\nDATA\r\nevil\r\n.\r\n"


@pytest.mark.parametrize(
    "false_end",
    [
        b"\n.\n",
        b"\n.\r\n",
        b"\r\n.\n",
        b"\r.\r",
        b"\r\n.\r",
        b"\r.\r\n",
        b"\n.\r",
        b"\r\n\x00.\r\n",
        b"\r\n.\x00\r\n",
        b"\r\x00\n.\r\n",
        b"\r\n.\r\x00\n",
        b"\r\n.\r\r\n",
        b"\r\n.\n\r\n",
        b"\r\n..\r\n",
    ],
)
def test_nothing_can_be_smuggled_behind_a_false_end_of_data(server, wire, false_end):
    wire.transaction("anna@x.example")
    wire.send(b"hello" + false_end + SMUGGLED + b"NOOP\r\n")
    wire.reply()
    assert wire.reply().startswith("250 2.0.0")
    ((envelope, _, content),) = server.postman.delivered
    assert envelope.mail_from == "a@x.example"
    assert content.endswith(b"DATA\r\nevil\r\n")


@pytest.mark.parametrize(
    "line",
    [
        b"NOOP\nQUIT\r\n",
        b"NOOP\rQUIT\r\n",
        b"NO\0OP\r\n",
        b"\nQUIT\r\n",
        b"NOOP " + b"x" * 2000 + b"\r\n",
        b"NOOP " + b"x" * 594 + b"\r\n",
        b"NOOP \xff\xfe\r\n",
    ],
)
def test_a_bad_command_line_is_refused_once_and_as_a_whole(wire, line):
    wire.send(line + b"VRFY me\r\n")
    assert [r[:9] for r in wire.replies(2)] == ["500 5.5.2", "252 2.5.0"]


def test_the_longest_command_line_is_obeyed(wire):
    wire.send(b"NOOP " + b"x" * 593 + b"\r\n")
    assert wire.reply().startswith("250 ")


def test_a_client_that_speaks_no_lmtp_is_sent_away(start_server, connect):
    wire = connect(start_server(bad_commands=3)).hello()
    wire.send(b"POST / HTTP/1.1\r\nHost: x\r\nAccept: y\r\nRSET\r\n")
    assert [r[:9] for r in wire.replies(4)] == ["500 5.5.1", "500 5.5.1", "421 4.7.0", ""]


def test_a_client_that_leaves_in_mid_message_delivers_nothing(server, wire, eventually):
    wire.transaction("anna@x.example")
    wire.send(b"half a mes")
    wire.close()
    eventually(lambda: server.server.sessions == 0)
    assert server.postman.delivered == []


def test_a_half_closed_connection_still_gets_its_replies(server, wire):
    wire.transaction("anna@x.example")
    wire.send(b"hello\r\n.\r\n")
    wire.socket.shutdown(socket.SHUT_WR)
    assert wire.reply().startswith("250 2.1.5")
    assert wire.reply() == ""


@pytest.mark.parametrize("reset", [False, True])
def test_a_delivery_outlives_its_client(server, wire, eventually, caplog, reset):
    server.postman.gate.clear()
    wire.transaction("anna@x.example")
    wire.send(b"hello\r\n.\r\n")
    assert server.postman.started.wait(10)
    if reset:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.close()
    if reset:
        eventually(lambda: server.server.sessions == 0)
    server.postman.gate.set()
    eventually(lambda: len(server.postman.delivered) == 1)
    eventually(lambda: server.server.sessions == 0)
    if reset:
        eventually(lambda: "left without waiting for its replies: 250" in caplog.text)


def test_an_idle_client_is_sent_away(start_server, connect):
    wire = connect(start_server(idle_timeout=0.2)).hello()
    assert wire.reply().startswith("421 4.4.2")
    assert wire.reply() == ""


def test_an_idle_client_is_sent_away_in_mid_message(start_server, connect):
    server = start_server(idle_timeout=0.2)
    wire = connect(server).hello()
    wire.transaction("anna@x.example")
    wire.send(b"half a mes")
    assert wire.reply().startswith("421 4.4.2")
    assert server.postman.delivered == []


def test_the_idle_timer_does_not_run_while_a_delivery_works(start_server, connect):
    server = start_server(idle_timeout=0.15)
    wire = connect(server).hello()
    server.postman.gate.clear()
    wire.transaction("anna@x.example")
    wire.send(b"hello\r\n.\r\n")
    wire.socket.settimeout(0.6)
    with pytest.raises(TimeoutError):
        wire.socket.recv(1)  # nothing is said for several times the idle time
    wire.socket.settimeout(10)
    server.postman.gate.set()
    assert wire.socket.recv(100).startswith(b"250 2.1.5")


def test_too_many_sessions(start_server, connect):
    server = start_server(sessions=1)
    connect(server).hello()
    wire = connect(server)
    assert wire.reply().startswith("421 4.3.2")
    assert wire.reply() == ""


def test_drain_says_goodbye_to_the_idle_and_lets_the_others_finish(server, connect, eventually):
    idle, receiving, delivering = (connect(server).hello() for _ in range(3))
    delivering.transaction("anna@x.example")
    server.postman.gate.clear()
    delivering.send(b"one\r\n.\r\n")
    assert server.postman.started.wait(10)
    receiving.transaction("berta@x.example")
    receiving.send(b"tw")
    drained = server.start(server.server.drain(10))
    assert idle.replies(2)[0].startswith("421 4.3.2")
    receiving.send(b"o\r\n.\r\nNOOP\r\n")
    assert not drained.done()
    server.postman.gate.set()
    for wire in (receiving, delivering):
        assert [r[:9] for r in wire.replies(3)] == ["250 2.1.5", "421 4.3.2", ""]
    assert drained.result(10) is True
    with pytest.raises(ConnectionRefusedError):
        connect(server)


def test_drain_waits_for_the_last_chunk(server, connect):
    sending, refused = (connect(server).hello() for _ in range(2))
    for wire, chunk in ((sending, b"BDAT 2\r\non"), (refused, b"BDAT 2 FIRST\r\non")):
        wire.send(b"MAIL FROM:<a@x.example>\r\nRCPT TO:<anna@x.example>\r\n" + chunk)
        wire.replies(3)
    drained = server.start(server.server.drain(10))
    assert refused.replies(2) == [
        "421 4.3.2 the server is shutting down, please try again later",
        "",
    ]
    sending.send(b"BDAT 2\r\ne\r")
    assert sending.reply().startswith("250 2.0.0")
    sending.send(b"BDAT 1 LAST\r\n\nNOOP\r\n")
    assert [r[:9] for r in sending.replies(3)] == ["250 2.1.5", "421 4.3.2", ""]
    assert drained.result(10) is True
    assert server.postman.delivered[0][2] == b"one\r\n"


def test_drain_gives_up_after_its_grace(server, wire, eventually):
    wire.transaction("anna@x.example")
    assert server.call(server.server.drain(0.1)) is False
    with contextlib.suppress(ConnectionResetError):
        assert wire.reply() == ""
    eventually(lambda: server.server.sessions == 0)
