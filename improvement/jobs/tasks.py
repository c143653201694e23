"""The tasks of an agent: drawn from its environment, kept once, never in two splits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from improvement.agent.environment import Environment
from improvement.jobs.context import StageFailed
from improvement.models import Agent, Block, Task
from improvement.records import Split, TaskRecord

PATIENCE = 5000


def draw_tasks(
    agent: Agent, environment: Environment, *, level: int, split: Split, count: int, seed: str
) -> list[Task]:
    """`count` tasks of a level and split, the same for the same seed; new ones are saved.

    StageFailed when the environment raises or has too few different tasks.
    """
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
                reference=dict(r.reference),
                fingerprint=r.fingerprint,
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
    return [rows[r.fingerprint] for r in records]


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
