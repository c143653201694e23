"""Rows for labelling: items, labels, verdicts by the dozen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from improvement.models import (
    Agent,
    JunkReport,
    Label,
    LabelItem,
    Trajectory,
    Verdict,
    Verifier,
)
from tests import factories


def judge_verifier(**fields: Any) -> Verifier:
    """A verifier that asks a model: it needs labels."""
    fields = {"name": "judge", "version": "1", "deterministic": False} | fields
    return factories.make_verifier(**fields)


def judged(
    answers: Iterable[str],
    agent: Agent | None = None,
    verifier: Verifier | None = None,
    family: str = "till-1",
    **fields: Any,
) -> list[Trajectory]:
    """One attempt for each answer, each at its own task, judged by `verifier`."""
    agent = agent or factories.make_agent()
    verifier = verifier or factories.make_verifier()
    candidate = agent.champion or factories.make_champion(agent)
    attempts = []
    for answer in answers:
        task = factories.make_task(agent, family=family)
        row = factories.make_trajectory("unverified", task, candidate, **fields)
        row.answer = answer
        row.save(update_fields=["answer"])
        add_verdict(row, verifier, answer)
        attempts.append(row)
    return attempts


def add_verdict(
    trajectory: Trajectory, verifier: Verifier, answer: str, **evidence: Any
) -> Verdict:
    score = {"pass": 1.0, "fail": 0.0}.get(answer)
    evidence = {"reason": "because", "expected": "21", "found": "21", "step": 5} | evidence
    return Verdict.objects.create(
        trajectory=trajectory, verifier=verifier, answer=answer, score=score, evidence=evidence
    )


def make_item(
    trajectory: Trajectory | None = None,
    verifier: Verifier | None = None,
    answer: str = "pass",
    **fields: Any,
) -> LabelItem:
    verifier = verifier or factories.make_verifier()
    if trajectory is None:
        (trajectory,) = judged([answer], verifier=verifier)
    fields = {"agent": trajectory.agent, "family": trajectory.family, "answer": answer} | fields
    return LabelItem.objects.create(trajectory=trajectory, verifier=verifier, **fields)


def hold(item: LabelItem, person: User, minutes: float = 10) -> LabelItem:
    """Reserve `item`; negative minutes: a reservation that ran out."""
    item.reserved_by, item.reserved_until = person, timezone.now() + timedelta(minutes=minutes)
    item.save()
    return item


def say(item: LabelItem, answer: str, person: User | None = None) -> Label:
    """A label by rows alone."""
    person = person or factories.make_user("reviewer")
    return Label.objects.create(item=item, labeller=person, answer=answer)


def make_junk(
    agent: Agent, verifier: Verifier, *, passed: bool = True, **fields: Any
) -> JunkReport:
    row = {"kind": "empty", "task": "till-1-7", "answer": "fail" if passed else "pass",
           "expected": "fail", "reason": "no answer", "output": "", "ok": passed}  # fmt: skip
    fields = {"rows": [row]} | fields
    return JunkReport.objects.create(agent=agent, verifier=verifier, passed=passed, **fields)
