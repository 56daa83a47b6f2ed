"""Documents and messages for properties: good ones, nearly good ones, and noise."""

from typing import Any

from hypothesis import strategies as st

from mailcore.envelope import Envelope
from mailcore.view import MessageView
from rules.conditions import COMPARISONS, TESTS
from rules.message import ADDRESS_PLACES, IMPORTANCE, NUMBERS, SENSITIVITY, Folded, Me
from rules.read_condition import FLAGS, METHODS, TEXTS

ANNA, BEN, TEAM = "anna@example.org", "ben@example.net", "team@example.org"
ME = Me(frozenset({ANNA, "a.berg@example.org"}), frozenset({TEAM}), "X-Spam-Status")
NOW = 1_893_456_000.0  # 2030-01-01T00:00:00Z

JUNK = st.sampled_from(
    [None, True, 1, 1.5, -1, "", "x\ny", "\x07", "drop", [], ["", 7], {}, {"is": "x"}]
)
WORDS = [
    "lunch",
    "Café",
    "x",
    "",
    "ÉTÉ",
    "=?utf-8?q?caf=C3=A9?=",
    "minutes of the meeting",
    "ﬁn\u00ad",
    "ß",
]
HEADERS = ["Subject", "List-Id", "X-Spam-Status", "x-none", "Received"]
ADDRESSES = [ANNA, BEN, TEAM, "info@xn--bcher-kva.example", "GROẞ@example.org"]
MOMENTS = ["2030-01-31T08:00:00Z", "2029-12-31T23:59+01:00"]


def _words(*choices: str) -> st.SearchStrategy[Any]:
    return st.sampled_from(choices)


def _some(one: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return one | st.lists(one, min_size=1, max_size=3)


def _object(*optional: tuple[str, st.SearchStrategy[Any]], **fields: st.SearchStrategy[Any]) -> Any:
    return st.fixed_dictionaries(fields, optional=dict(optional))


def _conditions(odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Conditions whose values may be `odd` too."""
    text = _words(*WORDS) | odd
    options = (
        ("case", _words("ignore", "exact") | odd),
        ("accents", _words("ignore", "exact") | odd),
    )
    address = _words(*ADDRESSES, "@example.net") | odd
    flags = _some(_words(*FLAGS) | odd)
    values = {
        "size": st.integers(-1, 10_000),
        "spam_score": st.floats(-5, 20) | st.integers(-5, 20),
        "importance": _words(*IMPORTANCE),
        "sensitivity": _words(*SENSITIVITY),
        "date": _words(*MOMENTS),
        "received": _words(*MOMENTS),
    }
    leaves = st.one_of(
        _words(*FLAGS) | odd,
        *(_object(*options, header=_words(*HEADERS) | odd, **{test: text}) for test in TESTS),
        *(_object(*options, property=_words(*TEXTS) | odd, **{test: text}) for test in TESTS),
        st.one_of(
            _object(property=st.just(name), **{comparison: values[name] | odd})
            for name in NUMBERS
            for comparison in COMPARISONS
        ),
        _object(address=_some(address), **{"in": _some(_words(*ADDRESS_PLACES) | odd)}),
        _object(exists=_words(*HEADERS) | odd),
        _object(any_flag=flags) | _object(no_flag=flags),
        _object(attachment_type=_words("application/pdf", "image/*", "text/plain") | odd),
        _object(meeting=_words(*METHODS) | odd),
        _object(larger_than=st.integers() | odd),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            _object(all=st.lists(inner, max_size=3)),
            _object(any=st.lists(inner, max_size=3)),
            _object(**{"not": inner}),
        ),
        max_leaves=6,
    )


def _actions(odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    path = _words("Lists", "Projekte/Übung 2030", "Inbox") | odd
    more = (("create", st.booleans() | odd), ("store", _words("public", "ben") | odd))
    targets = _some(_words(*ADDRESSES) | odd)
    template = _object(("subject", _words("", "Thanks") | odd), text=_words("Line\nline") | odd)
    return st.one_of(
        _words("delete", "mark-read", "flag", "stop") | odd,
        _object(*more, move=path),
        _object(*more, copy=path),
        _object(tag=_words("$Forwarded", "urgent") | odd),
        _object(importance=_words(*IMPORTANCE) | odd),
        *(
            _object(**{key: targets})
            for key in ("forward", "forward_as_attachment", "redirect", "delegate")
        ),
        _object(reply=template | odd),
        _object(bounce=_words("I have left.") | odd),
    )


GOOD: st.SearchStrategy[Any] = st.nothing()


def documents(odd: st.SearchStrategy[Any] = GOOD) -> st.SearchStrategy[dict[str, Any]]:
    """Documents of rules; all good, unless some values are `odd`."""
    truth = st.booleans() | odd
    return _object(
        ("version", st.just(1) | odd),
        ("provider", _words("Webmail") | odd),
        ("sequence", st.integers(0, 9) | odd),
        ("enabled", truth),
        ("only_when_oof", truth),
        ("stop", truth),
        ("when", _conditions(odd)),
        name=_words("lists", "Ärger") | odd,
        then=st.lists(_actions(odd), min_size=1, max_size=3),
    )


_FIELDS = [
    *(
        f"{name}: {address}"
        for name in ("From", "To", "Cc", "Bcc", "Sender")
        for address in ADDRESSES
    ),
    *(f"Subject: {word}" for word in WORDS),
    "To: =?utf-8?q?Anna?= <anna@example.org>, team: ben@example.net;",
    "Date: Tue, 1 Jan 2030 00:00:00 +0000",
    "Date: soon",
    "Importance: High",
    "X-Priority: 5 (Lowest)",
    "Sensitivity: Company-Confidential",
    "X-Spam-Status: No, score=4.5 required=5",
    "X-Spam-Status: Yes",
    "List-Id: <announce.example.org>",
    "Auto-Submitted: auto-replied",
    "Content-Type: text/calendar; method=REQUEST",
    "Content-Type: multipart/mixed; boundary=b",
    "Content-Type: text/html; charset=utf-8",
    "Content-Type: multipart/report; boundary=b",
]
_BODIES = [
    "Lunch in the caf\u00e9?",
    '--b\r\nContent-Type: application/pdf; name="../Caf\u00e9.pdf"\r\n\r\nx\r\n--b--\r\n',
    "<p>minutes of<br>the meeting</p>",
    "",
]


@st.composite
def mails(draw: st.DrawFn) -> Folded:
    """Messages that rules may match, and noise."""
    if draw(st.integers(0, 9)) == 0:
        raw = draw(st.binary(max_size=200))
    else:
        fields = draw(st.lists(st.sampled_from(_FIELDS), max_size=8))
        raw = ("\r\n".join([*fields, "", draw(st.sampled_from(_BODIES))])).encode()
    sender = draw(st.sampled_from(["", *ADDRESSES, "anna", '"a b"@x']))
    return Folded(MessageView(raw), Envelope(sender, (ANNA,)))
