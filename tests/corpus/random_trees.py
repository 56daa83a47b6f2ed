"""MIME trees: how they are put together, and random ones."""

import random

CRLF = "\r\n"


def multipart(
    *parts: str, boundary: str = "b", subtype: str = "mixed", preamble: str = "", epilogue: str = ""
) -> str:
    """A multipart, header and body; each part is a header, a blank line and a body."""
    inside = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return (
        f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n\r\n'
        f"{preamble}{inside}--{boundary}--\r\n{epilogue}"
    )


def forwarded(message: str) -> str:
    """A message/rfc822."""
    return f"Content-Type: message/rfc822\r\n\r\n{message}"


def text(body: str = "Hello.", subtype: str = "plain") -> str:
    return f"Content-Type: text/{subtype}; charset=utf-8\r\n\r\n{body}"


class RandomTrees:
    """Trees of random parts, some never closed; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._boundaries = 0

    def mail(self, depth: int = 0) -> str:
        """A whole mail."""
        name = self._random.choice(["Anna", '"Berg, A."', "=?utf-8?q?=C3=A9?=", ""])
        head = f"From: {name} <anna@example.org>\r\nTo: ben@example.org\r\nSubject: at {depth}\r\n"
        return f"{head}MIME-Version: 1.0\r\n{self._part(depth)}"

    def _part(self, depth: int) -> str:
        chance = self._random.random()
        if depth < 5 and chance < (0.85 if depth == 0 else 0.4):
            return self._multipart(depth)
        if depth < 5 and chance > 0.85:
            return forwarded(self.mail(depth + 1))
        return self._leaf()

    def _multipart(self, depth: int) -> str:
        self._boundaries += 1
        boundary = self._random.choice(["x", "=_", "---"]) + f"{self._boundaries:03}"
        subtype = self._random.choice(["mixed", "alternative", "related", "digest"])
        count = self._random.randrange(1, 5)
        if subtype == "digest":
            parts = [f"\r\n{self.mail(depth + 1)}" for _ in range(count)]
        else:
            parts = [self._part(depth + 1) for _ in range(count)]
        whole = multipart(
            *parts,
            boundary=boundary,
            subtype=subtype,
            preamble=self._random.choice(["", "", "preamble\r\n"]),
            epilogue=self._random.choice(["", "", "epilogue\r\n", CRLF]),
        )
        never_closed = self._random.random() < 0.1
        return whole.partition(f"--{boundary}--")[0] if never_closed else whole

    def _leaf(self) -> str:
        fields = [
            "Content-Type: text/html; charset=utf-8",
            'Content-Type: application/pdf; name="a b.pdf"',
            "Content-Type: image/png",
            "Content-Transfer-Encoding: base64",
            "Content-Disposition: attachment; filename*=utf-8''caf%C3%A9.txt",
            "Content-ID: <1@example.org>",
            "Content-Language: de, en",
        ]
        chosen = self._random.sample(fields, self._random.randrange(4))
        body = self._random.choice(["", "Hello.", "Hello.\r\n", "one\r\ntwo\r\n\r\n", "SGVsbG8="])
        return "".join(f"{field}\r\n" for field in chosen) + CRLF + body
