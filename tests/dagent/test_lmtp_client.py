import socket

import pytest

from dagent.lmtp import serve_unix
from delivery.lmtp_client import LmtpClient, parse_reply, stuff_dots
from mailcore.errors import PermanentError, TemporaryError
from mailcore.reply import LmtpReply
from tests.support.scripted_server import HANG_UP, scripted_servers


@pytest.fixture
def scripted():
    with scripted_servers() as start:
        yield start


def client_of(server):
    return LmtpClient(port=server.port, timeout=10, helo="client.example")


def codes(replies):
    return [f"{r.code} {r.enhanced}" for r in replies]


def test_lhlo_tells_the_extensions(server):
    with client_of(server) as client:
        assert client.lhlo() == {
            "PIPELINING": "",
            "ENHANCEDSTATUSCODES": "",
            "8BITMIME": "",
            "SMTPUTF8": "",
            "CHUNKING": "",
            "SIZE": "100000",
        }


@pytest.mark.parametrize(
    "content", [b"hello\r\n", b".\r\n.\r\n..a\r\n", b"", b"\n.\n\r.\r\r\n", b"\xff\x00\r\n"]
)
def test_content_arrives_as_it_was(server, content):
    with client_of(server) as client:
        replies = client.send("a@x.example", ["anna@x.example"], content)
    assert replies == [LmtpReply(250, "2.1.5", "delivered to anna@x.example")]
    ((envelope, _, stored),) = server.postman.delivered
    assert stored == content
    assert (envelope.mail_from, envelope.helo) == ("a@x.example", "client.example")


def test_a_missing_last_line_end_is_added(server):
    with client_of(server) as client:
        client.send("", ["anna@x.example"], b"hello")
    assert server.postman.delivered[0][2] == b"hello\r\n"


def test_one_reply_per_recipient_in_their_order(server):
    recipients = ["anna@x.example", "nobody@x.example", "berta@x.example", "down@x.example"]
    with client_of(server) as client:
        for _ in range(2):
            replies = client.send("a@x.example", recipients, b"hello\r\n")
            assert codes(replies) == ["250 2.1.5", "550 5.1.1", "250 2.1.5", "451 4.3.0"]
            assert replies[2].text == "delivered to berta@x.example"


@pytest.mark.parametrize(
    ("sender", "recipients", "size", "expected"),
    [
        ("a@x.example", ["nobody@x.example"], 10, ["550 5.1.1"]),
        ("a@x.example", [], 10, []),
        ("a b@x.example", ["anna@x.example", "berta@x.example"], 10, ["501 5.1.7"] * 2),
        ("a@x.example", ["anna@x.example", "berta@x.example"], 100_001, ["552 5.3.4"] * 2),
        ("explode@x.example", ["anna@x.example", "berta@x.example"], 10, ["451 4.3.0"] * 2),
        ("ä@x.example", ["ü@x.example"], 10, ["250 2.1.5"]),
    ],
)
def test_refusals_and_the_next_message_after_them(server, sender, recipients, size, expected):
    with client_of(server) as client:
        assert codes(client.send(sender, recipients, b"x" * size)) == expected
        assert codes(client.send("a@x.example", ["anna@x.example"], b"next")) == ["250 2.1.5"]


def test_many_recipients_and_a_large_message(start_server):
    server = start_server()
    recipients = [f"u{i}@x.example" for i in range(1002)]
    content = b".0123456789\r\n" * 300_000
    with client_of(server) as client:
        replies = client.send("a@x.example", recipients, content)
    assert codes(replies) == ["250 2.1.5"] * 1000 + ["452 4.5.3"] * 2
    assert server.postman.delivered[0][2] == content


def test_a_unix_socket(server, tmp_path):
    listening = server.call(serve_unix(server.postman, tmp_path / "lmtp", "mail.example"))
    with LmtpClient(path=tmp_path / "lmtp", timeout=10) as client:
        assert codes(client.send("", ["anna@x.example"], b"x\r\n")) == ["250 2.1.5"]
    assert server.postman.delivered[0][0].peer == "local"
    server.call(listening.drain(5))


def test_a_plain_server_gets_one_command_at_a_time_and_no_parameters(scripted):
    server = scripted(
        b"220 old\r\n", b"250 old\r\n", b"250 ok\r\n", b"250-ok\r\n250 for you\r\n",
        b"354 go\r\n", b"250 taken\r\n", b"221 bye\r\n",
    )  # fmt: skip
    with client_of(server) as client:
        replies = client.send("a@x", ["b@x"], b".\xff")
    assert replies == [LmtpReply(250, "2.0.0", "taken")]
    server.stop()
    assert server.heard == (
        b"LHLO client.example\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n..\xff\r\n.\r\nQUIT\r\n"
    )


def test_a_server_without_smtputf8_is_not_asked(scripted):
    with client_of(scripted(b"220 old\r\n", b"250 old\r\n", b"221 bye\r\n")) as client:
        assert codes(client.send("ä@x", ["b@x", "c@x"], b"")) == ["553 5.6.7"] * 2


def test_refused_data_is_the_reply_of_the_accepted(scripted):
    server = scripted(
        b"220 x\r\n", b"250 x\r\n", b"250 ok\r\n", b"550 5.1.1 no\r\n", b"250 ok\r\n",
        b"451 4.3.1 full\r\n", b"250 reset\r\n", b"221 bye\r\n",
    )  # fmt: skip
    with client_of(server) as client:
        assert codes(client.send("a@x", ["b@x", "c@x"], b"")) == ["550 5.1.1", "451 4.3.1"]


@pytest.mark.parametrize("last_words", [b"", b"421 4.3.2 closing\r\n", b"nonsense\r\n"])
def test_a_connection_lost_after_the_content_is_told_per_recipient(scripted, last_words):
    ok = b"250 ok\r\n"
    server = scripted(
        b"220 x\r\n", b"250 x\r\n", ok, ok, ok, b"354 go\r\n",
        b"250 2.1.5 first\r\n" + last_words + HANG_UP,
    )  # fmt: skip
    client = client_of(server)
    client.connect()
    first, second = client.send("a@x", ["b@x", "c@x"], b"hello")
    assert first.positive
    assert (second.code, second.enhanced) == (451, "4.4.2")
    with pytest.raises(TemporaryError, match="not connected"):
        client.send("a@x", ["b@x"], b"")


@pytest.mark.parametrize(
    ("script", "error", "text"),
    [
        ([None], TemporaryError, "closed the connection"),
        ([b"421 4.3.2 later\r\n", None], TemporaryError, "421 4.3.2 later"),
        ([b"450 4.3.2 later\r\n", None], TemporaryError, "450 4.3.2 later"),
        ([b"554 5.3.2 never\r\n", None], PermanentError, "554 5.3.2 never"),
        ([b"SSH-2.0-x\r\n", None], TemporaryError, "no reply"),
        ([b"220-" + b"x" * 5000, None], TemporaryError, "no reply"),
        ([b"220-x\r\n" * 1001, None], TemporaryError, "without end"),
        ([b"220 x\r\n", b"500 5.5.1 what\r\n", None], PermanentError, "500 5.5.1 what"),
        ([b"220 x\r\n", b"250 x\r\n", None], TemporaryError, "closed the connection"),
        ([b"220 x\r\n", b"250 x\r\n", b"421 4.4.2 idle\r\n", None], TemporaryError, "421 4.4.2"),
    ],
)
def test_servers_that_fail(scripted, script, error, text):
    client = client_of(scripted(*script))
    with pytest.raises(error, match=text):
        try:
            client.connect()
            client.send("a@x", ["b@x"], b"")
        finally:
            client.close()


def test_nobody_listens(server):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TemporaryError, match="cannot connect"):
        LmtpClient(port=port, timeout=5).connect()


def test_a_silent_server_is_given_up(scripted):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = LmtpClient(port=listener.getsockname()[1], timeout=0.1)
        with pytest.raises(TemporaryError, match="timed out"):
            client.connect()


@pytest.mark.parametrize("address", ["a@x>\r\nRSET\r\n", "a\n@x", "a\0@x"])
def test_no_command_can_be_put_into_an_address(server, address):
    with client_of(server) as client, pytest.raises(PermanentError, match="control character"):
        client.send("a@x.example", [address], b"")


@pytest.mark.parametrize(
    ("lines", "reply"),
    [
        ([b"250 2.1.5 ok"], LmtpReply(250, "2.1.5", "ok")),
        ([b"250 2.1.5"], LmtpReply(250, "2.1.5", "")),
        ([b"250"], LmtpReply(250, "2.0.0", "")),
        ([b"550 no"], LmtpReply(550, "5.0.0", "no")),
        ([b"250 2.1.55555 x"], LmtpReply(250, "2.0.0", "2.1.55555 x")),
        ([b"452-4.2.2 mailbox", b"452 4.2.2 full"], LmtpReply(452, "4.2.2", "mailbox full")),
        ([b"550 5.1.1 \xff"], LmtpReply(550, "5.1.1", "\ufffd")),
    ],
)
def test_replies(lines, reply):
    assert parse_reply(lines) == reply


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        (b"", b".\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b"a\r", b"a\r\r\n.\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b"\r\n.\r\n.", b"\r\n..\r\n..\r\n.\r\n"),
        (b"\n.\r\n", b"\n.\r\n.\r\n"),
    ],
)
def test_dot_stuffing(content, wire):
    assert stuff_dots(content) == wire
