"""The schema verifier: JSON Schema on hostile answers, hostile patterns and broken schemas."""

from __future__ import annotations

import json
from typing import Any

import pytest

from improvement.records import Judgement
from improvement.verifiers.base import SpecError
from improvement.verifiers.build import build
from improvement.verifiers.patterns import is_plain
from tests.loop.judged import judged, task_with

PERSON: dict[str, Any] = {
    "type": "object",
    "required": ["name", "age"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "pattern": "^[A-Z]"},
        "age": {"type": "integer", "minimum": 0},
        "tags": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/$defs/tag"}},
    },
    "$defs": {"tag": {"type": "string", "maxLength": 5}},
}


def check(schema: Any, found: Any, **settings: Any) -> Judgement:
    output = found if isinstance(found, str) else json.dumps(found)
    return judged({"kind": "schema", "schema": schema, **settings}, {}, output)


def test_an_answer_that_follows_the_schema_passes() -> None:
    assert check(PERSON, {"name": "Ada", "age": 36, "tags": ["a", "b"]}).answer == "pass"


@pytest.mark.parametrize(
    ("found", "field"),
    [
        ({"name": "Ada"}, "(all of it)"), ({"name": "ada", "age": 1}, "name"),
        ({"name": "Ada", "age": -1}, "age"), ({"name": "Ada", "age": True}, "age"),
        ({"name": "Ada", "age": 1, "x": 1}, "(all of it)"), ([], "(all of it)"),
        ({"name": "Ada", "age": 1, "tags": ["a", "a"]}, "tags"),
        ({"name": "Ada", "age": 1, "tags": ["abcdef"]}, "tags/0"),
    ],
)  # fmt: skip
def test_an_answer_that_breaks_a_rule_fails_and_the_evidence_names_the_field(
    found: Any, field: str
) -> None:
    said = check(PERSON, found)
    assert said.answer == "fail"
    assert [row["field"] for row in said.evidence["problems"]] == [field]


def test_the_schema_may_stand_in_the_reference() -> None:
    assert judged("schema", {"schema": {"const": 3}}, "3").answer == "pass"
    assert judged("schema", {"schema": {"const": 3}}, "4").answer == "fail"
    assert judged("schema", {}, "3").answer == "error"
    assert judged("schema", {"schema": {"type": "nonsense"}}, "3").answer == "error"


BROKEN = [
    True, None, [], {}, "object", {"type": "nonsense"}, {"minimum": "3"}, {"pattern": "("},
    {"pattern": "a" * 3000}, {"pattern": r"(a)\1"}, {"required": "a"},
    {"$ref": "https://example.org/schema.json"}, {"$ref": "#/$defs/missing"},
    {"properties": {"a": {"$ref": "file:///etc/passwd"}}}, {"$dynamicRef": "http://localhost/x"},
    {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"},
    {"patternProperties": {"[": {}}},
    {"$ref": "#/definitions/a", "definitions": {"a": {"pattern": "("}}},
]  # fmt: skip


@pytest.mark.parametrize("schema", BROKEN[2:], ids=str)
def test_a_schema_that_does_not_compile_is_refused_and_never_a_fail(schema: Any) -> None:
    with pytest.raises(SpecError, match="schema"):
        build({"kind": "schema", "schema": schema})
    assert judged("schema", {"schema": schema}, "{}").answer == "error"


def test_a_property_called_ref_is_no_reference() -> None:
    schema = {"type": "object", "properties": {"$ref": {"type": "string"}}, "required": ["$ref"]}
    assert check(schema, {"$ref": "https://example.org/x"}).answer == "pass"


def test_a_schema_without_an_end_is_an_error_and_a_recursive_one_is_fine() -> None:
    assert check({"$ref": "#"}, {"a": 1}).answer == "error"
    tree = {"type": "object", "additionalProperties": {"$ref": "#"}}
    deep: dict[str, Any] = {}
    for _ in range(60):
        deep = {"a": deep}
    assert check(tree, deep).answer == "pass"
    assert check(tree, {"a": {"b": 1}}).answer == "fail"


def test_a_schema_that_doubles_at_every_step_is_an_error_and_does_not_hang(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("improvement.verifiers.schemas.SECONDS", 0.2)
    steps = {f"s{n}": {"allOf": [{"$ref": f"#/$defs/s{n + 1}"}] * 2} for n in range(40)}
    schema = {"$ref": "#/$defs/s0", "$defs": {**steps, "s40": {"type": "integer"}}}
    found = check(schema, 1)
    assert found.answer == "error"
    assert "seconds" in found.evidence["reason"]


@pytest.mark.parametrize(
    ("pattern", "plain"),
    [("^[a-z]+$", True), (r"^\d{4}-\d{2}-\d{2}$", True), ("^(cat|dog)$", True), ("a*b", True),
     ("(a+)+$", False), ("(a|a)*$", False), ("a*a*b", False), ("(a|b){30}", False),
     ("(?=a+)b", False), ("(a{1,9}){1,9}", False)],
)  # fmt: skip
def test_plain_patterns_are_told_from_those_that_may_take_forever(
    pattern: str, plain: bool
) -> None:
    assert is_plain(pattern) == plain


@pytest.mark.parametrize("schema", [
    {"items": {"pattern": "^(a+)+$"}},
    {"items": {"patternProperties": {"^(a+)+$": {}}}},
    {"items": {"patternProperties": {"^(a+)+$": {}}, "additionalProperties": False}},
])  # fmt: skip
def test_a_text_that_keeps_a_pattern_busy_is_a_fail(schema: Any) -> None:
    bad = "a" * 40 + "!"
    found = check(schema, [bad, {bad: 1}])
    assert found.answer == "fail"
    assert "busy" in found.evidence["reason"]


def test_a_pattern_with_several_repetitions_is_matched_as_any_other() -> None:
    schema = {"pattern": r"^[a-z.]+@[a-z]+\.[a-z]+$"}
    assert check(schema, '"ada@example.org"').answer == "pass"
    assert check(schema, '"ada"').answer == "fail"
    assert check({"pattern": "^a+$"}, json.dumps("a" * 50_000)).answer == "pass"


def test_equal_items_are_found_among_many_mixed_ones() -> None:
    many: list[Any] = [value for n in range(3_000) for value in (n, str(n), [n], {"n": n})]
    assert check({"uniqueItems": True}, many).answer == "pass"
    assert check({"uniqueItems": True}, [*many, {"n": 3}]).answer == "fail"
    assert check({"uniqueItems": True}, [1, True, "1", [1]]).answer == "pass"
    assert check({"uniqueItems": True}, "[1, 1.0]").answer == "fail"


@pytest.mark.parametrize("output", ["", "NaN", '{"a": 1, "a": 2}', "[" * 100_000, "1e999",
                                    "9" * 10_000, "{'a': 1}", "nope"])  # fmt: skip
def test_what_is_not_strict_json_fails(output: str) -> None:
    found = check({"type": ["object", "array", "number"]}, output)
    assert found.answer == "fail"
    assert "can't be read" in found.evidence["reason"]


def test_huge_numbers_are_checked_or_fail() -> None:
    assert check({"multipleOf": 1e-300}, "1" + "0" * 290).answer in ("pass", "fail")
    assert check({"multipleOf": 0.01}, "1e300").answer in ("pass", "fail")


def test_json_is_found_in_a_fence() -> None:
    assert check({"const": 1}, "so:\n```json\n1\n```", extract="fenced").answer == "pass"


def test_the_verifier_knows_no_gold_since_a_schema_says_not_what_is_right() -> None:
    assert build({"kind": "schema", "schema": PERSON}).gold(task_with({"answer": "x"})) is None


@pytest.mark.parametrize("settings", [{"extract": "boxed"}, {"draft": 7}])
def test_a_setting_that_makes_no_sense_is_refused_by_name(settings: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match=next(iter(settings))):
        build({"kind": "schema", "schema": PERSON, **settings})
