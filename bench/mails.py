"""Mails for the load: made once, and different from each other only in a stamp near their beginning.

The stamp is in the Message-ID and at the beginning of the body, so that no server can take one mail for another
or keep one body for all of them.  Up to 100 KB a mail is text made of words (a compressor finds about half);
above, it is a short text with one attachment of random octets in base64, as large mail mostly is.
"""

import base64
import itertools
import os
import random
from dataclasses import dataclass, field

from delivery.lmtp_client import stuff_dots

STAMP = 16
"""Octets; all of them are digits of base64 too."""
LARGEST_TEXT = 100_000

_BOUNDARY = "------------0fT3wq9LZbU1mkc8RrYh2sXd"
_HEAD = (
    "Received: from mail.example.net (mail.example.net [192.0.2.10])\r\n"
    "\tby mx.example.org (Postfix) with ESMTPS id 4F2xk81Qz3zDq\r\n"
    "\tfor <u@example.org>; Sat, 21 Nov 2026 10:00:01 +0000 (UTC)\r\n"
    "From: Anna Berg <anna@example.net>\r\n"
    "To: Undisclosed colleagues <u@example.org>\r\n"
    "Subject: Minutes of the meeting on Thursday\r\n"
    "Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
    "Message-ID: <{stamp}@example.net>\r\n"
    "User-Agent: Mozilla Thunderbird\r\n"
    "MIME-Version: 1.0\r\n"
)
_TEXT = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n{stamp} "
_ATTACHED = (
    f'Content-Type: multipart/mixed; boundary="{_BOUNDARY}"\r\n\r\n'
    f"--{_BOUNDARY}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nPlease find it attached.\r\n"
    f'--{_BOUNDARY}\r\nContent-Type: application/octet-stream; name="plan.bin"\r\n'
    "Content-Transfer-Encoding: base64\r\n\r\n{stamp}"
)


@dataclass
class MailSeries:
    """Endless different mails of one size, as they go behind DATA: (beginning, rest that all share)."""

    size: int
    prefix: str
    """Eight characters that no other series of this run has."""
    _count: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        attached = self.size > LARGEST_TEXT
        self._head = _HEAD + (_ATTACHED if attached else _TEXT)
        left = self.size - len(self._head.format(stamp=" " * STAMP))
        rest = _attachment(left) if attached else _words(left)
        self._rest = stuff_dots(rest)

    def next(self) -> tuple[bytes, bytes]:
        stamp = f"{self.prefix:0>8}{next(self._count):08x}"
        return self._head.format(stamp=stamp).encode(), self._rest


def _words(size: int) -> bytes:
    """Return about `size` octets of lines made of words."""
    chosen = random.Random(size)
    words = [
        "".join(chosen.choices("etaoinshrdlucmfwypvbgkq", k=chosen.randint(2, 10)))
        for _ in range(2000)
    ]
    lines: list[str] = []
    total = 0
    while total < size:
        lines.append(" ".join(chosen.choices(words, k=11)))
        total += len(lines[-1]) + 2
    return ("\r\n".join(lines)[: size - 2] + "\r\n").encode()


def _attachment(size: int) -> bytes:
    """Return the rest of a base64 body whose first line begins with the stamp, and the end of the mail."""
    line = 76
    octets = (size // (line + 2)) * line * 3 // 4
    digits = base64.b64encode(os.urandom(octets)).decode()[: -STAMP or None]
    lines = [digits[: line - STAMP]]
    lines += [digits[i : i + line] for i in range(line - STAMP, len(digits), line)]
    return ("\r\n".join(lines) + "\r\n--" + _BOUNDARY + "--\r\n").encode()
