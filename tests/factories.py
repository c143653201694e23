"""Small functions that make rows. Everything has a default; keywords override."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from itertools import count
from typing import Any

from django.utils import timezone

from improvement.models import (
    Agent,
    Block,
    Candidate,
    CandidateStates,
    Dataset,
    DatasetItem,
    Deployment,
    Evaluation,
    EvaluationItem,
    JunkReport,
    Run,
    SealedAnswer,
    Stage,
    Step,
    Task,
    Trajectory,
    Verdict,
    Verifier,
)
from improvement.records import Bundle, Message, digest_of
from tests.alarms import make_hold as make_hold
from tests.alarms import make_signal as make_signal
from tests.alarms import make_warning as make_warning
from tests.users import PASSWORD as PASSWORD
from tests.users import ROLES as ROLES
from tests.users import make_user as make_user

FROZEN = set(CandidateStates) - {"base", "trained", "screened"}
Pair = tuple[bool | None, bool | None]  # champion passed, candidate passed
_numbers = count(1)


def make_agent(name: str = "", **fields: Any) -> Agent:
    name = name or f"agent-{next(_numbers)}"
    fields = {"title": name.title(), "environment": "till", "base_model": "tiny"} | fields
    return Agent.objects.create(name=name, **fields)


def make_bundle(**fields: Any) -> Bundle:
    examples = (Message("user", "customer wants 1 cup"), Message("assistant", "price cup\n"))
    fields = {"system_prompt": "You work at the till.", "worked_examples": examples} | fields
    return Bundle(**({"base_model": "tiny"} | fields))


def make_candidate(agent: Agent | None = None, state: str = "review", **fields: Any) -> Candidate:
    """A candidate in any state; frozen where its state says so. `base` is generation 0."""
    agent = agent or make_agent()
    number = agent.candidates.count()
    bundle = make_bundle(adapter="" if state == "base" else digest_of([agent.pk, number]))
    fields = {
        "number": number,
        "generation": 0 if state == "base" else 1,
        "parent": None if state == "base" else agent.champion,
        "bundle": asdict(bundle),
        "bundle_digest": bundle.digest,
        "adapter_digest": bundle.adapter,
        "frozen_at": timezone.now() if state in FROZEN else None,
    } | fields
    return Candidate.objects.create(agent=agent, state=state, **fields)


def deploy(candidate: Candidate, kind: str = "promotion", **fields: Any) -> Deployment:
    """Make `candidate` the champion by rows alone (the product goes through `promotion`)."""
    candidate.agent.deployments.filter(ended_at=None).update(ended_at=timezone.now())
    fields = {"agent": candidate.agent, "kind": kind, "reason": "made by a test"} | fields
    return Deployment.objects.create(candidate=candidate, **fields)


def make_champion(agent: Agent | None = None, **fields: Any) -> Candidate:
    """Generation 0 of `agent`, deployed."""
    candidate = make_candidate(agent, state="base", **fields)
    deploy(candidate, "initial")
    return candidate


def make_run(agent: Agent | None = None, state: str = "running", **fields: Any) -> Run:
    agent = agent or make_agent()
    fields = {"cycle": agent.runs.count() + 1} | fields
    return Run.objects.create(agent=agent, state=state, **fields)


def make_stage(run: Run | None = None, name: str = "collect", **fields: Any) -> Stage:
    run = run or make_run()
    fields = {"position": run.stages.count(), "queue": "default"} | fields
    return Stage.objects.create(run=run, name=name, **fields)


def make_block(candidate: Candidate, size: int = 0, *, burnt: bool = False) -> Block:
    digests = {"seed_digest": digest_of("seed"), "manifest_digest": digest_of("manifest")}
    block = Block.objects.create(
        agent=candidate.agent,
        candidate=candidate,
        size=size,
        burnt_at=timezone.now() if burnt else None,
        **digests,
    )
    for _ in range(size):
        make_task(candidate.agent, "heldout", block=block)
    return block


def make_task(agent: Agent | None = None, split: str = "train", **fields: Any) -> Task:
    number = next(_numbers)
    fields = {
        "key": f"till-1-{number}",
        "family": "till-1",
        "prompt": f"customer wants {number} lamp",
        "reference": {"prices": {"lamp": 7}, "total": 7 * number},
        "fingerprint": hashlib.sha256(str(number).encode()).hexdigest(),
    } | fields
    reference = fields.pop("reference")
    sealed = split == "heldout"
    owner = {} if fields.get("suite") else {"agent": agent or make_agent()}
    task = Task.objects.create(
        split=split, reference={} if sealed else reference, **owner, **fields
    )
    if sealed:
        SealedAnswer.objects.create(task=task, reference=reference)
    return task


def make_verifier(**fields: Any) -> Verifier:
    fields = {"name": "goal-state", "version": "1"} | fields
    return Verifier.objects.get_or_create(digest=digest_of(fields), defaults=fields)[0]


def make_trajectory(
    answer: str = "pass",
    task: Task | None = None,
    candidate: Candidate | None = None,
    steps: Sequence[tuple[str, str]] = (
        ("system", "You work at the till."),
        ("user", "customer wants 3 lamp"),
        ("assistant", "price lamp\n"),
        ("tool_call", "price lamp"),
        ("tool_result", "7"),
        ("assistant", "answer 21\n"),
    ),
    **fields: Any,
) -> Trajectory:
    """One attempt with its steps, and its verdict unless `answer` is "unverified"."""
    task = task or make_task(candidate.agent if candidate else None)
    candidate = candidate or make_candidate(task.agent, state="base")
    fields = {
        "purpose": "gate" if task.split == "heldout" else "collect",
        "family": task.family,
        "level": task.level,
        "split": task.split,
        "sample": task.trajectories.count(),
        "outcome": "answered",
        "final_answer": "21",
        "steps_count": len(steps),
        "sampled_tokens": 12,
        "read_tokens": 300,
        "latency_ms": 840.0,
        "seed": 1,
    } | fields
    trajectory = Trajectory.objects.create(
        agent=task.agent, task=task, candidate=candidate, answer=answer, **fields
    )
    Step.objects.bulk_create(_step(trajectory, *pair) for pair in enumerate(steps))
    if answer != "unverified":
        make_verdict(trajectory, answer)
    return trajectory


def _step(trajectory: Trajectory, index: int, step: tuple[str, str]) -> Step:
    kind, content = step
    tool, _, arguments = content.partition(" ") if kind == "tool_call" else ("", "", "")
    fields = {"kind": kind, "content": content, "tool": tool, "arguments": arguments}
    return Step(trajectory=trajectory, index=index, sampled=kind == "assistant", **fields)


def make_verdict(trajectory: Trajectory, answer: str = "pass", **fields: Any) -> Verdict:
    score = {"pass": 1.0, "fail": 0.0}.get(answer)
    fields = {"evidence": {"expected": "21", "found": "21", "step": 5}} | fields
    return Verdict.objects.create(
        trajectory=trajectory, verifier=make_verifier(), answer=answer, score=score, **fields
    )


def make_dataset(run: Run, trajectories: Sequence[Trajectory] = (), **fields: Any) -> Dataset:
    fields = {
        "digest": digest_of(run.pk),
        "manifest": {"own": len(trajectories), "human": 0},
        "own": len(trajectories),
        "human": 0,
        "dropped": 0,
        "self_generated_share": 1.0,
    } | fields
    dataset = Dataset.objects.create(agent=run.agent, run=run, **fields)
    for trajectory in trajectories:
        DatasetItem.objects.create(
            dataset=dataset, trajectory=trajectory, key=f"own-{trajectory.pk}", source="own"
        )
    return dataset


def make_evaluation(
    candidate: Candidate | None = None,
    items: Sequence[Pair] = ((False, True),) * 6 + ((True, True),) * 4,
    kind: str = "gate",
    **fields: Any,
) -> Evaluation:
    """A comparison with the champion; `items` are pairs (champion passed, candidate passed).

    A gate has a burnt block of its own; every item has a trajectory of each side that judged it.
    """
    candidate = candidate or make_candidate()
    champion = candidate.agent.champion or make_champion(candidate.agent)
    block = make_block(candidate, len(items), burnt=True) if kind == "gate" else None
    dev = [] if block else [make_task(candidate.agent, "dev") for _ in items]
    tasks = list(block.tasks.order_by("id")) if block else dev
    fields = {
        "run": candidate.run or make_run(candidate.agent, state="done"),
        "champion": champion,
        "block": block,
        "answer": "pass",
        "reason": "the candidate wins",
        "digest": digest_of([candidate.pk, kind]),
        "families": [],
        "low": 0.1,
        "high": 0.9,
        "p_value": 0.03,
        "e_value": 25.0,
    } | _tally(items) | fields
    agent = candidate.agent
    evaluation = Evaluation.objects.create(agent=agent, candidate=candidate, kind=kind, **fields)
    for task, pair in zip(tasks, items, strict=True):
        _add_item(evaluation, task, pair)
    license_here(agent)
    return evaluation


def license_here(agent: Agent) -> None:
    """Let the verifier of `make_verdict` harvest and gate for this agent."""
    JunkReport.objects.create(agent=agent, verifier=make_verifier(), passed=True)


def _tally(items: Sequence[Pair]) -> dict[str, Any]:
    judged = [pair for pair in items if None not in pair]
    n = len(judged)
    wins, losses = judged.count((False, True)), judged.count((True, False))
    champion, candidate = (sum(bool(pair[i]) for pair in judged) / max(n, 1) for i in (0, 1))
    return {
        "n": n,
        "wins": wins,
        "losses": losses,
        "ties": n - wins - losses,
        "missing": len(items) - n,
        "champion_score": champion,
        "candidate_score": candidate,
        "difference": candidate - champion,
    }


def _add_item(evaluation: Evaluation, task: Task, pair: Pair) -> None:
    sides = (evaluation.champion, evaluation.candidate)
    attempts = [
        None if passed is None else make_trajectory("pass" if passed else "fail", task, side)
        for side, passed in zip(sides, pair, strict=True)
    ]
    EvaluationItem.objects.create(
        evaluation=evaluation,
        task=task,
        champion_trajectory=attempts[0],
        candidate_trajectory=attempts[1],
        champion_passed=pair[0],
        candidate_passed=pair[1],
    )
