"""The agents that come with Pawl. `improve NAME` makes one on its first use.

The coder's recipe is small, because its tasks are: 24 held-out functions a block (docs/coder.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from improvement.jobs.agents import create_agent
from improvement.models import Agent


@dataclass(frozen=True, slots=True)
class Shipped:
    """An agent's title and environment, and what of its recipe differs from the defaults."""

    title: str
    environment: str
    recipe: Mapping[str, Any] = field(default_factory=dict)


CODER: dict[str, Any] = {
    "harvest_verifier": "task",
    "gate_verifier": "task",
    "collect_tasks": 24,
    "collect_samples": 4,
    "collect_temperature": 0.8,
    # a dozen solved functions a cycle: people's share from the first level on, and few, small steps
    "human_draws": 8,
    "human_share": {"1": 0.3, "2": 0.3, "3": 0.3},
    "train": {
        "batch": 4,
        "epochs": 3.0,
        "min_steps": 16,
        "max_steps": 60,
        "learning_rate": 2e-4,
    },
    "dev_tasks": 8,
    "probe_tasks": 8,
    "probe_samples": 4,
    "probe_temperature": 0.8,
    "gate_tasks": 24,
    "gate_min_items": 20,
}
SHIPPED: dict[str, Shipped] = {
    "till": Shipped("The till", "till"),
    "coder": Shipped("The coder", "coder", CODER),
}


def agent_named(name: str, actor: Any = None) -> Agent:
    """The agent of that name; one that is shipped is made where it is not there yet.

    Agent.DoesNotExist names the agents that there are.
    """
    known = SHIPPED.get(name)
    if known is None or Agent.objects.filter(name=name).exists():
        return Agent.objects.named(name)
    return create_agent(
        name, title=known.title, environment=known.environment, recipe=known.recipe, actor=actor
    )


def recipe_for(environment: str | None) -> dict[str, Any]:
    """What the recipe of an agent in this environment begins with: that of the shipped one."""
    return next((dict(s.recipe) for s in SHIPPED.values() if s.environment == environment), {})
