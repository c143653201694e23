"""The tasks of an agent: from its environment or its suite, kept once, never in two splits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from django.db.models import CharField, Value
from django.db.models.functions import MD5, Cast, Concat

from improvement.agent.environment import Environment
from improvement.jobs.context import StageFailed
from improvement.models import Agent, Block, SealedAnswer, Suite, Task
from improvement.models.sealed import answers_of, evaluation_role
from improvement.records import Split, TaskRecord

PATIENCE = 5000


def draw_tasks(
    agent: Agent, environment: Environment, *, level: int, split: Split, count: int, seed: str
) -> list[Task]:
    """`count` tasks of a level and split, the same for the same seed; new ones are saved. Of a
    suite that has fewer: all that there are.

    StageFailed when the environment raises or has too few different tasks, or the suite has none.
    """
    if agent.suite is not None:
        return _from_suite(agent.suite, level=level, split=split, count=count, seed=seed)
    found: dict[str, TaskRecord] = {}
    for attempt in range(count * 20 + PATIENCE):
        record = _generate(environment, f"{seed}:{split}:{level}:{attempt}", level)
        if record.split == split:
            found.setdefault(record.fingerprint, record)
        if len(found) == count:
            return keep(agent, list(found.values()))
    raise StageFailed(
        f"Environment {environment.name} gave only {len(found)} different {split} tasks of level "
        f"{level}, and {count} are needed: widen its generator."
    )


def families_of(agent: Agent, environment: Environment) -> dict[int, set[str]]:
    """Level → the families of tasks on it."""
    if agent.suite is None:
        return {level: {name} for level, name in environment.families.items()}
    found = dict[int, set[str]]()
    for level, family in agent.suite.tasks.values_list("level", "family").distinct():
        found.setdefault(level, set()).add(family)
    return found or {1: set()}


def _from_suite(suite: Suite, *, level: int, split: Split, count: int, seed: str) -> list[Task]:
    """Tasks in an order that the seed alone decides: the database sorts by a hash of both."""
    text = Concat(Value(f"{seed}:"), Cast("fingerprint", CharField()))
    rows = suite.tasks.filter(level=level, split=split).order_by(MD5(text))[:count]
    tasks = list(rows)
    if not tasks:
        raise StageFailed(
            f"Suite {suite} has no {split} task of level {level}: import some "
            f"(manage.py import_tasks {suite} FILE)."
        )
    return tasks


def records_of(tasks: Sequence[Task]) -> dict[int, TaskRecord]:
    """Task id → record. Held-out answers are read here, for the evaluation alone."""
    answers = answers_of(tasks)
    return {task.pk: task.as_record(answers) for task in tasks}


def _generate(environment: Environment, seed: str, level: int) -> TaskRecord:
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big") >> 1
    try:
        return environment.generate(number, level)
    except Exception as error:
        kind = type(environment)
        raise StageFailed(
            f"{kind.__module__}.{kind.__qualname__}.generate({number}, {level}) raised "
            f"{type(error).__name__}: {error}. Mend the environment, then resume the run."
        ) from error


def keep(agent: Agent, records: Sequence[TaskRecord], block: Block | None = None) -> list[Task]:
    """The rows of these tasks, in order; those that are not there yet are added.

    StageFailed where one is there already in another split or block: then its environment does
    not decide the split by the fingerprint alone, and a held-out task could be trained on.
    """
    Task.objects.bulk_create(
        [
            Task(
                agent=agent,
                key=r.key,
                family=r.family,
                level=r.level,
                split=r.split,
                prompt=r.prompt,
                reference={} if r.split == "heldout" else dict(r.reference),
                fingerprint=r.fingerprint,
                verifier=dict(r.verifier),
                cluster=r.cluster,
                block=block,
            )
            for r in records
        ],
        ignore_conflicts=True,
    )
    there = Task.objects.filter(agent=agent, fingerprint__in=[r.fingerprint for r in records])
    rows = {row.fingerprint: row for row in there}
    for record in records:
        _refuse_stranger(record, rows.get(record.fingerprint), block)
    _seal([(rows[r.fingerprint], r) for r in records if r.split == "heldout"])
    return [rows[r.fingerprint] for r in records]


def _seal(pairs: Sequence[tuple[Task, TaskRecord]]) -> None:
    """Put the answers that are not there yet behind the seal."""
    if not pairs:
        return
    with evaluation_role():
        there = SealedAnswer.objects.filter(task__in=[task for task, _ in pairs])
        sealed = set(there.values_list("task_id", flat=True))
    SealedAnswer.objects.bulk_create(
        SealedAnswer(task=task, reference=dict(record.reference))
        for task, record in pairs
        if task.pk not in sealed
    )


def _refuse_stranger(record: TaskRecord, row: Task | None, block: Block | None) -> None:
    if row is None:
        problem = "has one key for two different problems"
    elif row.split != record.split:
        problem = "gave one problem in two splits"
    elif row.block_id != (block.pk if block else None):
        problem = "gave a problem of an earlier block again"
    else:
        return
    raise StageFailed(
        f"The environment of this agent {problem} ({record.split}, level {record.level}). Equal "
        "problems need equal fingerprints and keys, and the fingerprint alone decides the split. "
        "Mend the environment."
    )
