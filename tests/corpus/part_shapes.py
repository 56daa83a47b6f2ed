"""Mails of one part, or two, whose Content fields take every form: types, parameters, encodings, dispositions."""

TYPES = {
    "no parameters": "text/plain",
    "charset": "text/plain; charset=utf-8",
    "quoted charset": 'text/plain; charset="utf-8"',
    "capitals": "TEXT/HTML; CHARSET=ISO-8859-1; Format=Flowed",
    "no space": "text/plain;charset=utf-8;format=flowed",
    "many spaces": "  text/plain   ;   charset  =  utf-8  ;  format = flowed  ",
    "folded": "text/plain;\r\n charset=utf-8;\r\n\tformat=flowed",
    "folded around equals": "text/plain; charset\r\n =\r\n utf-8",
    "comments": "text/plain (a comment); charset=utf-8 (another)",
    "comment before": "(a comment) text/plain; charset=utf-8",
    "comment within": "text/(here)plain; charset=(there)utf-8",
    "spaces in the type": "text / plain; charset=utf-8",
    "comment with a semicolon": "text/plain (a; b); charset=utf-8",
    "escapes": 'text/plain; name="a \\"b\\" \\\\c"',
    "empty value": "text/plain; name=",
    "empty quoted value": 'text/plain; name=""',
    "empty value between": "text/plain; name=; charset=utf-8",
    "semicolon last": "text/plain; charset=utf-8;",
    "semicolons": "text/plain;; ;charset=utf-8;;",
    "semicolon first": "; charset=utf-8",
    "no equals": "text/plain; charset",
    "no equals, then another": "text/plain; charset; name=x",
    "no name": "text/plain; =utf-8; name=x",
    "unquoted with spaces": "text/plain; name=a b c.txt",
    "unquoted with specials": "text/plain; name=a@b?c=d/e.txt",
    "unquoted brackets": "text/plain; name=[a].txt",
    "apostrophes": "text/plain; charset='utf-8'",
    "quote never closed": 'text/plain; name="a b; charset=utf-8',
    "quote in the middle": 'text/plain; name=a"b"c',
    "words after quotes": 'text/plain; name="a" b; charset=utf-8',
    "comma": "text/plain, charset=utf-8",
    "twice": "text/plain; name=one; name=two",
    "twice in another case": "text/plain; name=one; NAME=two",
    "encoded name": 'application/pdf; name="=?utf-8?q?caf=C3=A9?="',
    "unquoted encoded name": "application/pdf; name==?utf-8?q?caf=C3=A9?=",
    "8-bit": "application/pdf; name=caf\xe9.pdf",
    "8-bit quoted": 'application/pdf; name="caf\xe9.pdf"',
    "utf-8 quoted": 'application/pdf; name="caf\xc3\xa9.pdf"',
    "long name": f"application/pdf; name={'x' * 2000}",
    "2231 charset": "application/pdf; name*=utf-8'en'caf%C3%A9.pdf",
    "2231 continued": "application/pdf; name*0=one; name*1=two; name*2=three",
    "2231 continued, quoted": 'application/pdf; name*0="one "; name*1="two"',
    "2231 continued, folded": "application/pdf;\r\n name*0=one;\r\n name*1=two",
    "2231 continued and encoded": "application/pdf; name*0*=utf-8''caf%C3%A9; name*1*=%20noir",
    "2231 mixed": "application/pdf; name*0*=utf-8''caf%C3%A9; name*1=.pdf",
    "2231 mixed with percent": "application/pdf; name*0*=utf-8''caf%C3%A9; name*1=%.pdf",
    "2231 mixed, plain first": "application/pdf; name*0=caf; name*1*=%C3%A9",
    "2231 out of order": "application/pdf; name*1=two; name*0=one; name*2=three",
    "2231 with a gap": "application/pdf; name*0=one; name*2=three",
    "2231 without a beginning": "application/pdf; name*1=two; name*2=three",
    "2231 from one": "application/pdf; name*1*=utf-8''one; name*2=two",
    "2231 and plain": "application/pdf; name=plain.pdf; name*=utf-8''coded.pdf",
    "2231 and plain after": "application/pdf; name*=utf-8''coded.pdf; name=plain.pdf",
    "2231 continued and plain": "application/pdf; name=plain; name*0=one; name*1=two",
    "2231 twice": "application/pdf; name*0=one; name*0=other; name*1=two",
    "2231 without charset": "application/pdf; name*=caf%C3%A9.pdf",
    "2231 empty charset": "application/pdf; name*=''caf%C3%A9.pdf",
    "2231 among others": "application/pdf; a=1; name*0=one; b=2; name*1=two; c=3",
    "2231 two names": "application/pdf; b*0=1; a*0=2; b*1=3; a*1=4",
    "2231 leading zeros": "application/pdf; name*00=one; name*01=two",
    "2231 many": "application/pdf; " + "; ".join(f"name*{n}=p{n}" for n in range(30)),
    "2231 no number": "application/pdf; name*x=one",
    "many parameters": "text/plain" + "".join(f"; p{n}=v{n}" for n in range(100)),
    "no subtype": "text",
    "empty subtype": "text/",
    "no type": "/plain",
    "three words": "text/plain/x",
    "empty": "",
    "white space": "  ",
    "nonsense": "what is this?",
    "unknown": "x-world/x-vrml",
    "dots and pluses": "application/vnd.example.a+xml; x.y=z",
    "specials in the type": "text/pl@in",
    "8-bit type": "t\xe9xt/plain",
    "message external body": 'message/external-body; access-type=URL; URL="ftp://example.org/a"',
    "message partial": "message/partial; number=1; total=2; id=x@example.org",
    "message delivery status": "message/delivery-status",
    "message global": "message/global",
    "NUL": "text/plain; name=a\x00b",
    "controls": "text/plain; name=a\x01b",
}

FIELDS = {
    "encoding": "Content-Transfer-Encoding: BASE64",
    "encoding quoted-printable": "Content-Transfer-Encoding: Quoted-Printable",
    "encoding with a comment": "Content-Transfer-Encoding: base64 (of course)",
    "encoding with a comment first": "Content-Transfer-Encoding: (of course) base64",
    "encoding with a semicolon": "Content-Transfer-Encoding: 8bit;",
    "encoding quoted": 'Content-Transfer-Encoding: "8bit"',
    "encoding empty": "Content-Transfer-Encoding:",
    "encoding blank": "Content-Transfer-Encoding:  ",
    "encoding of two words": "Content-Transfer-Encoding: 8 bit",
    "encoding unknown": "Content-Transfer-Encoding: x-uuencode",
    "encoding with spaces": "Content-Transfer-Encoding:   8bit   ",
    "encoding folded": "Content-Transfer-Encoding:\r\n 8bit",
    "encoding twice": "Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64",
    "encoding 8-bit octets": "Content-Transfer-Encoding: b\xe9se64",
    "id": "Content-ID: <1@example.org>",
    "id without angles": "Content-ID: 1@example.org",
    "id with a comment": "Content-ID: <1@example.org> (one)",
    "id empty": "Content-ID:",
    "id folded": "Content-ID:\r\n <1@example.org>",
    "id twice": "Content-ID: <1@example.org>\r\nContent-ID: <2@example.org>",
    "description": "Content-Description: A picture",
    "description encoded": "Content-Description: =?utf-8?q?caf=C3=A9?=",
    "description folded": "Content-Description: one\r\n two",
    "description empty": "Content-Description: ",
    "description 8-bit": "Content-Description: caf\xe9",
    "description twice": "Content-Description: one\r\nContent-Description: two",
    "md5": "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==",
    "md5 empty": "Content-MD5:",
    "md5 nonsense": "Content-MD5: what (is) this",
    "location": "Content-Location: http://example.org/a%20b",
    "location relative": "Content-Location: a/b.png",
    "location folded": "Content-Location: http://example.org/\r\n a/b",
    "location with a space": "Content-Location: http://example.org/a b",
    "location encoded": "Content-Location: =?utf-8?q?http=3A//example.org?=",
    "location empty": "Content-Location:",
    "base": "Content-Base: http://example.org/",
    "language": "Content-Language: de",
    "languages": "Content-Language: de, en-GB,fr",
    "language in capitals": "Content-Language: DE",
    "language empty": "Content-Language:",
    "language only commas": "Content-Language: ,,",
    "language comma last": "Content-Language: de,",
    "language with a comment": "Content-Language: de (German), en",
    "language folded": "Content-Language: de,\r\n en",
    "languages without commas": "Content-Language: de en",
    "language twice": "Content-Language: de\r\nContent-Language: en",
    "language quoted": 'Content-Language: "de"',
    "disposition": "Content-Disposition: inline",
    "disposition in capitals": "Content-Disposition: ATTACHMENT; FILENAME=A.TXT",
    "disposition with a name": 'Content-Disposition: attachment; filename="a b.txt"',
    "disposition folded": 'Content-Disposition: attachment;\r\n\tfilename="a b.txt"; size=12',
    "disposition with dates": (
        "Content-Disposition: attachment; filename=a.txt;\r\n"
        ' modification-date="Wed, 12 Feb 1997 16:29:51 -0500"; size=3'
    ),
    "disposition continued": (
        "Content-Disposition: attachment;\r\n filename*0*=utf-8''caf%C3%A9;\r\n filename*1*=.txt"
    ),
    "disposition empty": "Content-Disposition:",
    "disposition only parameters": "Content-Disposition: ; filename=a.txt",
    "disposition without a word": "Content-Disposition: filename=a.txt",
    "disposition of two words": "Content-Disposition: attachment inline; filename=a.txt",
    "disposition comment": "Content-Disposition: attachment (file); filename=a.txt (name)",
    "disposition quoted": 'Content-Disposition: "attachment"; filename=a.txt',
    "disposition semicolon": "Content-Disposition: attachment;",
    "disposition 8-bit": 'Content-Disposition: attachment; filename="caf\xe9.txt"',
    "disposition unquoted spaces": "Content-Disposition: attachment; filename=a b.txt",
    "disposition twice": "Content-Disposition: inline\r\nContent-Disposition: attachment",
    "types twice": "Content-Type: text/html; charset=utf-8\r\nContent-Type: text/plain",
    "no MIME-Version, HTML": "Content-Type: text/html",
    "all of them": (
        "MIME-Version: 1.0\r\nContent-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n"
        "Content-ID: <1@example.org>\r\nContent-Description: A picture\r\n"
        "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\nContent-Disposition: inline; filename=a.png\r\n"
        "Content-Language: de, en\r\nContent-Location: http://example.org/a.png"
    ),
}


def part_shapes() -> dict[str, bytes]:
    """The mails by their names."""
    body = "\r\nHello,\r\nBen\r\n"
    mails = {
        f"type: {name}": f"Subject: x\r\nContent-Type: {value}\r\n{body}"
        for name, value in TYPES.items()
    }
    mails |= {
        f"field: {name}": f"MIME-Version: 1.0\r\n{lines}\r\n{body}"
        for name, lines in FIELDS.items()
    }
    mails |= {
        f"no version: {name}": f"Subject: x\r\n{FIELDS[name]}\r\n{body}"
        for name in ("encoding", "disposition", "id", "language")
    }
    mails |= {
        f"part: {name}": (
            f"Content-Type: multipart/mixed; boundary=b\r\n{lines}\r\n"
            f"\r\n--b\r\n{lines}\r\n{body}\r\n--b--\r\n"
        )
        for name, lines in FIELDS.items()
        if "Content-Type" not in lines and "Encoding" not in lines
    }
    return {name: mail.encode("latin-1") for name, mail in mails.items()}
