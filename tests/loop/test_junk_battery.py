"""The junk battery: sound verifiers come through, and each way of being broken is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pytest

from improvement.records import Judgement, TaskRecord, TrajectoryRecord
from improvement.verifiers.base import passed
from improvement.verifiers.build import build
from improvement.verifiers.junk import OWN_GOLD, JunkRow, battery
from tests.loop.judged import task_with


def tasks(*references: Mapping[str, Any], prompt: str = "How much is it?") -> list[TaskRecord]:
    return [task_with(one, prompt, f"t{at}") for at, one in enumerate(references)]


def defects(rows: Sequence[JunkRow]) -> list[tuple[str, str, str]]:
    return [(row.kind, row.task, row.output[:60]) for row in rows if not row.ok]


NUMBERS = tasks({"answer": "36"}, {"answer": "1,200"}, {"answer": "0"}, {"answer": "7.5"})
WORDS = tasks({"answer": "Paris"}, {"answer": ["true", "yes"]}, {"answer": "pass"})
OBJECTS = tasks({"fields": {"a": 1, "b": [2, 3]}}, {"fields": {"verdict": "pass", "c": None}})
FORMULAS = tasks({"answer": "x^2-1"}, {"answer": r"\frac{1}{2}"}, {"answer": "0.5"})


OBJECT = {"kind": "schema", "schema": {"type": "object"}}
HALF = {"of": [{"verifier": "number"}, {"verifier": "exact"}], "threshold": 0.5}
SOUND: list[tuple[Any, list[TaskRecord]]] = [
    ("exact", WORDS),
    ({"kind": "exact", "normalise": ["case", "punctuation", "strip"]}, WORDS),
    ({"kind": "exact", "extract": "last_line"}, WORDS),
    ({"kind": "exact", "extract": "boxed"}, WORDS),
    ({"kind": "exact", "extract": "after:Answer:"}, WORDS),
    ("number", NUMBERS),
    ({"kind": "number", "extract": "gsm8k"}, NUMBERS),
    ({"kind": "number", "extract": "boxed"}, NUMBERS),
    ({"kind": "number", "extract": "last_number"}, NUMBERS),
    ({"kind": "number", "relative": 0.05, "units": ["km"]}, NUMBERS),
    ("goal_state", NUMBERS),
    ("fields", OBJECTS),
    ({"kind": "fields", "extract": "fenced"}, OBJECTS),
    ("math", FORMULAS),
    ({"kind": "math", "extract": "boxed"}, FORMULAS),
    ({"kind": "all", "of": [OBJECT, "fields"]}, OBJECTS),
    ({"kind": "any", "of": ["exact", "number"]}, NUMBERS),
    ({"kind": "first_decisive", "of": ["number", "person"]}, NUMBERS),
    ({"kind": "weighted", **HALF}, NUMBERS),
    ("person", WORDS),
]


@pytest.mark.parametrize(("spec", "given"), SOUND, ids=[str(spec) for spec, _ in SOUND])
def test_a_sound_verifier_comes_through(spec: Any, given: list[TaskRecord]) -> None:
    rows = battery(build(spec), given)
    assert defects(rows) == []
    assert len(rows) >= 10 * len(given)


def test_the_rows_say_what_was_tried_and_what_came_of_it() -> None:
    rows = battery(build("number"), NUMBERS)
    kinds = {row.kind for row in rows}
    assert kinds >= {
        OWN_GOLD, "empty", "blanks", "another task's gold", "all golds at once", "question echoed",
        "code payload", "half of the gold", "gold with junk", "refusal", "bare verdict", "flood",
        "prompt injection", "not valid text", "deep JSON", "gold, then another",
    }  # fmt: skip
    own = [row for row in rows if row.kind == OWN_GOLD]
    assert [(row.expected, row.answer) for row in own] == [("pass", "pass")] * len(NUMBERS)
    assert {row.expected for row in rows if row.kind != OWN_GOLD} == {"not pass"}
    assert max(len(row.output) for row in rows) < 2_100
    assert all(row.output.encode() is not None for row in rows)
    assert set(asdict(rows[0])) == {
        "kind", "task", "output", "expected", "answer", "reason", "ok",
    }  # fmt: skip


@dataclass(frozen=True)
class Broken:
    """A verifier that passes whatever `when` says, for the battery to find out."""

    when: Callable[[TaskRecord, str], bool]
    knows: Callable[[TaskRecord], str | None] = lambda task: task.reference["answer"]
    deterministic: bool = True
    kind: str = "broken"
    version: str = "1"
    settings: Mapping[str, Any] = field(default_factory=dict)
    needs_person: bool = False

    def judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        right = self.when(task, trajectory.final_answer)
        return passed({}, "fine") if right else Judgement("fail", 0.0, {"reason": "no"})

    def gold(self, task: TaskRecord) -> str | None:
        return self.knows(task)


LETTERS = tasks({"answer": "alpha"}, {"answer": "beta"}, {"answer": "gamma"}, prompt="Which one?")


@pytest.mark.parametrize(
    ("when", "found"),
    [
        (lambda task, output: True, "empty"),
        (lambda task, output: output == "" or output == task.reference["answer"], "empty"),
        (lambda task, output: not output.strip() and bool(output), "blanks"),
        (lambda task, output: output in ("alpha", "beta", "gamma"), "another task's gold"),
        (lambda task, output: task.reference["answer"] in output.split(), "all golds at once"),
        (lambda task, output: task.prompt in output, "question echoed"),
        (lambda task, output: task.reference["answer"].startswith(output), "half of the gold"),
        (lambda task, output: "exit" in output, "code payload"),
        (lambda task, output: "pass" in output, "bare verdict"),
        (lambda task, output: "gnore your instructions" in output, "prompt injection"),
        (lambda task, output: output.startswith("a" * 1000), "flood"),
        (lambda task, output: "\ud800" in output, "not valid text"),
        (lambda task, output: output.startswith("[["), "deep JSON"),
        (lambda task, output: "sorry" in output, "refusal"),
        (lambda task, output: output.startswith(task.reference["answer"]), "gold, then another"),
        (lambda task, output: False, OWN_GOLD),
    ],
)
def test_each_way_of_letting_junk_pass_is_found(
    when: Callable[[TaskRecord, str], bool], found: str
) -> None:
    assert found in {kind for kind, _, _ in defects(battery(Broken(when), LETTERS))}


def test_a_verifier_that_raises_is_a_defect_and_does_not_stop_the_battery() -> None:
    def when(task: TaskRecord, output: str) -> bool:
        raise ZeroDivisionError("oh")

    rows = battery(Broken(when), LETTERS)
    assert all(row.answer == "error" and not row.ok for row in rows)
    assert "raised ZeroDivisionError: oh" in rows[0].reason


def test_an_error_on_junk_is_no_defect_and_is_noted() -> None:
    rows = battery(build("person"), WORDS)
    assert {(row.answer, row.ok) for row in rows} == {("error", True)}
    assert rows[0].reason == "a person must decide (an error is no pass)"


def test_an_error_on_the_own_gold_is_a_defect() -> None:
    verifier = build({"kind": "first_decisive", "of": ["fields", "person"]})
    rows = battery(verifier, OBJECTS)
    assert defects(rows) == []
    both = [{**one.reference, "schema": "?"} for one in OBJECTS]
    rows = battery(build({"kind": "all", "of": ["schema", "fields"]}), tasks(*both))
    assert {kind for kind, _, _ in defects(rows)} == {OWN_GOLD}


def test_a_schema_alone_is_no_verifier_of_what_is_right() -> None:
    schema = {"kind": "schema", "schema": {"type": "object"}}
    found = {kind for kind, _, _ in defects(battery(build(schema), OBJECTS))}
    assert "bare verdict" in found


def test_a_tolerance_that_is_too_wide_is_found() -> None:
    rows = battery(build({"kind": "number", "tolerance": 50}), NUMBERS)
    assert "another task's gold" in {kind for kind, _, _ in defects(rows)}


def test_the_last_number_of_a_question_that_is_its_answer_is_found() -> None:
    asked = tasks({"answer": "5"}, {"answer": "9"}, prompt="What is 0 + 5?")
    rows = battery(build({"kind": "number", "extract": "last_number"}), asked)
    assert ("question echoed", "t0") in {(kind, task) for kind, task, _ in defects(rows)}


def test_golds_that_are_the_same_or_nearly_so_are_not_tried_on_each_other() -> None:
    alike = tasks({"answer": "1/2"}, {"answer": "0.5"}, {"answer": "0.51"}, {"answer": " .50 "})
    rows = battery(build({"kind": "number", "tolerance": 0.02}), alike)
    assert defects(rows) == []
    assert "another task's gold" not in {row.kind for row in rows}


def test_junk_that_happens_to_be_right_is_not_tried() -> None:
    rows = battery(build("exact"), tasks({"answer": "true"}))
    assert "true" not in {row.output for row in rows if row.kind == "bare verdict"}


def test_a_verifier_that_costs_calls_gets_the_general_junk_once() -> None:
    def rows_of(deterministic: bool) -> int:
        broken = Broken(lambda task, output: False, deterministic=deterministic)
        return sum(row.kind == "flood" for row in battery(broken, LETTERS))

    assert (rows_of(True), rows_of(False)) == (3, 1)


def test_without_gold_or_tasks_there_is_less_to_try() -> None:
    assert battery(build("exact"), []) == []
    nothing = Broken(lambda task, output: False, knows=lambda task: None)
    kinds = {row.kind for row in battery(nothing, tasks({"x": 1}))}
    assert OWN_GOLD not in kinds
    assert "another task's gold" not in kinds
    assert "question echoed" in kinds


DOUBLE = "def double(x):\n    return 2 * x"
SQUARE = "def square(x):\n    total = x * x\n    return total"


def test_programs_come_through_and_weak_tests_are_found() -> None:
    cases = [{"args": [3], "expected": 6}, {"args": [-1], "expected": -2}]
    squares = [{"args": [3], "expected": 9}, {"args": [-1], "expected": 1}]
    programs = tasks(
        {"entry_point": "double", "cases": cases, "solution": DOUBLE},
        {"entry_point": "square", "cases": squares, "solution": SQUARE},
        prompt="Write the function.",
    )
    assert defects(battery(build("unit_tests"), programs)) == []
    weak = tasks({"entry_point": "double", "cases": [{"args": [0], "expected": None}],
                  "solution": "def double(x):\n    pass"})  # fmt: skip
    assert ("code payload", "t0") in {d[:2] for d in defects(battery(build("unit_tests"), weak))}


def test_asserts_come_through_the_payloads_that_are_always_equal() -> None:
    programs = tasks(
        {"entry_point": "double", "tests": ["assert double(3) == 6"], "solution": DOUBLE},
        {"entry_point": "square", "tests": ["assert square(3) == 9"], "solution": SQUARE},
        prompt="Write the function.",
    )
    assert defects(battery(build("asserts"), programs)) == []
