"""The coder's functions: their splits, their cases, and what the real verifier says of them."""

from __future__ import annotations

import ast
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from improvement.agent.environments.coder import Coder
from improvement.agent.environments.coder_tasks import VISIBLE, Function, functions
from improvement.records import TaskRecord
from improvement.verifiers.base import trajectory_of
from improvement.verifiers.build import build

ALL = [f for level in functions().values() for f in level]
LEVELS = (1, 2, 3)


def tasks_of(function: Function) -> list[TaskRecord]:
    family = Coder.families[function.level]
    return [function.task(i, family) for i in range(len(function.variants))]


def judged(task: TaskRecord, output: str) -> str:
    return build(task.verifier).judge(task, trajectory_of(task, output)).answer


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_has_enough_functions_in_every_split(level: int) -> None:
    counts = Counter(f.split for f in functions()[level])
    assert counts["train"] >= 12
    assert counts["dev"] >= 3
    assert counts["heldout"] >= 6
    assert sum(counts.values()) >= 22


def test_the_held_out_functions_fill_a_block_at_every_stage_of_the_curriculum() -> None:
    from improvement.jobs.shipped import CODER

    for opened in (1, 2, 3):
        share = CODER["gate_tasks"] / opened
        assert all(
            sum(f.split == "heldout" for f in functions()[level]) >= share
            for level in range(1, opened + 1)
        )
    assert CODER["gate_min_items"] <= CODER["gate_tasks"]


def test_no_two_tasks_are_alike_and_no_variant_says_what_another_does() -> None:
    tasks = [task for f in ALL for task in tasks_of(f)]
    assert len({t.fingerprint for t in tasks}) == len({t.key for t in tasks}) == len(tasks)
    assert len({t.prompt.split("\n")[0] for t in tasks}) == len(tasks)
    for f in ALL:
        assert len(f.variants) >= 2
        expected = [repr(v["expected"]) for v in f.variants]
        assert len(set(expected)) == len(expected), f.name


def test_every_task_shows_two_cases_and_hides_four_or_more_that_differ() -> None:
    for task in (t for f in ALL for t in tasks_of(f)):
        cases = task.reference["cases"]
        assert task.reference["visible"] == VISIBLE == 2
        assert len(cases) >= VISIBLE + 4
        assert len({repr(c["expected"]) for c in cases}) >= 2, task.prompt
        assert task.prompt.count("\n") == VISIBLE
        assert "$" not in task.prompt
        assert "$" not in task.reference["solution"]


def test_prompts_of_different_functions_are_no_near_duplicates_across_splits() -> None:
    words = [(f, _shingles(tasks_of(f)[0].prompt.split("\n")[0])) for f in ALL]
    for (a, left), (b, right) in combinations(words, 2):
        if a.split != b.split:
            alike = len(left & right) / len(left | right)
            assert alike < 0.8, (a.name, b.name, alike)


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = text.split()[4:]  # without "Write the Python function"
    return {tuple(words[i : i + 3]) for i in range(max(1, len(words) - 2))}


@given(st.integers(0, 2**63 - 1), st.sampled_from(LEVELS))
def test_equal_seeds_give_equal_tasks_and_the_function_decides_the_split(
    seed: int, level: int
) -> None:
    task = Coder().generate(seed, level)
    assert task == Coder().generate(seed, level)
    assert (task.level, task.family) == (level, Coder.families[level])
    assert task.verifier == {"kind": "unit_tests"}
    (function,) = [f for f in functions()[level] if f.name == task.cluster]
    assert task.split == function.split
    assert task.reference["entry_point"] == function.name


def test_a_level_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match=r"levels \[1, 2, 3\], not 4"):
        Coder().generate(1, 4)


@pytest.mark.parametrize("level", LEVELS)
def test_every_solution_passes_its_own_cases(level: int) -> None:
    wrong = [
        task.prompt
        for f in functions()[level]
        for task in tasks_of(f)
        if judged(task, task.reference["solution"]) != "pass"
    ]
    assert wrong == []


@pytest.mark.parametrize("level", LEVELS)
def test_the_solution_of_another_variant_fails(level: int) -> None:
    passed = []
    for f in functions()[level]:
        first, second = tasks_of(f)[:2]
        if judged(first, second.reference["solution"]) != "fail":
            passed.append(f.name)
    assert passed == []


@pytest.mark.parametrize("level", LEVELS)
def test_a_program_that_knows_the_visible_answers_alone_fails(level: int) -> None:
    tasks = [tasks_of(f)[0] for f in functions()[level]]
    assert [t.cluster for t in tasks if judged(t, _by_heart(t)) != "fail"] == []


def _by_heart(task: TaskRecord) -> str:
    known = [[c["args"], c["expected"]] for c in task.reference["cases"][:VISIBLE]]
    name = task.reference["entry_point"]
    return (
        f"def {name}(*args):\n"
        f"    for known, answer in {known!r}:\n"
        "        if list(args) == known:\n"
        "            return answer\n"
    )


@pytest.mark.parametrize("level", LEVELS)
def test_a_mutated_solution_fails(level: int) -> None:
    """Each solution with what it returns spoilt: True for False, n + 1 for n, one element less."""
    tasks = [tasks_of(f)[-1] for f in functions()[level]]
    assert [t.cluster for t in tasks if judged(t, _spoilt(t)) != "fail"] == []


def _spoilt(task: TaskRecord) -> str:
    name = task.reference["entry_point"]
    source = task.reference["solution"].replace(f"def {name}(", f"def {name}_right(", 1)
    ast.parse(source)
    spoil = (
        "    if isinstance(x, bool): return not x\n"
        "    if isinstance(x, (int, float)): return x + 1\n"
        "    if isinstance(x, dict): return {**x, 'more': 0}\n"
        "    return x[1:] if x else None\n"
    )
    return f"{source}\ndef {name}(*args):\n    x = {name}_right(*args)\n{spoil}"
