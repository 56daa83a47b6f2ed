"""Rule documents: what they say, and errors that name the rule and the field."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.errors import UsageError
from rules.model import Action, All, AnyOf, HeaderTest, LargerThan, Not, Rule, parse_rule

DELETE = ["delete"]


def parse(**fields: Any) -> Rule:
    return parse_rule(json.dumps({"name": "r", "then": DELETE, **fields}))


def test_a_rule_in_full() -> None:
    document = """{"name": "lists", "stop": true, "only_when_oof": true,
        "when": {"any": [{"header": "List-Id", "contains": "ANNOUNCE"},
                         {"not": {"all": [{"larger_than": 1000}]}}]},
        "then": [{"move": "Lists/2030"}, {"copy": "Archive"}, "mark-read"]}"""
    assert parse_rule(document) == Rule(
        name="lists",
        condition=AnyOf(
            (HeaderTest("List-Id", "contains", "announce"), Not(All((LargerThan(1000),))))
        ),
        actions=(Action("move", "Lists/2030"), Action("copy", "Archive"), Action("mark-read")),
        stop=True,
        only_when_oof=True,
    )


def test_what_is_left_out() -> None:
    assert parse() == Rule("r", All(()), (Action("delete"),))


@pytest.mark.parametrize("test", ["contains", "is", "prefix"])
def test_every_test_of_a_header_is_folded(test: str) -> None:
    found = parse(when={"header": "Subject", test: "GROẞ"}).condition
    assert found == HeaderTest("Subject", test, "gross")


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "rule: not valid JSON: "),
        ("[]", "rule: expected a JSON object"),
        ('{"then": ["delete"]}', "rule: name: expected a text"),
        ('{"name": "", "then": ["delete"]}', "rule: name: expected a text"),
        ('{"name": "r"}', "rule 'r': then: expected a list of actions"),
        ('{"name": "r", "then": []}', "rule 'r': then: expected a list of actions"),
        ('{"name": "r", "then": ["delete"], "wen": {}}', "rule: unknown wen; known: name, when,"),
    ],
)
def test_a_document_that_is_no_rule(document: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_rule(document)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"then": ["drop"]}, "rule 'r': then: 'drop': expected 'delete', 'mark-read', {'move'"),
        ({"then": [{"move": ""}]}, "rule 'r': then: {'move': ''}: expected"),
        ({"then": [{"move": "A", "copy": "B"}]}, "rule 'r': then: "),
        ({"then": [{"forward": "a@x"}]}, "rule 'r': then: "),
        ({"then": [7]}, "rule 'r': then: 7: expected"),
        ({"stop": 1}, "rule 'r': stop: expected true or false"),
        ({"only_when_oof": "yes"}, "rule 'r': only_when_oof: expected true or false"),
        ({"when": None}, "rule 'r': when: expected an object"),
        ({"when": {}}, "rule 'r': when: expected an object"),
        ({"when": {"header": "A"}}, "rule 'r': when: expected a header and one of contains, is,"),
        ({"when": {"header": "A", "is": "a", "prefix": "b"}}, "rule 'r': when: expected a header"),
        ({"when": {"header": "A", "is": 7}}, "rule 'r': when: expected a header and one of"),
        ({"when": {"header": "A", "equals": "a"}}, "rule 'r': when: unknown equals; known: header"),
        ({"when": {"larger_than": True}}, "rule 'r': when: larger_than: expected header,"),
        ({"when": {"larger_than": "9"}}, "rule 'r': when: larger_than: expected header,"),
        ({"when": {"all": {}}}, "rule 'r': when: all: expected header,"),
        ({"when": {"smaller_than": 9}}, "rule 'r': when: smaller_than: expected header,"),
        ({"when": {"all": [], "any": []}}, "rule 'r': when: expected one of header, larger_than"),
        ({"when": {"not": {"any": [{}]}}}, "rule 'r': when.not.any: expected an object"),
    ],
)
def test_an_error_names_the_rule_and_the_field(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(**fields)
    assert str(caught.value).startswith(said)


_KEYS = st.sampled_from(
    [*("name", "when", "then", "stop", "header", "is", "not", "all", "any", "move"), "larger_than"]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["delete", "", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=10,
)


@given(fields=st.dictionaries(_KEYS, _JSON))
def test_any_document_is_a_rule_or_a_usage_error(fields: dict[str, Any]) -> None:
    try:
        found = parse(**fields)
    except UsageError:
        return
    assert found.name
    assert found.actions


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


def test_the_examples_of_the_documentation_are_rules() -> None:
    text = (Path(__file__).parents[2] / "docs" / "rules.md").read_text()
    examples = re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(examples) >= 3
    assert all(parse_rule(example).actions for example in examples)
