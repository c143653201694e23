"""Signals, the warnings they raise, and the holds that warnings place."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from improvement.models.agents import Agent
from improvement.models.base import AppendOnly
from improvement.models.candidates import Candidate


class Signal(AppendOnly):
    """One measured quantity of one candidate, with its interval (95 %)."""

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="signals")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="signals")
    name = models.CharField(max_length=40)
    value = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    n = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["candidate", "name"], name="signal_once")]

    def __str__(self) -> str:
        return f"{self.name} of {self.candidate}"


class Warning(models.Model):
    """A breach of a limit, with its evidence."""

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="warnings")
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="warnings")
    signal = models.CharField(max_length=40)
    against = models.CharField(max_length=20)
    level = models.CharField(max_length=5, choices=[("amber", "amber"), ("red", "red")])
    value = models.FloatField()
    baseline = models.FloatField()
    limit = models.FloatField()
    sentence = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True
    )
    acknowledged_because = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["candidate", "signal", "against"], name="warning_once")
        ]
        indexes = [models.Index(fields=["agent", "-id"])]

    def __str__(self) -> str:
        return f"{self.level} {self.signal} of {self.candidate}"


class Hold(models.Model):
    """The training brake of an agent: no new run starts until a person releases it."""

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="holds")
    warning = models.ForeignKey(Warning, on_delete=models.PROTECT, null=True, blank=True)
    reason = models.TextField()
    placed_at = models.DateTimeField(auto_now_add=True)
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="holds_placed",
    )
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="holds_released",
    )
    released_because = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agent"], condition=Q(released_at=None), name="one_hold_per_agent"
            )
        ]

    def __str__(self) -> str:
        return f"hold on {self.agent}"
