"""The fields verifier: JSON answers against reference values, and hostile JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improvement.records import Judgement
from improvement.verifiers.base import SpecError
from improvement.verifiers.build import build
from improvement.verifiers.paths import built, leaves, path_of, written
from tests.loop.judged import judged, task_with

WANTED = {"name": "Ada", "age": 36, "tags": ["x", "y"], "home": {"city": "London", "zip": None}}


def check(wanted: Any, found: Any, **settings: Any) -> Judgement:
    output = found if isinstance(found, str) else json.dumps(found)
    return judged({"kind": "fields", **settings}, {"fields": wanted}, output)


def wrong(found: Judgement) -> dict[str, str]:
    return {row["field"]: row["reason"] for row in found.evidence["fields"]}


def test_all_fields_right_pass_whatever_their_order() -> None:
    found = check(WANTED, dict(reversed(WANTED.items())))
    assert (found.answer, found.score) == ("pass", 1.0)


def test_the_evidence_names_each_wrong_field_and_the_score_is_the_share_that_is_right() -> None:
    given = {**WANTED, "age": 37, "home": {"city": "London"}}
    found = check(WANTED, given)
    assert (found.answer, found.score) == ("fail", 4 / 6)
    assert wrong(found) == {"age": "another value", "home.zip": "missing"}
    assert found.evidence["fields"][0] | {"reason": ""} == {
        "field": "age", "expected": "36", "found": "37", "reason": "",
    }  # fmt: skip
    assert "age, home.zip" in found.evidence["reason"]


@pytest.mark.parametrize(
    ("wanted", "given"),
    [(1, True), (True, 1), (0, False), (1, 1.0), (1.0, 1), (1, "1"), ("1", 1), (None, "null"),
     (None, 0), ("", None), ([], {}), ({}, []), ({}, {"a": 1}), ([], [1]), (["x"], "x"),
     ("x", ["x"]), ({"a": 1}, 1)],
)  # fmt: skip
def test_types_are_exact(wanted: Any, given: Any) -> None:
    assert check({"f": wanted}, {"f": given}).answer == "fail"
    assert check({"f": wanted}, {"f": wanted}).answer == "pass"


def test_paths_and_pointers_reach_into_an_answer() -> None:
    wanted = {"items.1.price": 5, "/a.b/c": True}
    given = {"items": [{"price": 1}, {"price": 5}], "a.b": {"c": True}}
    assert check(wanted, given).answer == "pass"
    assert check(wanted, {**given, "items": [{"price": 5}]}).answer == "fail"


def test_a_list_has_to_have_its_length() -> None:
    assert wrong(check(WANTED, {**WANTED, "tags": ["x", "y", "z"]})) == {"tags": "too many items"}
    assert wrong(check(WANTED, {**WANTED, "tags": ["x"]})) == {"tags.1": "missing"}


def test_a_tolerance_holds_for_all_fields_or_for_those_below_a_path() -> None:
    wanted = {"a": 1.0, "deep": {"b": [2.0, 3.0]}}
    near = {"a": 1.01, "deep": {"b": [2.01, 3]}}
    assert check(wanted, near).answer == "fail"
    assert check(wanted, near, tolerance=0.01).answer == "pass"
    assert list(wrong(check(wanted, near, tolerance={"deep": 0.01}))) == ["a"]
    assert list(wrong(check(wanted, near, tolerance={"deep.b.*": 0.01, "**": 0}))) == ["a"]
    assert check({"a": 1}, {"a": True}, tolerance=1).answer == "fail"


def test_text_is_normalised_where_a_setting_says_so() -> None:
    given = {**WANTED, "name": " ada "}
    assert check(WANTED, given).answer == "fail"
    assert check(WANTED, given, normalise=["case", "strip"]).answer == "pass"
    assert check(WANTED, given, normalise={"name": ["case", "strip"]}).answer == "pass"
    assert check(WANTED, given, normalise={"home": ["case", "strip"]}).answer == "fail"


def test_ignored_fields_do_not_count_and_ignoring_all_is_an_error() -> None:
    given = {**WANTED, "age": 1, "home": 2}
    assert check(WANTED, given, ignore=["age", "home"]).answer == "pass"
    assert check({"a": 1}, {"a": 1}, ignore=["a"]).answer == "error"


def test_extra_fields_are_allowed_until_they_are_refused() -> None:
    given = {**WANTED, "more": 1, "home": {**WANTED["home"], "tel": [2]}}  # type: ignore[dict-item]
    assert check(WANTED, given).answer == "pass"
    refused = check(WANTED, given, extra="refuse")
    assert wrong(refused) == {"more": "not expected", "home.tel.0": "not expected"}
    assert refused.score == 6 / 8
    assert check(WANTED, WANTED, extra="refuse").answer == "pass"
    assert check(WANTED, given, extra="refuse", ignore=["more", "home.tel"]).answer == "pass"


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("", "not JSON"), ("name: Ada", "not JSON"), ('{"f": 1} {"f": 1}', "not JSON"),
        ('{"f": 1, "f": 1}', "given twice"), ('{"f": NaN}', "no JSON number"),
        ('{"f": -Infinity}', "no JSON number"), ('{"f": 1e999}', "too large"),
        ('{"f": ' + "9" * 5000 + "}", "digits"), ("[" * 300_000, "levels"),
        ("[" * 100 + "]" * 100, "levels"), ("[" + "1," * 30_000 + "1]", "values"),
        (r'{"f": "\ud800"}', "UTF-8"), (r'{"\udfff": 1}', "UTF-8"),
        ("{" + "".join(f'"{i}":1,' for i in range(90_000)) + '"0":1}', "given twice"),
    ],
)  # fmt: skip
def test_json_that_is_broken_or_hostile_fails_with_the_reason(output: str, reason: str) -> None:
    found = check({"f": 1}, output)
    assert found.answer == "fail"
    assert reason in found.evidence["reason"]


@pytest.mark.parametrize("output", ["[]", "1", "null", '"f"', "true", "{}"])
def test_json_of_another_shape_fails(output: str) -> None:
    assert check({"f": 1}, output).answer == "fail"


def test_json_is_found_in_the_last_fence() -> None:
    output = 'first\n```json\n{"f": 2}\n```\nno:\n```json\n{"f": 1}\n```\ndone'
    assert check({"f": 1}, output, extract="fenced").answer == "pass"
    assert check({"f": 1}, output).answer == "fail"


@pytest.mark.parametrize("wanted", [None, {}, [1], "f", {"f": float("nan")}, {"f": 10**400}])
def test_a_reference_that_holds_no_usable_fields_is_an_error(wanted: Any) -> None:
    assert judged("fields", {"fields": wanted}, "{}").answer == "error"


@pytest.mark.parametrize("wanted", [WANTED, {"a.b": 1, "a.c": [2], "l.0": 1, "l.1": 2},
                                    {"/x.y/0": "z"}])  # fmt: skip
@pytest.mark.parametrize("extract", ["whole", "fenced", "last_line"])
def test_the_gold_passes(wanted: dict[str, Any], extract: str) -> None:
    verifier = build({"kind": "fields", "extract": extract, "extra": "refuse"})
    gold = verifier.gold(task_with({"fields": wanted}))
    assert gold is not None
    assert judged(verifier, {"fields": wanted}, gold).answer == "pass"


@pytest.mark.parametrize(
    "settings",
    [{"tolerance": {"a": -1}}, {"tolerance": "1"}, {"normalise": "case"}, {"ignore": "a"},
     {"normalise": {"a": ["no"]}}, {"ignore": [1]}, {"extra": "keep"}, {"extract": "boxed"},
     {"fields": {}}],
)  # fmt: skip
def test_a_setting_that_makes_no_sense_is_refused_by_name(settings: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match=next(iter(settings))):
        build({"kind": "fields", **settings})


keys = st.text(alphabet="ab./~0", max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.lists(keys, min_size=1, max_size=4))
def test_a_path_that_is_written_reads_as_itself(parts: list[str]) -> None:
    assert path_of(written(tuple(parts))) == tuple(parts)


@given(st.dictionaries(st.sampled_from("abc"), values, min_size=1, max_size=3))
def test_a_value_is_built_from_its_leaves_and_passes_against_itself(value: dict[str, Any]) -> None:
    assert built(dict(leaves(value))) == value
    assert check(value, value, extra="refuse").answer == "pass"


@given(st.dictionaries(st.sampled_from("abc"), values, min_size=1, max_size=3), values)
def test_only_an_equal_value_passes_when_nothing_may_be_extra(
    wanted: dict[str, Any], given: Any
) -> None:
    same = json.dumps(wanted, sort_keys=True) == json.dumps(given, sort_keys=True)
    assert (check(wanted, given, extra="refuse").answer == "pass") == same
