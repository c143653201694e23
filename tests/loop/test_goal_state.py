"""The goal-state verifier."""

from __future__ import annotations

from dataclasses import replace

import pytest

from improvement.records import Step, TaskRecord, TrajectoryRecord
from improvement.verifiers.base import SpecError
from improvement.verifiers.build import build

VERIFIER = build("goal_state")
TASK = TaskRecord("t", "one item", 1, "train", "customer wants", {"answer": "36"}, "f")
STEPS = (Step("user", "customer"), Step("tool_call", "answer 36", sampled=True), Step("user", ""))
DONE = TrajectoryRecord("t", 0, STEPS, (), "answered", "36", False, 1.0, 1)


def test_the_right_answer_passes_with_evidence() -> None:
    judged = VERIFIER.judge(TASK, DONE)
    assert (judged.answer, judged.score) == ("pass", 1.0)
    assert judged.evidence["expected"] == judged.evidence["found"] == "36"
    assert judged.evidence["step"] == 1


@pytest.mark.parametrize("found", ["36.0", "36.00"])
def test_equal_numbers_pass(found: str) -> None:
    assert VERIFIER.judge(TASK, replace(DONE, final_answer=found)).answer == "pass"


@pytest.mark.parametrize("found", ["35", "", "3 6", "NaN", "36 37", "x", "Infinity"])
def test_anything_else_fails(found: str) -> None:
    judged = VERIFIER.judge(TASK, replace(DONE, final_answer=found))
    assert (judged.answer, judged.score) == ("fail", 0.0)


def test_nan_does_not_equal_nan() -> None:
    task = replace(TASK, reference={"answer": "sNaN"})
    assert VERIFIER.judge(task, replace(DONE, final_answer="NaN")).answer != "pass"


def test_no_answer_is_a_fail() -> None:
    judged = VERIFIER.judge(TASK, replace(DONE, outcome="turns_exhausted"))
    assert judged.answer == "fail"
    assert "turns ran out" in judged.evidence["reason"]


def test_a_broken_environment_is_an_error_without_a_score() -> None:
    judged = VERIFIER.judge(TASK, replace(DONE, outcome="environment_error", error="E raised"))
    assert (judged.answer, judged.score) == ("error", None)
    assert judged.evidence["reason"] == "E raised"


@pytest.mark.parametrize("reference", [{}, {"answer": ""}, {"answer": 36}, {"answer": None}])
def test_a_task_without_a_reference_is_an_error_and_never_a_fail(reference: dict) -> None:
    judged = VERIFIER.judge(replace(TASK, reference=reference), DONE)
    assert (judged.answer, judged.score) == ("error", None)


def test_a_setting_that_it_does_not_have_is_refused_by_name() -> None:
    with pytest.raises(SpecError, match="tolerance"):
        build({"kind": "goal_state", "tolerance": 1})
