"""Mails whose MIME trees take every form: nested, forwarded, digests, and boundaries that are missing or wrong."""

from tests.corpus.random_trees import CRLF, RandomTrees, forwarded, multipart, text

MAIL = f"From: Anna <anna@example.org>\r\nSubject: inner\r\n{text()}\r\n"
_OPEN = "Content-Type: multipart/mixed; boundary=b\r\n\r\n"


def nested(levels: int) -> str:
    tree = text("deepest")
    for level in range(levels):
        tree = multipart(tree, boundary=f"level-{level}")
    return tree


def forwarded_again(levels: int) -> str:
    mail = MAIL
    for level in range(levels):
        mail = f"Subject: forward {level}\r\n{forwarded(mail)}"
    return mail


def closed_by_the_outer(levels: int) -> str:
    """Each level opens the next, and only the outermost is closed."""
    opened = "".join(
        f"Content-Type: multipart/mixed; boundary=n{level}\r\n\r\n--n{level}\r\n"
        for level in range(levels)
    )
    return f"{opened}\r\ndeepest\r\n--n0--\r\n"


TREES = {
    "plain": MAIL,
    "no header": "\r\nHello.\r\n",
    "no header, LF": "\nHello.\n",
    "no blank line": "Hello.\r\n",
    "only a header": "Subject: x\r\n",
    "only a header, blank line": "Subject: x\r\n\r\n",
    "only a header, no line end": "Subject: x",
    "only a header, cut": "Subject",
    "one blank line": "\r\n",
    "two blank lines": "\r\n\r\n",
    "no final line end": "Subject: x\r\n\r\nHello.",
    "many blank lines": "Subject: x\r\n\r\n" + CRLF * 100,
    "bare LF": MAIL.replace(CRLF, "\n"),
    "bare LF in the body": "Subject: x\r\n\r\none\ntwo\r\nthree\n",
    "bare LF in the header": "Subject: x\nTo: anna@example.org\n\r\nHello.\r\n",
    "bare CR": "Subject: x\r\n\r\none\rtwo\r\r\nthree\r",
    "CR CR LF": "Subject: x\r\r\nTo: anna@example.org\r\r\n\r\r\nHello.\r\r\n",
    "bare LF, multipart": multipart(text("one"), text("two")).replace(CRLF, "\n"),
    "NUL": "Subject: x\r\n\r\na\x00b\r\n",
    "binary": "Subject: x\r\n\r\n" + "".join(map(chr, range(1, 256))) + CRLF,
    "8-bit": "Subject: x\r\n\r\ncaf\xe9\r\n",
    "long line": "Subject: x\r\n\r\n" + "x" * 100_000 + CRLF,
    "dots": "Subject: x\r\n\r\n.\r\n..\r\n.x\r\n",
    "from line in the body": "Subject: x\r\n\r\nFrom here on\r\n>From there\r\n",
    "base64": "Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n",
    "base64 garbage": "Content-Transfer-Encoding: base64\r\n\r\n*** no ***\r\n=A=\r\n",
    "quoted-printable": "Content-Transfer-Encoding: quoted-printable\r\n\r\ncaf=C3=A9=\r\n =\r\n",
    "two parts": multipart(text("one"), text("two")),
    "alternative": multipart(text(), text("<p>Hello.", "html"), subtype="alternative"),
    "one part": multipart(text()),
    "preamble": multipart(text(), preamble="This is MIME.\r\n"),
    "preamble and epilogue": multipart(text(), preamble="before\r\n\r\n", epilogue="after\r\n"),
    "epilogue without a line end": multipart(text(), epilogue="after"),
    "epilogue with a boundary": multipart(text(), epilogue=f"--b\r\n{text('late')}\r\n--b--\r\n"),
    "parts that end with blank lines": multipart(text("one\r\n\r\n"), text("\r\n")),
    "empty part": multipart(""),
    "empty parts": multipart("", "", ""),
    "part with a blank line only": multipart(CRLF),
    "part with a body without a header": multipart("\r\nHello."),
    "part with a header only": multipart("Content-ID: <1@x>"),
    "part with a header and a blank line": multipart("Content-ID: <1@x>\r\n"),
    "boundaries in a row": f"{_OPEN}--b\r\n--b\r\n--b\r\n--b--\r\n",
    "white space after boundaries": f"{_OPEN}--b \t\r\n\r\none\r\n--b  \r\n\r\ntwo\r\n--b-- \r\n",
    "words after boundaries": f"{_OPEN}--b one\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b-- end\r\n",
    "no end": f"{_OPEN}--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n",
    "end without a line end": f"{_OPEN}--b\r\n\r\none\r\n--b--",
    "cut in the last boundary": f"{_OPEN}--b\r\n\r\none\r\n--b",
    "cut in the last boundary, dash": f"{_OPEN}--b\r\n\r\none\r\n--b-",
    "cut before the last boundary": f"{_OPEN}--b\r\n\r\none\r\n--",
    "cut in a part's header": f"{_OPEN}--b\r\nContent-Type: text/html",
    "cut after a part's header": f"{_OPEN}--b\r\nContent-Type: text/html\r\n",
    "no parts": f"{_OPEN}only words\r\n",
    "no body": _OPEN,
    "no body, no blank line": "Content-Type: multipart/mixed; boundary=b\r\n",
    "closed at once": f"{_OPEN}--b--\r\n",
    "closed at once, then a part": f"{_OPEN}--b--\r\n--b\r\n\r\none\r\n--b--\r\n",
    "no boundary parameter": "Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\none\r\n--b--\r\n",
    "empty boundary": 'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\none\r\n----\r\n',
    "another boundary": f"{_OPEN}--c\r\n\r\none\r\n--c--\r\n",
    "boundary in another case": f"{_OPEN}--B\r\n\r\none\r\n--B--\r\n",
    "boundary that begins alike": f"{_OPEN}--b\r\n\r\none\r\n--bb\r\nmore\r\n--b--\r\n",
    "boundary with a dash": multipart(text(), boundary="b--"),
    "boundary of dashes": multipart(text("one"), text("two"), boundary="----"),
    "boundary with a space": multipart(text("one"), boundary="b c"),
    "boundary with a space last": multipart(text("one"), boundary="b "),
    "boundary with specials": multipart(text("one"), boundary="=_(a;b)?'+,./:"),
    "boundary with escapes": (
        'Content-Type: multipart/mixed; boundary="b\\"c"\r\n\r\n--b"c\r\n\r\none\r\n--b"c--\r\n'
    ),
    "boundary unquoted specials": (
        "Content-Type: multipart/mixed; boundary==_b/c\r\n\r\n--=_b/c\r\n\r\none\r\n--=_b/c--\r\n"
    ),
    "boundary of 70": multipart(text("one"), boundary="x" * 70),
    "boundary of 100": multipart(text("one"), boundary="x" * 100),
    "boundary of 200": multipart(text("one"), boundary="x" * 200),
    "boundary with 8-bit": multipart(text("one"), boundary="caf\xe9"),
    "boundary continued": (
        "Content-Type: multipart/mixed; boundary*0=b; boundary*1=c\r\n\r\n--bc\r\n\r\none\r\n--bc--\r\n"
    ),
    "boundary encoded": (
        "Content-Type: multipart/mixed; boundary*=us-ascii''b%63\r\n\r\n--bc\r\n\r\none\r\n--bc--\r\n"
    ),
    "boundary with a comment": (
        "Content-Type: multipart/mixed; boundary=b (so)\r\n\r\n--b\r\n\r\none\r\n--b--\r\n"
    ),
    "boundary twice": "Content-Type: multipart/mixed; boundary=b; boundary=c\r\n\r\n--b\r\n\r\n1\r\n--b--\r\n",
    "boundary within a line": f"{_OPEN}--b\r\n\r\nx --b\r\n --b\r\n--b--\r\n",
    "boundary in a header": f"{_OPEN}--b\r\nSubject: x\r\n --b\r\n\r\none\r\n--b--\r\n",
    "boundary ends a header": f"{_OPEN}--b\r\nContent-Type: text/html\r\n--b\r\n\r\ntwo\r\n--b--\r\n",
    "boundary before the blank line": "Content-Type: multipart/mixed; boundary=b\r\n--b\r\n\r\none\r\n--b--\r\n",
    "boundary after a bare LF": f"{_OPEN}--b\r\n\r\none\n--b\r\n\r\ntwo\r\n--b--\r\n",
    "inner begins like the outer": multipart(
        multipart(text("one"), boundary="bc", subtype="alternative"), text("two")
    ),
    "outer begins like the inner": multipart(
        multipart(text("one"), text("two")), text("three"), boundary="bc"
    ),
    "each begins like the next": multipart(
        multipart(multipart(text("one"), boundary="bbb"), text("two"), boundary="bb"), text("three")
    ),
    "the same boundary inside": multipart(multipart(text("one")), text("two")),
    "inner end is missing": multipart(
        "Content-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\n\r\none", text("two")
    ),
    "inner ends with a boundary": multipart(
        "Content-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\n\r\none\r\n--i", text("two")
    ),
    "ends with a boundary": f"{_OPEN}--b\r\n\r\none\r\n--b\r\n",
    "inner has no parts": multipart(
        "Content-Type: multipart/alternative; boundary=i\r\n\r\nno parts", text("two")
    ),
    "inner has no boundary": multipart("Content-Type: multipart/alternative\r\n\r\nwords", text()),
    "inner is empty": multipart("Content-Type: multipart/alternative; boundary=i", text()),
    "inner end after the outer": f"{_OPEN}--b\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n"
    "--i\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--i--\r\n--b--\r\n",
    "inner epilogue": multipart(
        multipart(text("one"), boundary="i", epilogue="late\r\n"), text("two")
    ),
    "closed by the outer": closed_by_the_outer(6),
    "nested twice": multipart(multipart(text("one"), text("two"), boundary="i"), text("three")),
    "nested 10": nested(10),
    "nested 45": nested(45),
    "nested 60": nested(60),
    "wide": multipart(*(text(f"part {n}") for n in range(150))),
    "related in alternative in mixed": multipart(
        multipart(
            text(),
            multipart(text("<img>", "html"), "Content-Type: image/png\r\n\r\nx", boundary="r"),
            boundary="a",
            subtype="alternative",
        ),
        "Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==",
    ),
    "forwarded": forwarded(MAIL),
    "forwarded, without a body": forwarded("Subject: inner\r\n\r\n"),
    "forwarded, only a header": forwarded("Subject: inner\r\n"),
    "forwarded, empty": forwarded(""),
    "forwarded, no blank line": "Content-Type: message/rfc822\r\n",
    "forwarded, no header": forwarded("\r\nHello.\r\n"),
    "forwarded, multipart": forwarded(f"Subject: inner\r\n{multipart(text('one'), text('two'))}"),
    "forwarded in a part": multipart(text(), forwarded(MAIL)),
    "forwarded in a part, empty": multipart(text(), forwarded("")),
    "forwarded in a part, no blank line": multipart("Content-Type: message/rfc822", text()),
    "forwarded in a part, multipart": multipart(
        text(), forwarded(f"Subject: inner\r\n{multipart(text('one'), boundary='i')}"), text()
    ),
    "forwarded in a part, same boundary": multipart(text(), forwarded(multipart(text("one")))),
    "forwarded again": forwarded_again(3),
    "forwarded 20 times": forwarded_again(20),
    "forwarded in base64": (
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogeA0KDQo=\r\n"
    ),
    "forwarded in quoted-printable": (
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        "Subject: =3D\r\n\r\nx\r\n"
    ),
    "forwarded as 8bit": (
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: x\r\n\r\ny\r\n"
    ),
    "forwarded with parameters": (
        'Content-Type: message/rfc822; name="a.eml"\r\nContent-Disposition: attachment\r\n\r\n'
        + MAIL
    ),
    "digest": multipart(f"\r\n{MAIL}", f"\r\n{MAIL}", subtype="digest"),
    "digest with a text": multipart(text(), f"\r\n{MAIL}", subtype="digest"),
    "digest with empty parts": multipart("", CRLF, subtype="digest"),
    "digest with part headers": multipart(f"Content-ID: <1@x>\r\n\r\n{MAIL}", subtype="digest"),
    "digest with a bad type": multipart(f"Content-Type: \r\n\r\n{MAIL}", subtype="digest"),
    "digest in mixed": multipart(text(), multipart(f"\r\n{MAIL}", boundary="i", subtype="digest")),
    "digest with a multipart": multipart(
        multipart("\r\none", boundary="i"), f"\r\n{MAIL}", subtype="digest"
    ),
    "DIGEST": multipart(f"\r\n{MAIL}", subtype="DIGEST"),
    "report": multipart(
        text(),
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nAction: failed",
        forwarded(MAIL),
        subtype="report",
    ),
    "signed": multipart(
        text(), "Content-Type: application/pgp-signature\r\n\r\nx", subtype="signed", boundary="s"
    ),
    "calendar": multipart(
        text(),
        "Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\nBEGIN:VCALENDAR",
        subtype="alternative",
    ),
    "part of type multipart in capitals": "Content-Type: MULTIPART/MIXED; BOUNDARY=b\r\n\r\n--b\r\n\r\n1\r\n--b--\r\n",
    "multipart in base64": (
        "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        "--b\r\n\r\none\r\n--b--\r\n"
    ),
    "multipart with all fields": (
        "Content-ID: <1@x>\r\nContent-Description: d\r\nContent-MD5: m\r\nContent-Language: de\r\n"
        "Content-Disposition: inline; a=b\r\nContent-Location: l\r\n" + multipart(text())
    ),
    "lines that look like headers": multipart("\r\nSubject: no field"),
    "part header without a colon": multipart("no field\r\n\r\nbody"),
    "part header with 8-bit": multipart("Content-Type: image/png; name=caf\xe9\r\n\r\nbody"),
}


def tree_shapes() -> dict[str, bytes]:
    """The mails by their names."""
    mails = {f"tree: {name}": mail for name, mail in TREES.items()}
    mails |= {f"random {seed}": RandomTrees(seed).mail() for seed in range(150)}
    return {name: mail.encode("latin-1") for name, mail in mails.items()}
