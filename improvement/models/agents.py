"""Agents: what is being improved."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from improvement.models.candidates import Candidate
    from improvement.models.deployments import Deployment
    from improvement.models.signals import Hold


def new_secret() -> bytes:
    """32 random bytes: the key that sealed blocks are drawn with."""
    return secrets.token_bytes(32)


class AgentQuerySet(models.QuerySet["Agent"]):
    def named(self, name: str) -> Agent:
        """The agent of that name; `Agent.DoesNotExist` lists the names that there are."""
        agent = self.filter(name=name).first()
        if agent is None:
            names = ", ".join(self.order_by("name").values_list("name", flat=True)) or "none yet"
            raise Agent.DoesNotExist(f"There is no agent named {name!r}. Agents here: {names}.")
        return agent


class Agent(models.Model):
    """An agent with its environment, its recipe and its history.

    `recipe` overrides fields of `improvement.jobs.recipe.Recipe`; `environment` is a key of
    `settings.PAWL_ENVIRONMENTS`. With a `suite`, the tasks are the suite's instead of generated.
    """

    name = models.SlugField(unique=True, max_length=60)
    title = models.CharField(max_length=120)
    environment = models.CharField(max_length=60)
    suite = models.ForeignKey(
        "improvement.Suite", on_delete=models.PROTECT, null=True, blank=True, related_name="agents"
    )
    base_model = models.CharField(max_length=300)
    recipe = models.JSONField(default=dict, blank=True)
    block_secret = models.BinaryField(default=new_secret, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AgentQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def deployment(self) -> Deployment | None:
        """The deployment in force, with its candidate."""
        active = self.deployments.filter(ended_at=None)
        return active.select_related("candidate", "actor").first()

    @property
    def champion(self) -> Candidate | None:
        deployment = self.deployment
        return deployment.candidate if deployment else None

    @property
    def generation_zero(self) -> Candidate | None:
        return self.candidates.filter(generation=0).order_by("number").first()

    @property
    def hold(self) -> Hold | None:
        """The training brake that is on, if one is."""
        return self.holds.filter(released_at=None).first()
