"""Rule documents: what they say, and errors that name the rule and the field."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.errors import UsageError
from mailcore.path import parse_path_argument
from rules import fields
from rules.actions import (
    Action,
    Bounce,
    Copy,
    Delegate,
    Delete,
    Flag,
    Forward,
    ForwardAsAttachment,
    MarkRead,
    Move,
    Redirect,
    Reply,
    SetImportance,
    Tag,
)
from rules.conditions import ALWAYS, All, AnyOf, Compare, Content, Flags, Not
from rules.fields import RuleError
from rules.folding import PLAIN
from rules.model import BadRule, Rule, parse_rule, parse_rules
from tests.rules.documents import JUNK, documents

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads((DOCS / "rule.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
DELETE = ["delete"]


def document(**fields: Any) -> dict[str, Any]:
    return {"name": "r", "then": DELETE, **fields}


def parse(**fields: Any) -> Rule:
    return parse_rule(json.dumps(document(**fields)))


def test_a_rule_in_full() -> None:
    written = """{"version": 1, "name": "lists", "provider": "Webmail", "sequence": 30, "enabled": false,
        "stop": true, "only_when_oof": true,
        "when": {"any": [{"header": "List-Id", "contains": "ANNOUNCE"}, "to-me",
                         {"not": {"all": [{"larger_than": 1000}]}}]},
        "then": [{"move": "Lists/2030"}, {"copy": "Archive"}, "mark-read"]}"""
    assert parse_rule(written) == Rule(
        name="lists",
        condition=AnyOf(
            (
                Content("list-id:", "contains", "announce", PLAIN),
                Flags(("to-me",)),
                Not(All((Compare("size", "gt", 1000),))),
            )
        ),
        actions=(Move("Lists/2030"), Copy("Archive"), MarkRead()),
        stop=True,
        only_when_oof=True,
        enabled=False,
        sequence=30,
        provider="Webmail",
    )


def test_what_is_left_out() -> None:
    assert parse() == Rule("r", ALWAYS, (Delete(),))


@pytest.mark.parametrize(
    ("written", "action"),
    [
        ("delete", Delete()),
        ("mark-read", MarkRead()),
        ("flag", Flag()),
        ({"move": "A/B"}, Move("A/B")),
        ({"move": "A", "create": True, "store": "public"}, Move("A", True, "public")),
        ({"copy": "A", "store": "ben"}, Copy("A", store="ben")),
        ({"tag": "$Label1"}, Tag("$Label1")),
        ({"importance": "high"}, SetImportance("high")),
        ({"forward": "ben@example.net"}, Forward(("ben@example.net",))),
        ({"forward_as_attachment": ["a@x", "b@x", "a@x"]}, ForwardAsAttachment(("a@x", "b@x"))),
        (
            {"redirect": "gr\u00fc\u00df@b\u00fccher.example"},
            Redirect(("gr\u00fc\u00df@b\u00fccher.example",)),
        ),
        ({"delegate": ["ben@example.net"]}, Delegate(("ben@example.net",))),
        ({"reply": {"text": "I am\nout."}}, Reply("I am\nout.")),
        ({"reply": {"text": "x", "subject": "Out"}}, Reply("x", "Out")),
        ({"reply": {"text": "x", "subject": ""}}, Reply("x")),
        ({"bounce": "I have left."}, Bounce("I have left.")),
    ],
)
def test_actions(written: Any, action: Action) -> None:
    assert parse(then=[written]).actions == (action,)
    assert str(action).isprintable()


@pytest.mark.parametrize("then", [["stop"], ["stop", "flag"], ["flag", "stop"]])
def test_stop_may_stand_among_the_actions(then: list[str]) -> None:
    found = parse(then=then)
    assert (found.stop, found.actions) == (True, (Flag(),) * (len(then) - 1))


@pytest.mark.parametrize("test", ["contains", "is", "prefix"])
def test_every_text_is_folded_when_it_is_read(test: str) -> None:
    found = parse(when={"header": "Subject", test: "GRO\u1e9e"}).condition
    assert found == Content("subject:", test, "gross", PLAIN)


GOOD: list[dict[str, Any]] = [
    *(document(name=name) for name in ("\u00c4rger", "x" * 500)),
    *(document(sequence=number) for number in (0, 2**31 - 1, 1.0)),
    *(
        document(when=when)
        for when in (
            {"header": "Subject", "contains": ""},
            {"header": "X", "is": "a", "case": "exact", "accents": "ignore"},
            {"property": "body", "prefix": "a\nb"},
            {"property": "spam_score", "ge": 5},
            {"property": "spam_score", "ge": 5.5},
            {"property": "size", "eq": -1},
            {"property": "importance", "ne": "low"},
            {"property": "sensitivity", "gt": "personal"},
            {"property": "received", "lt": "2030-01-31T08:00:00+01:00"},
            {"address": ["@example.net"], "in": ["to", "cc"]},
            {"attachment_type": "application/vnd.ms-excel"},
            {"no_flag": "list"},
            "only-to-me",
            {"not": "encrypted"},
        )
    ),
    *(
        document(then=[action])
        for action in ("stop", {"tag": "a[b"}, {"move": "A", "create": False})
    ),
]

BAD: list[tuple[dict[str, Any], str]] = [
    ({"wen": {}}, "rule 'r': unknown wen; known: version, name,"),
    ({"version": 2}, "rule 'r': version: 2: this program knows version 1"),
    ({"version": True}, "rule 'r': version: True: expected a whole number"),
    ({"provider": ""}, "rule 'r': provider: '': expected the name of a program"),
    ({"sequence": -1}, "rule 'r': sequence: -1: expected a whole number from 0 to"),
    ({"sequence": 2**31}, "rule 'r': sequence: 2147483648: expected a whole number from 0 to"),
    ({"sequence": 1.5}, "rule 'r': sequence: 1.5: expected a whole number"),
    ({"enabled": 1}, "rule 'r': enabled: 1: expected true or false"),
    ({"stop": 1}, "rule 'r': stop: 1: expected true or false"),
    ({"only_when_oof": "yes"}, "rule 'r': only_when_oof: 'yes': expected true or false"),
    ({"then": []}, "rule 'r': then: expected a list of actions"),
    ({"then": "delete"}, "rule 'r': then: expected a list of actions"),
    ({"then": ["drop"]}, "rule 'r': then[0]: 'drop': expected delete, mark-read, flag, stop,"),
    ({"then": ["flag", 7]}, "rule 'r': then[1]: 7: expected delete,"),
    ({"then": [{"move": ""}]}, "rule 'r': then[0].move: '': expected the path of a folder"),
    ({"then": [{"move": "A", "copy": "B"}]}, "rule 'r': then[0]: {'copy': 'B', 'move': 'A'}:"),
    ({"then": [{"move": "A", "creat": True}]}, "rule 'r': then[0]: unknown creat; known: move,"),
    ({"then": [{"move": "A", "create": 1}]}, "rule 'r': then[0].create: 1: expected true"),
    ({"then": [{"move": "A", "store": ""}]}, "rule 'r': then[0].store: '': expected 'public' or"),
    ({"then": [{"tag": "\\Seen"}]}, "rule 'r': then[0].tag: '\\\\Seen': expected a word"),
    ({"then": [{"tag": "two words"}]}, "rule 'r': then[0].tag: "),
    ({"then": [{"tag": "caf\u00e9"}]}, "rule 'r': then[0].tag: "),
    ({"then": [{"importance": "urgent"}]}, "rule 'r': then[0].importance: 'urgent': expected low"),
    ({"then": [{"forward": []}]}, "rule 'r': then[0].forward: expected at least one"),
    ({"then": [{"forward": "anna"}]}, "rule 'r': then[0].forward: 'anna': expected an address,"),
    ({"then": [{"redirect": ["a@x", "b@x>"]}]}, "rule 'r': then[0].redirect[1]: 'b@x>': expected"),
    ({"then": [{"delegate": "a@x\r\nRCPT"}]}, "rule 'r': then[0].delegate: "),
    ({"then": [{"delegate": "a@" + "x" * 320}]}, "rule 'r': then[0].delegate: "),
    ({"then": [{"reply": "x"}]}, "rule 'r': then[0].reply: 'x': expected an object with text"),
    ({"then": [{"reply": {}}]}, "rule 'r': then[0].reply.text: None: expected a text"),
    (
        {"then": [{"reply": {"text": "x", "subject": "a\nBcc: b"}}]},
        "rule 'r': then[0].reply.subject:",
    ),
    ({"then": [{"bounce": ""}]}, "rule 'r': then[0].bounce: '': expected the reason"),
    ({"when": None}, "rule 'r': when: None: expected an object or the name of a flag"),
    ({"when": {}}, "rule 'r': when: {}: expected an object or the name of a flag"),
    ({"when": "seen"}, "rule 'r': when: 'seen': expected has-attachment or meeting or"),
    ({"when": {"header": "A"}}, "rule 'r': when: ['header']: expected exactly one of contains,"),
    ({"when": {"header": "A", "is": "a", "prefix": "b"}}, "rule 'r': when: ['header', 'is',"),
    ({"when": {"header": "A", "is": 7}}, "rule 'r': when.is: 7: expected a text"),
    ({"when": {"header": "A:", "is": "a"}}, "rule 'r': when.header: 'A:': expected the name of"),
    ({"when": {"header": "A", "equals": "a"}}, "rule 'r': when: unknown equals; known: header"),
    ({"when": {"header": "A", "is": "a", "case": "no"}}, "rule 'r': when.case: 'no': expected"),
    ({"when": {"property": "color", "is": "a"}}, "rule 'r': when.property: 'color': expected"),
    ({"when": {"property": "size", "is": "a"}}, "rule 'r': when: unknown is; known: property, lt,"),
    ({"when": {"property": "size", "gt": "9"}}, "rule 'r': when.gt: '9': expected a whole number"),
    ({"when": {"property": "size", "gt": 1, "lt": 2}}, "rule 'r': when: ['gt', 'lt', 'property']:"),
    ({"when": {"property": "spam_score", "gt": True}}, "rule 'r': when.gt: True: expected a whole"),
    ({"when": {"property": "importance", "gt": 1}}, "rule 'r': when.gt: 1: expected low or"),
    (
        {"when": {"property": "date", "gt": "2030-01-31"}},
        "rule 'r': when.gt: '2030-01-31': expected",
    ),
    ({"when": {"exists": ""}}, "rule 'r': when.exists: '': expected the name of a header"),
    ({"when": {"address": "a@x"}}, "rule 'r': when: expected 'in' with to or cc or bcc or"),
    ({"when": {"address": "anna", "in": "to"}}, "rule 'r': when.address: 'anna': expected an addr"),
    ({"when": {"address": [], "in": "to"}}, "rule 'r': when.address: expected at least one"),
    ({"when": {"address": "a@x", "in": ["from"]}}, "rule 'r': when.in[0]: 'from': expected to or"),
    ({"when": {"any_flag": ["to-me", "x"]}}, "rule 'r': when.any_flag[1]: 'x': expected"),
    ({"when": {"attachment_type": "pdf"}}, "rule 'r': when.attachment_type: 'pdf': expected a"),
    ({"when": {"meeting": "request"}}, "rule 'r': when.meeting: 'request': expected PUBLISH"),
    ({"when": {"larger_than": "9"}}, "rule 'r': when.larger_than: '9': expected a whole number"),
    ({"when": {"larger_than": True}}, "rule 'r': when.larger_than: True: expected"),
    ({"when": {"all": {}}}, "rule 'r': when.all: {}: expected a list of conditions"),
    ({"when": {"smaller_than": 9}}, "rule 'r': when: ['smaller_than']: expected exactly one of"),
    ({"when": {"all": [], "any": []}}, "rule 'r': when: ['all', 'any']: expected exactly one of"),
    ({"when": {"all": [], "not": "list"}}, "rule 'r': when: ['all', 'not']: expected exactly one"),
    ({"when": {"not": {"any": ["list", {}]}}}, "rule 'r': when.not.any[1]: {}: expected an object"),
]


@pytest.mark.parametrize("good", GOOD)
def test_the_schema_and_the_parser_take_what_is_good(good: dict[str, Any]) -> None:
    assert parse_rule(json.dumps(good)).name == good["name"]
    assert VALIDATOR.is_valid(good)


@pytest.mark.parametrize(("fields", "said"), BAD)
def test_an_error_names_the_rule_and_the_field(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(**fields)
    assert str(caught.value).startswith(said)
    assert caught.value.rule == "r"
    assert f"rule 'r': {caught.value.field}".strip(": ") in said
    assert not VALIDATOR.is_valid(document(**fields))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "rule: not valid JSON: "),
        ("{", "rule: not valid JSON: "),
        ("[]", "rule: expected a JSON object"),
        ('{"then": ["delete"]}', "rule: name: expected a text of one line"),
        ('{"name": "", "then": ["delete"]}', "rule: name: expected a text of one line"),
        ('{"name": "a\\nb", "then": ["delete"]}', "rule: name: expected a text of one line"),
        ('{"name": "r"}', "rule 'r': then: expected a list of actions"),
        # what a JSON Schema cannot say
        ('{"name": "r", "name": "s", "then": ["flag"]}', "rule: not valid JSON: the key 'name'"),
        ('{"name": "\\ud800", "then": ["flag"]}', "rule: not valid JSON: "),
        ('{"name": "r", "sequence": NaN}', "rule: not valid JSON: NaN is no number"),
        ('{"name": "r", "sequence": ' + "9" * 5000 + "}", "rule: not valid JSON: "),
    ],
)
def test_a_document_that_is_no_rule(written: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_rule(written)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ({"property": "date", "gt": "2030-02-30T00:00:00Z"}, "a date with time and zone"),
        ({"property": "date", "gt": "0001-01-01T00:00:00+23:59"}, "a date with time and zone"),
        ({"header": "A", "contains": "\u00ad\u200b"}, "nothing of it counts"),
        ({"header": "A", "contains": "\u0301", "accents": "ignore"}, "nothing of it counts"),
    ],
)
def test_values_that_say_nothing(when: Any, said: str) -> None:
    with pytest.raises(RuleError, match=said):
        parse(when=when)


@given(documents(JUNK))
def test_the_schema_and_the_parser_agree(written: dict[str, Any]) -> None:
    try:
        parse_rule(json.dumps(written))
    except RuleError as error:
        assert not VALIDATOR.is_valid(written), error
    else:
        assert VALIDATOR.is_valid(written)


@given(documents())
def test_good_documents_are_rules(written: dict[str, Any]) -> None:
    found = parse_rule(json.dumps(written))
    assert found.name == written["name"]
    assert VALIDATOR.is_valid(written)


_KEYS = [
    "name",
    "when",
    "then",
    "stop",
    "header",
    "property",
    "is",
    "not",
    "all",
    "any",
    "move",
    "in",
]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(_KEYS),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(_KEYS) | st.text(), inner),
)


@given(st.text() | _JSON.map(json.dumps))
def test_any_text_is_a_rule_or_a_usage_error(written: str) -> None:
    try:
        found = parse_rule(written)
    except UsageError as error:
        assert str(error).encode()
    else:
        assert found.name


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("line", fields.ONE_LINE),
        ("header_name", fields.HEADER_NAME),
        ("address", fields.ADDRESS),
        ("address_or_domain", fields.ADDRESS_OR_DOMAIN),
        ("keyword", fields.KEYWORD),
        ("media_type", fields.MEDIA_TYPE),
        ("moment", fields.MOMENT),
    ],
)
def test_the_schema_has_the_patterns_of_the_parser(name: str, pattern: str) -> None:
    assert SCHEMA["$defs"][name]["pattern"] == f"^{pattern}$"


@given(st.from_regex(fields.ADDRESS, fullmatch=True).filter(lambda text: len(text.encode()) < 255))
def test_a_target_is_an_address_for_smtp_too(address: str) -> None:
    found = parse_path_argument("TO", f"TO:<{address}>")
    assert (found.address, found.parameters) == (address, {})


def nested(depth: int) -> str:
    deep = '{"not":' * depth + '{"larger_than": 1}' + "}" * depth
    return f'{{"name": "r", "then": ["delete"], "when": {deep}}}'


def test_conditions_are_nested_as_deep_as_a_person_would() -> None:
    assert parse_rule(nested(20)).name == "r"
    with pytest.raises(UsageError, match=r"rule 'r': when\.not.*nested more than 20 deep"):
        parse_rule(nested(21))


def test_a_document_nested_without_end_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="not valid JSON"):
        parse_rule(nested(100_000))


class Stored(NamedTuple):
    id: int
    sequence: int
    enabled: bool
    document: str


def test_the_good_rules_of_a_mailbox_and_the_bad_ones() -> None:
    parsed = parse_rules(
        [
            Stored(4, 9, True, json.dumps(document(name="late", sequence=1))),
            Stored(5, 2, False, json.dumps(document(name="off", enabled=True))),
            Stored(6, 1, True, json.dumps(document(name="typo", when={"heder": "x"}))),
            Stored(7, 1, True, "{"),
            Stored(8, 1, True, json.dumps(document(name="early"))),
        ]
    )
    assert [(one.id, one.name, one.sequence, one.enabled) for one in parsed.rules] == [
        (8, "early", 1, True),
        (5, "off", 2, False),
        (4, "late", 9, True),
    ]
    typo, broken = parsed.bad
    assert (typo.id, typo.name, typo.field) == (6, "typo", "when")
    assert typo.text.startswith("rule 'typo': when: ['heder']: expected exactly one of header,")
    assert isinstance(broken, BadRule)
    assert (broken.id, broken.name, broken.field) == (7, "", "")


def test_the_examples_of_the_documentation_are_rules() -> None:
    text = (DOCS / "rules.md").read_text()
    examples = re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(examples) >= 3
    for example in examples:
        assert parse_rule(example).name
        assert VALIDATOR.is_valid(json.loads(example))
