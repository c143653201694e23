"""Rows for the held-out trend of one agent: gates and rollbacks, oldest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse

from improvement.evaluation.statistics import wilson
from improvement.models import (
    Agent,
    Candidate,
    Deployment,
    DeploymentKinds,
    Evaluation,
    EvaluationKinds,
    Purposes,
    Trajectory,
)
from reviews.charts.heldout import Gate, Rollback

SHOWN = 60


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The gates of an agent (of one family of tasks, if one is asked for)."""

    gates: Sequence[Gate]
    rollbacks: Sequence[Rollback]
    base: float | None
    families: Sequence[str]


def held_out(agent: Agent, family: str = "") -> HeldOut:
    """The newest gates, oldest first."""
    rows = agent.evaluations.filter(kind=EvaluationKinds.GATE).order_by("-id")
    rows = rows.select_related("candidate").defer("candidate__bundle", "candidate__training")
    evaluations = list(reversed(rows[:SHOWN]))
    families = sorted({str(f["family"]) for e in evaluations for f in e.families})
    shown = [(e, figures) for e in evaluations if (figures := _figures(e, family))]
    tried = [e.candidate_id for e, _ in shown]
    served = set(agent.deployments.filter(candidate__in=tried).values_list("candidate", flat=True))
    train = _train_shares(tried, family)
    gates = [_gate(agent, e, f, e.candidate_id in served, train) for e, f in shown]
    rollbacks = _rollbacks(agent, [e for e, _ in shown])
    zero = agent.generation_zero
    first = next((f for e, f in shown if zero and e.champion_id == zero.pk), None)
    if zero is None or first is None:
        return HeldOut(gates, rollbacks, None, families)
    if shown[0][0].champion_id == zero.pk:
        gates.insert(0, _beginning(agent, zero, first))
        rollbacks = [replace(rollback, after=rollback.after + 1) for rollback in rollbacks]
    return HeldOut(gates, rollbacks, first["champion_score"], families)


def _beginning(agent: Agent, zero: Candidate, figures: dict[str, Any]) -> Gate:
    """Generation 0 as the first point: its score as the champion of the first gate."""
    score, n = figures["champion_score"], figures["n"]
    low, high = wilson(round(score * n), n)
    name, url = f"{agent.name}-{zero.number}", reverse("candidate", args=[zero.pk])
    return Gate(name, url, score, low, high, n, champion=None, answer="", served=True)


def _figures(evaluation: Evaluation, family: str) -> dict[str, Any] | None:
    """Scores and n: of the whole block or of one family; None where that has no items."""
    if not family:
        return {
            "candidate_score": evaluation.candidate_score,
            "champion_score": evaluation.champion_score,
            "n": evaluation.n,
        }
    rows = (row for row in evaluation.families if row["family"] == family and row["n"])
    return next(rows, None)


def _gate(
    agent: Agent, row: Evaluation, figures: dict[str, Any], served: bool, train: dict[int, float]
) -> Gate:
    score, n = figures["candidate_score"], figures["n"]
    low, high = wilson(round(score * n), n)
    return Gate(
        name=f"{agent.name}-{row.candidate.number}",
        url=reverse("candidate", args=[row.candidate_id]),
        score=score,
        low=low,
        high=high,
        n=n,
        champion=figures["champion_score"],
        answer=row.answer,
        served=served,
        train=train.get(row.candidate_id),
    )


def _train_shares(candidates: Sequence[int], family: str) -> dict[int, float]:
    """Of each candidate's judged training attempts, the share that passed."""
    rows = Trajectory.objects.filter(candidate__in=candidates, purpose=Purposes.COLLECT)
    if family:
        rows = rows.filter(family=family)
    counts = (
        rows.order_by()
        .values_list("candidate")
        .annotate(
            passed=Count("id", filter=Q(answer="pass")),
            judged=Count("id", filter=Q(answer__in=["pass", "fail"])),
        )
    )
    return {candidate: passed / judged for candidate, passed, judged in counts if judged}


def _rollbacks(agent: Agent, gates: Sequence[Evaluation]) -> list[Rollback]:
    """Each placed after the last gate that was measured before it."""
    if not gates:
        return []
    rows = Deployment.objects.filter(agent=agent, kind=DeploymentKinds.ROLLBACK)
    rows = rows.filter(created_at__gte=gates[0].created_at).select_related("candidate")
    return [
        Rollback(
            after=sum(gate.created_at <= row.created_at for gate in gates) - 1,
            to=f"{agent.name}-{row.candidate.number}",
            when=f"{row.created_at:%-d %B %Y %H:%M}",
        )
        for row in rows.order_by("id")
    ]
