"""The answer as a message: it parses back to what was meant, whatever the original held."""

import email
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailcore.address import address_key
from mailcore.outgoing import OutgoingMail
from mailcore.view import MessageView
from oof.compose import compose_answer

TEXT = "Back in June.\nÜbrigens: danke!\n"
DATE = datetime(2030, 1, 1, 9, 30, tzinfo=UTC)
ORIGINAL = (
    b"Subject: =?utf-8?q?Caf=C3=A9?= at noon\r\nMessage-ID: <1@example.net>\r\n"
    b"References: <a@x>\r\n <b@x>\r\n\r\nHi\r\n"
)
FIELDS = {
    *("from", "to", "subject", "date", "message-id", "in-reply-to", "references"),
    *("auto-submitted", "x-kopano-vacation", "x-auto-response-suppress", "precedence"),
    *("content-type", "content-transfer-encoding", "mime-version"),
}


def answer(
    raw: bytes = ORIGINAL,
    *,
    subject: str = "Away",
    text: str = TEXT,
    sender: tuple[str, str] = ("Anna Berg", "anna@example.org"),
    to: str = "ben@example.net",
) -> OutgoingMail:
    return compose_answer(
        MessageView(raw),
        subject=subject,
        text=text,
        sender=sender,
        to=to,
        date=DATE,
        message_id="<oof.1@host>",
    )


def parsed(mail: OutgoingMail) -> EmailMessage:
    found = email.message_from_bytes(mail.content, policy=default)
    assert isinstance(found, EmailMessage)
    assert not found.defects
    return found


def test_the_answer_says_what_it_is() -> None:
    mail = answer()
    assert (mail.mail_from, mail.rcpt_to, mail.message_id) == (
        "",
        "ben@example.net",
        "<oof.1@host>",
    )
    found = parsed(mail)
    assert {name.lower() for name in found.keys()} == FIELDS  # noqa: SIM118 - not a mapping
    expected = {
        "From": "Anna Berg <anna@example.org>",
        "To": "ben@example.net",
        "Subject": "Away [Café at noon]",
        "Date": "Tue, 01 Jan 2030 09:30:00 +0000",
        "Message-ID": "<oof.1@host>",
        "In-Reply-To": "<1@example.net>",
        "References": "<a@x> <b@x> <1@example.net>",
        "Auto-Submitted": "auto-replied",
        "X-Kopano-Vacation": "yes",
        "X-Auto-Response-Suppress": "All",
        "Precedence": "bulk",
    }
    assert {name: found[name] for name in expected} == expected
    assert found.get_content().replace("\r\n", "\n") == TEXT


def test_the_bytes_are_fit_for_any_mta() -> None:
    lines = answer(text="é" * 5000).content.split(b"\r\n")
    assert all(line.isascii() and len(line) <= 998 for line in lines)
    assert not any(b"\r" in line or b"\n" in line for line in lines)


@pytest.mark.parametrize(
    ("own", "original", "subject"),
    [
        ("Away", b"Hello", "Away [Hello]"),
        ("", b"Hello", "Out of office [Hello]"),
        ("", b"", "Out of office"),
        ("Bin\nweg", b"a\r\n\tb", "Bin weg [a b]"),
        ("Away", b"x" * 300, f"Away [{'x' * 200}]"),
        ("Frei bis Februar \u2013 ja", "Größe".encode(), "Frei bis Februar \u2013 ja [Größe]"),
    ],
)
def test_the_subject(own: str, original: bytes, subject: str) -> None:
    mail = answer(b"Subject: " + original + b"\r\n\r\n", subject=own)
    assert parsed(mail)["Subject"] == subject


def test_an_original_without_a_message_id_is_not_referred_to() -> None:
    found = parsed(answer(b"Subject: a\r\n\r\n"))
    assert (found["In-Reply-To"], found["References"]) == (None, None)


def test_of_a_long_thread_the_first_and_the_latest_are_named() -> None:
    thread = b" ".join(b"<%d@x>" % number for number in range(100))
    raw = b"Message-ID: <new@x>\r\nReferences: " + thread + b"\r\n\r\n"
    references = parsed(answer(raw))["References"].split()
    assert references == ["<0@x>", *(f"<{number}@x>" for number in range(81, 100)), "<new@x>"]


@pytest.mark.parametrize(
    ("name", "address", "to"),
    [
        ("Änne Bärg", "anna@example.org", "ben@example.net"),
        ('Berg, Anna "A"', "anna@example.org", "ben@example.net"),
        ("", "anna@example.org", "ben@example.net"),
        ("Anna", "anna@bücher.example", "ben@example.net"),
        ("Änne", "änne@example.org", "bén@example.net"),
        ("Anna", "anna@example.org", '"ben smith"@example.net'),
        ("Anna", "anna@example.org", "ben=example.net@srs.example"),
        ("Anna", "anna@example.org", "ben"),
        ("Anna", "anna@example.org", "ben@[192.0.2.7]"),
        ("Anna", "anna@example.org", "a" * 64 + "@" + "b" * 60 + ".example.net"),
    ],
)
def test_addresses_of_every_kind(name: str, address: str, to: str) -> None:
    mail = answer(sender=(name, address), to=to)
    assert mail.rcpt_to == to
    (author,) = MessageView(mail.content).addresses("from")
    (recipient,) = MessageView(mail.content).addresses("to")
    assert (author.name, address_key(author.address)) == (name, address)
    assert recipient.address == to


def test_a_line_end_hidden_in_an_encoded_word_within_another_stays_hidden() -> None:
    inner = b"=?utf-8?q?a=0D=0ABcc:_evil@x?="
    outer = b"=?utf-8?q?" + b"".join(b"=%02X" % octet for octet in inner) + b"?="
    mail = answer(b"Subject: " + outer + b"\r\n\r\n")
    assert not MessageView(mail.content).has("Bcc")
    assert MessageView(mail.content).subject == f"Away [{inner.decode()}]"


def test_a_text_in_paragraphs_is_flowed() -> None:
    paragraph = " ".join(["I am away until the end of June."] * 10)
    found = parsed(answer(text=f"Dear sender,\n\n{paragraph}\n"))
    assert found["Content-Type"].params["format"] == "flowed"
    lines = found.get_content().splitlines()
    assert len(lines) > 6
    assert all(len(line) <= 78 for line in lines)
    assert "".join(lines[2:]) == paragraph


@pytest.mark.parametrize("opening", ["<html>", " \n<!DOCTYPE HTML><html>", "<HTML lang=de>"])
def test_a_text_in_html_has_its_words_beside_it(opening: str) -> None:
    text = f"{opening}<body><p>Back in <b>June</b>.</p><p>Gr\xfc\xdfe</p></body></html>"
    found = parsed(answer(text=text))
    assert found.get_content_type() == "multipart/alternative"
    plain, html = found.iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert plain.get_content().split("\r\n") == ["Back in June.", "Gr\xfc\xdfe", ""]
    assert html.get_content().replace("\r\n", "\n") == f"{text}\n"


@pytest.mark.parametrize("text", ["a <html> tag", "<htmlx>", "<b>bold</b>"])
def test_other_texts_are_plain(text: str) -> None:
    assert parsed(answer(text=text)).get_content_type() == "text/plain"


_TEXT = st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(
    [
        "=??Q?=0A",
        "=?utf-8?q?=0D=0AX:_y?=",
        "a\r\nBcc: evil@x",
        "a\nX: y\n\nbody",
        "\r",
        "\x0b\x0c\x85\u2028",
        "<>",
    ]
)
_FIELD = st.sampled_from(["Subject", "References", "In-Reply-To", "Message-ID"])
_VALUE = _TEXT.map(lambda text: text.encode()) | st.binary(max_size=40)


@settings(max_examples=200, deadline=None)
@given(
    fields=st.lists(st.tuples(_FIELD, _VALUE), max_size=4),
    subject=_TEXT,
    message=_TEXT,
    name=_TEXT,
)
@example([("Subject", b"=?utf-8?q?a=0D=0ABcc:_evil@x?=")], "", "", "")
@example([("Message-ID", b"<a\xff\0b@x>")], "", "", "")
def test_nothing_in_a_mail_becomes_a_header_of_the_answer(
    fields: list[tuple[str, bytes]], subject: str, message: str, name: str
) -> None:
    raw = b"".join(field.encode() + b": " + value + b"\r\n" for field, value in fields) + b"\r\n"
    mail = answer(raw, subject=subject, text=message, sender=(name, "anna@example.org"))
    parsed(mail)
    found = MessageView(mail.content)
    assert {field.name.lower() for field in found.fields} <= FIELDS
    assert len(found.fields) == len({field.name.lower() for field in found.fields})
    assert found.header("to") == "<ben@example.net>"
    assert found.header("auto-submitted") == "auto-replied"
    (author,) = found.addresses("from")
    assert author.address == "anna@example.org"
