"""What `manage.py status` shows. Times are ISO 8601, shares are in [0, 1].

{"agents": [{"name", "title", "environment",
             "champion": {"name", "generation", "since"} or null,
             "hold": {"since", "reason"} or null,
             "candidates": [{"id", "name", "generation", "state", "created_at"}],
             "gates": [{"candidate", "champion", "answer", "reason", "n", "wins", "losses", "ties",
                        "missing", "champion_score", "candidate_score", "difference",
                        "interval": [low, high], "p_value", "e_value", "at"}],
             "verifiers": [{"name", "version", "digest", "licensed", "reason", "precision_low",
                            "labels"}],
             "warnings": [{"level", "candidate", "signal", "against", "sentence", "at"}],
             "runs": [{"id", "cycle", "state", "error", "seed", "cycles_left",
                       "stages": [{"name", "state", "attempt", "worker", "done", "total", "unit",
                                   "rate", "seconds_left", "note", "error"}]}]}],
 "queues": [{"name", "workers"}]}

Newest first; at most ten candidates, five gates and ten open warnings of an agent; its run at work
or its last one. `workers` is null when the queue does not answer.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from improvement.jobs import crew
from improvement.licences import licence_of
from improvement.models import Agent, Evaluation, EvaluationKinds, JunkReport, Run, Stage, Verifier

COUNTS = ("n", "wins", "losses", "ties", "missing")
SHARES = ("champion_score", "candidate_score", "difference", "p_value", "e_value")
OF_STAGE = ("name", "state", "attempt", "worker", "error")
OF_PROGRESS = ("done", "total", "unit", "rate", "seconds_left", "note")


def overview() -> dict[str, Any]:
    served = crew.served()
    return {
        "agents": [_agent(agent) for agent in Agent.objects.order_by("name")],
        "queues": [
            {"name": name, "workers": None if served is None else served.get(name, 0)}
            for name in settings.RQ_QUEUES
        ],
    }


def _agent(agent: Agent) -> dict[str, Any]:
    deployment, hold = agent.deployment, agent.hold
    champion = deployment and {
        "name": str(deployment.candidate),
        "generation": deployment.candidate.generation,
        "since": _time(deployment.created_at),
    }
    gates = Evaluation.objects.filter(agent=agent, kind=EvaluationKinds.GATE).order_by("-pk")
    warnings = agent.warnings.filter(acknowledged_at=None).select_related("candidate__agent")
    return {
        "name": agent.name,
        "title": agent.title,
        "environment": agent.environment,
        "champion": champion,
        "hold": hold and {"since": _time(hold.placed_at), "reason": hold.reason},
        "candidates": [
            {
                "id": candidate.pk,
                "name": str(candidate),
                "generation": candidate.generation,
                "state": candidate.state,
                "created_at": _time(candidate.created_at),
            }
            for candidate in agent.candidates.select_related("agent").order_by("-pk")[:10]
        ],
        "gates": [
            _gate(gate) for gate in gates.select_related("candidate__agent", "champion__agent")[:5]
        ],
        "verifiers": [_licence(agent, verifier) for verifier in _tried(agent)[:10]],
        "warnings": [
            {
                "level": warning.level,
                "candidate": str(warning.candidate),
                "signal": warning.signal,
                "against": warning.against,
                "sentence": warning.sentence,
                "at": _time(warning.created_at),
            }
            for warning in warnings.order_by("-pk")[:10]
        ],
        "runs": [_run(run) for run in agent.runs.order_by("-pk")[:1]],
    }


def _tried(agent: Agent) -> QuerySet[Verifier]:
    """The verifier versions that work for this agent, newest first."""
    reports = JunkReport.objects.filter(agent=agent).values("verifier")
    return Verifier.objects.filter(pk__in=reports).order_by("-pk")


def _licence(agent: Agent, verifier: Verifier) -> dict[str, Any]:
    licence = licence_of(agent, verifier)
    return {
        "name": verifier.name,
        "version": verifier.version,
        "digest": verifier.digest,
        "licensed": licence.valid,
        "reason": licence.reason,
        "precision_low": licence.low,
        "labels": licence.labels,
    }


def _gate(gate: Evaluation) -> dict[str, Any]:
    return {
        "candidate": str(gate.candidate),
        "champion": str(gate.champion),
        "answer": gate.answer,
        "reason": gate.reason,
        **{name: getattr(gate, name) for name in (*COUNTS, *SHARES)},
        "interval": [gate.low, gate.high],
        "at": _time(gate.created_at),
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.pk,
        "cycle": run.cycle,
        "state": run.state,
        "error": run.error,
        "seed": run.seed,
        "cycles_left": run.cycles_left,
        "stages": [_stage(stage) for stage in run.stages.order_by("position")],
    }


def _stage(stage: Stage) -> dict[str, Any]:
    fields = {name: getattr(stage, name) for name in OF_STAGE}
    return fields | {name: stage.progress.get(name) for name in OF_PROGRESS}


def _time(moment: datetime) -> str:
    return moment.isoformat()
