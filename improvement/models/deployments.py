"""Deployments: which candidate serves. Written only by `improvement.promotion`."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from improvement.models.agents import Agent
from improvement.models.candidates import Candidate


class DeploymentKinds(models.TextChoices):
    INITIAL = "initial", "first deployment"
    PROMOTION = "promotion", "promotion"
    ROLLBACK = "rollback", "rollback"


class Deployment(models.Model):
    """A row that makes a candidate champion. Only `ended_at` may change, once (a trigger)."""

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="deployments")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="deployments")
    kind = models.CharField(max_length=10, choices=DeploymentKinds.choices)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True
    )
    reason = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["agent"], condition=Q(ended_at=None), name="one_champion_per_agent"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.candidate}"
