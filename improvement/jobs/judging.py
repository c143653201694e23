"""Verifiers at work on attempts: the recipe's verifier, or each task's own."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from improvement.jobs.context import StageFailed
from improvement.jobs.recipe import Recipe
from improvement.jobs.workshop import verifier_from, workshop
from improvement.models import Agent, Run, Trajectory, Verdict
from improvement.models import Verifier as Row
from improvement.records import Judgement, TaskRecord, TrajectoryRecord, canonical_json
from improvement.verifiers.base import Budget, Verifier, digest

OWN = "task"
"""In a recipe: every task is judged by the verifier that it names itself."""

Spec = str | Mapping[str, Any]
Item = tuple[Trajectory, TaskRecord, TrajectoryRecord]
JUDGE_CALLS_AT_ONCE = 8


def row_of(verifier: Verifier) -> Row:
    """The database row of a verifier in the version that runs here."""
    row, _ = Row.objects.get_or_create(
        digest=digest(verifier),
        defaults={
            "name": verifier.kind,
            "version": verifier.version,
            "settings": dict(verifier.settings),
            "deterministic": verifier.deterministic,
        },
    )
    return row


class Judge:
    """The verifiers that judge the attempts of one agent.

    `spec` is a specification, or OWN. Verifiers are built once; a verifier that raises gives an
    error, never a fail. `check` is called between attempts and may raise to stop.
    """

    def __init__(self, agent: Agent, spec: Spec, budget: Budget | None = None) -> None:
        self._agent, self._spec = agent, spec
        self.budget = budget or Budget()
        self._workshop = workshop(self.budget)
        self._built: dict[str, tuple[Verifier, Row]] = {}

    def verifier_for(self, task: TaskRecord) -> tuple[Verifier, Row]:
        spec = self._spec_for(task)
        key = canonical_json(spec)
        if key not in self._built:
            verifier = verifier_from(spec, self._workshop)
            self._built[key] = verifier, row_of(verifier)
        return self._built[key]

    def _spec_for(self, task: TaskRecord) -> Spec:
        if self._spec != OWN:
            return self._spec
        suite = self._agent.suite
        spec: Spec = task.verifier or (suite.verifier if suite else {})
        if not spec:
            raise StageFailed(
                f"Task {task.key} of agent {self._agent} names no verifier and its suite has none. "
                "Import it again with a verifier, or name one in the recipe (harvest_verifier)."
            )
        return spec

    def note_budget(self, run: Run) -> None:
        """Write down what was used; call it in the transaction that saves the verdicts."""
        used = {"judge_calls": self.budget.used_calls, "judge_tokens": self.budget.used_tokens}
        if self.budget.used_calls:
            Run.objects.filter(pk=run.pk).update(**used)

    def verdicts(
        self, items: Sequence[Item], check: Callable[[], None] = lambda: None
    ) -> list[Verdict]:
        """The unsaved verdicts on these attempts, in order; sets each row's `answer`."""
        chosen = [self.verifier_for(task) for _, task, _ in items]
        slow = any(not verifier.deterministic for verifier, _ in chosen)
        width = JUDGE_CALLS_AT_ONCE if slow else max(2, os.cpu_count() or 1)
        with ThreadPoolExecutor(width) as threads:
            futures = [
                threads.submit(_judgement, verifier, task, record)
                for (verifier, _), (_, task, record) in zip(chosen, items, strict=True)
            ]
            try:
                judged = []
                for future in futures:
                    judged.append(future.result())
                    check()
            except BaseException:
                threads.shutdown(cancel_futures=True)
                raise
        return [
            _verdict(trajectory, row, judgement)
            for (trajectory, _, _), (_, row), judgement in zip(items, chosen, judged, strict=True)
        ]


def judge_of(run: Run, spec: Spec) -> Judge:
    """The judge of a run, with what is left of its budget of judge calls: a resumed stage goes
    on counting."""
    recipe = Recipe.of(run.recipe)
    run.refresh_from_db(fields=["judge_calls", "judge_tokens"])
    used = (run.judge_calls, run.judge_tokens)
    return Judge(run.agent, spec, Budget(recipe.judge_calls, recipe.judge_tokens, *used))


def _judgement(verifier: Verifier, task: TaskRecord, record: TrajectoryRecord) -> Judgement:
    try:
        return verifier.judge(task, record)
    except Exception as error:
        reason = f"{verifier.kind} raised {type(error).__name__}: {error}"
        return Judgement("error", None, {"reason": reason})


def _verdict(trajectory: Trajectory, row: Row, judged: Judgement) -> Verdict:
    trajectory.answer = judged.answer
    return Verdict(
        trajectory=trajectory,
        verifier=row,
        answer=judged.answer,
        score=judged.score,
        evidence=storable(judged.evidence),
        latency_ms=judged.latency_ms,
    )


def storable(value: Any) -> Any:
    """`value` without what PostgreSQL's JSON refuses: NUL, lone surrogates, NaN, infinities."""
    match value:
        case str():
            return value.replace("\x00", "␀").encode("utf-8", "replace").decode()
        case float() if value != value or value in (float("inf"), float("-inf")):
            return str(value)
        case Mapping():
            return {storable(str(k)): storable(v) for k, v in value.items()}
        case list() | tuple():
            return [storable(v) for v in value]
    return value
