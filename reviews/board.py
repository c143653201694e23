"""What the home page shows of each agent: a fixed number of queries for any number of agents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber

from improvement.models import (
    Agent,
    Candidate,
    CandidateStates,
    Deployment,
    Evaluation,
    EvaluationKinds,
    Hold,
    Run,
    RunStates,
    Warning,
)
from reviews.charts.inline import Point
from reviews.history import History, histories
from reviews.progress import RunView, run_view
from reviews.scores import champion_score, trend

T = TypeVar("T", Candidate, Evaluation, Hold, Run)
GATES_SHOWN = 30


@dataclass(frozen=True, slots=True)
class AgentCard:
    """One agent at a glance. `score` is the champion's newest held-out share with its interval;
    `earlier` is what a rollback would make serve."""

    agent: Agent
    deployment: Deployment | None
    earlier: Candidate | None
    score: tuple[float, float, float] | None
    trend: Sequence[Point]
    waiting: Sequence[Candidate]
    amber: int
    red: int
    hold: Hold | None
    running: RunView | None
    last: RunView | None


def cards() -> list[AgentCard]:
    """All agents by name."""
    agents = list(Agent.objects.order_by("name"))
    served_by = {history.agent.pk: history for history in histories(agents)}
    gates = _by_agent(_recent_gates())
    tried = {gate.candidate_id for of_agent in gates.values() for gate in of_agent}
    served = set(
        Deployment.objects.filter(candidate__in=tried).values_list("candidate_id", flat=True)
    )
    unread = ("bundle", "training")
    waiting = _by_agent(
        Candidate.objects.filter(state=CandidateStates.REVIEW).defer(*unread).order_by("number")
    )
    open_warnings = Warning.objects.filter(acknowledged_at=None).order_by()
    counts = open_warnings.values_list("agent_id", "level").annotate(Count("id"))
    warnings = {(agent, level): count for agent, level, count in counts}
    holds = _by_agent(Hold.objects.filter(released_at=None))
    runs = _by_agent(
        Run.objects.order_by("agent_id", "-id").distinct("agent_id").prefetch_related("stages")
    )
    return [
        _card(
            agent,
            served_by[agent.pk],
            gates[agent.pk],
            waiting[agent.pk],
            (warnings.get((agent.pk, "amber"), 0), warnings.get((agent.pk, "red"), 0)),
            next(iter(holds[agent.pk]), None),
            next(iter(runs[agent.pk]), None),
            served,
        )
        for agent in agents
    ]


def _card(
    agent: Agent,
    history: History,
    gates: list[Evaluation],
    waiting: list[Candidate],
    warnings: tuple[int, int],
    hold: Hold | None,
    run: Run | None,
    served: set[int],
) -> AgentCard:
    if run is not None:
        run.agent = agent
    view = run_view(run) if run else None
    active = run is not None and run.active
    ended_badly = run is not None and run.state == RunStates.FAILED
    return AgentCard(
        agent=agent,
        deployment=history.current,
        earlier=history.earlier,
        score=champion_score(history.current, gates),
        trend=trend(agent, gates, served),
        waiting=waiting,
        amber=warnings[0],
        red=warnings[1],
        hold=hold,
        running=view if active else None,
        last=view if ended_badly else None,
    )


def _by_agent(rows: Iterable[T]) -> defaultdict[int, list[T]]:
    found: defaultdict[int, list[T]] = defaultdict(list)
    for row in rows:
        found[row.agent_id].append(row)
    return found


def _recent_gates() -> Iterable[Evaluation]:
    """The newest gates of each agent, oldest first."""
    rank = Window(RowNumber(), partition_by=F("agent_id"), order_by=F("id").desc())
    gates = Evaluation.objects.filter(kind=EvaluationKinds.GATE)
    return (
        gates.annotate(rank=rank)
        .filter(rank__lte=GATES_SHOWN)
        .select_related("candidate", "champion")
        .defer(
            "families",
            "rule",
            "candidate__bundle",
            "candidate__training",
            "champion__bundle",
            "champion__training",
        )
        .order_by("id")
    )
