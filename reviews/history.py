"""What served when: the deployments of agents, a fixed number of queries for any number of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from improvement.models import Agent, Candidate, Deployment, DeploymentKinds
from improvement.promotion import rollback_target

SHOWN = 40
REASONS = (
    "Worse answers seen in use",
    "Too slow or too costly",
    "A warning came up after the approval",
    "Approved by mistake",
    "Trying out the rollback",
)


@dataclass(frozen=True, slots=True)
class History:
    """The newest deployments of one agent; `earlier` is what a rollback would make serve."""

    agent: Agent
    current: Deployment | None
    earlier: Candidate | None
    rows: Sequence[Deployment]


def histories(agents: Iterable[Agent]) -> list[History]:
    """One for each agent, in the order given."""
    wanted = list(agents)
    rows = _newest(wanted)
    return [_history(agent, rows[agent.pk]) for agent in wanted]


def _newest(agents: Sequence[Agent]) -> defaultdict[int, list[Deployment]]:
    rank = Window(RowNumber(), partition_by=F("agent_id"), order_by=F("id").desc())
    rows = Deployment.objects.filter(agent__in=agents).annotate(rank=rank).filter(rank__lte=SHOWN)
    rows = rows.select_related("candidate", "actor", "agent").order_by("-id")
    found: defaultdict[int, list[Deployment]] = defaultdict(list)
    for row in rows.defer("candidate__bundle", "candidate__training"):
        row.candidate.agent = row.agent  # its name is the agent's and a number
        found[row.agent_id].append(row)
    return found


def _history(agent: Agent, rows: Sequence[Deployment]) -> History:
    current = next((row for row in rows if row.ended_at is None), None)
    earlier = _earlier(current, rows) if current else None
    return History(agent, current, earlier, rows)


def _earlier(current: Deployment, rows: Sequence[Deployment]) -> Candidate | None:
    """`promotion.rollback_target` from rows at hand; asks the database where they don't reach."""
    for place, row in enumerate(rows):
        own = row.candidate_id == current.candidate_id
        if own and row.kind != DeploymentKinds.ROLLBACK:
            if place + 1 < len(rows):
                return rows[place + 1].candidate
            break
    if len(rows) < SHOWN:
        return None
    return rollback_target(current)
