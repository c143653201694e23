"""How a file of outputs names its tasks: by id, by a number, or by the line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.loop.test_verify_command import Rows, verify

__all__ = ["verify"]
MBPP = {"task_id": 11, "text": "Add one.", "test_list": ["assert inc(1) == 2"]}
INC = "def inc(x):\n    return x + 1"


def gsm8k(*answers: int) -> list[dict[str, Any]]:
    return [{"question": f"How many is {n}?", "answer": f"#### {n}"} for n in answers]


def test_numbers_are_ids_too_as_in_mbpp(verify: Callable[..., Rows]) -> None:
    lines = {"task": 11, "output": INC}, {"task": "11", "output": INC}
    rows = verify(*lines, tasks=[MBPP])
    assert [(r["task"], r["verdict"]) for r in rows] == [("11", "pass")] * 2


def test_tasks_without_an_id_are_named_by_their_line(verify: Callable[..., Rows]) -> None:
    lines = {"task": 2, "output": "So 7."}, {"task": 1, "output": "So 7."}
    rows = verify(*lines, tasks=gsm8k(5, 7))
    assert [r["verdict"] for r in rows] == ["pass", "fail"]


def test_an_id_comes_before_a_line_number(verify: Callable[..., Rows]) -> None:
    tasks = [{**task, "id": name} for task, name in zip(gsm8k(5, 7), ("2", "1"), strict=True)]
    (row,) = verify({"task": 2, "output": "So 5."}, tasks=tasks)
    assert row["verdict"] == "pass"


def test_a_line_that_is_not_there_is_an_error(verify: Callable[..., Rows]) -> None:
    rows = verify({"task": 3, "output": "5"}, {"task": -1, "output": "5"}, tasks=gsm8k(5))
    assert [r["verdict"] for r in rows] == ["error", "error"]
