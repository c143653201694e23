"""Unit tests given as assert code (HumanEval's `check(candidate)`, MBPP's list of asserts).

`reference = {"entry_point": "f", "tests": "def check(candidate): …" or ["assert f(1) == 2", …],
"prompt": "def f(x):…", "setup": "import math", "solution": "def f…"}`. The tests run in a process
of their own and reach the program through proxies, so their expected values never share a process
with it. `setup` runs with the program, after it, and so must hold no expected values; its imports
are the tests' too, and so are its functions that deal with plain values alone (see helpers.py).
Helpers that the prompt gives before the function are the tests' own as well: a program that
redefines one can't change what the tests compare with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from improvement.records import Judgement, TaskRecord, TrajectoryRecord
from improvement.sandbox.pool import sandbox
from improvement.sandbox.records import Call, Limits, Outcome, SandboxRefused
from improvement.verifiers import running
from improvement.verifiers.base import (
    Workshop,
    broken,
    deciding_step,
    failed,
    passed,
    shown,
    timed,
    unusable,
)
from improvement.verifiers.code import NoProgram, defines, joined, program
from improvement.verifiers.helpers import of_prompt, of_setup
from improvement.verifiers.running import BadReference
from improvement.verifiers.settings import only

KIND = "asserts"
NO_PYTHON = ("SyntaxError", "IndentationError", "TabError")
_COMPILE = "def compiled(code):\n    compile(code, 'tests.py', 'exec')\n"


@dataclass(frozen=True, slots=True)
class Asserts:
    """Pass when the tests end without an exception and called the program at least once.
    Setting: `limits` {seconds, call_seconds, memory_mb}."""

    kind: str = KIND
    version: str = "1"
    settings: Mapping[str, Any] = field(default_factory=dict)
    deterministic: bool = True
    needs_person: bool = False
    bounds: Limits = field(default_factory=Limits)

    def judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
        return timed(lambda: _judge(self, task, trajectory))

    def gold(self, task: TaskRecord) -> str | None:
        solution = task.reference.get("solution")
        return solution if isinstance(solution, str) else None


def make(settings: Mapping[str, Any], workshop: Workshop) -> Asserts:  # noqa: ARG001
    only(KIND, settings, ("limits",))
    return Asserts(settings=dict(settings), bounds=running.limits(settings, KIND))


@dataclass(frozen=True, slots=True)
class Tests:
    """What a reference asks for."""

    entry: str
    code: str
    prompt: str
    setup: str


def tests(reference: Mapping[str, Any]) -> Tests:
    """The tests of a reference; BadReference names what is wrong."""
    entry, setup = running.entry_point(reference), running.text_of(reference, "setup")
    given = reference.get("tests")
    if isinstance(given, list | tuple) and given and all(isinstance(one, str) for one in given):
        code = "\n".join(given) + "\n"
    elif isinstance(given, str):
        code = given + "\n"
    else:
        raise BadReference("tests must be text, or a list of asserts that is not empty")
    if not code.strip():
        raise BadReference("tests is empty")
    if defines(code, "check") and not re.search(r"^check\(", code, re.MULTILINE):
        code += f"\ncheck({entry})\n"
    prompt = running.text_of(reference, "prompt")
    helpers = joined(of_prompt(prompt, entry), of_setup(setup))
    return Tests(entry, joined(helpers, code), prompt, setup)


def _judge(verifier: Asserts, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement:
    evidence = {"found": shown(trajectory.final_answer) or None, "step": deciding_step(trajectory)}
    evidence["expected"] = "the tests end without an exception"
    try:
        asked = tests(task.reference)
        if bad := unusable(task, trajectory):
            return Judgement(bad.answer, bad.score, evidence | dict(bad.evidence))
        source = joined(program(trajectory.final_answer, asked.entry, asked.prompt), asked.setup)
        outcome = sandbox().judge(source, asked.code, [asked.entry], verifier.bounds)
        if fault := _fault_of(asked, outcome):
            return broken(evidence, f"the tests of task {task.key} can't be run: {fault}")
        return _verdict(verifier, task, outcome, {**evidence, **running.run_evidence(outcome)})
    except BadReference as error:
        return broken(evidence, f"the reference of task {task.key} makes no sense: {error}")
    except SandboxRefused as error:
        return broken(evidence, str(error))
    except NoProgram as error:
        return failed(evidence, str(error))


def _fault_of(asked: Tests, outcome: Outcome) -> str:
    """What is wrong with the tests themselves. A program can raise a SyntaxError as well, so
    that the tests are compiled once more, without it and behind the walls."""
    raised = outcome.returned[0].error if outcome.returned else ""
    if raised.startswith("CannotCarry:"):
        return shown(raised)
    if raised.startswith(NO_PYTHON):
        alone = sandbox().run(_COMPILE, [Call("compiled", (asked.code,))])
        return shown(alone.returned[0].error) if alone.returned else ""
    return ""


def _verdict(
    verifier: Asserts, task: TaskRecord, outcome: Outcome, evidence: Mapping[str, Any]
) -> Judgement:
    if not outcome.returned:
        how = running.ending(outcome, verifier.bounds)
        return failed({**evidence, "found": how}, f"the tests could not be run: {how}")
    answer = outcome.returned[0]
    if answer.ended == "ok" and outcome.ended == "ok":
        if type(answer.value) is not int or answer.value < 1:
            return broken(evidence, f"the tests of task {task.key} never called the program")
        return passed({**evidence, "calls": answer.value}, "the tests end without an exception")
    raised = shown(answer.error)
    if answer.ended == "exception":
        return failed({**evidence, "found": f"the tests raised {raised}"}, "a test failed")
    how = running.ending(outcome, verifier.bounds)
    return failed({**evidence, "found": how}, f"the tests were not finished: {how}")
