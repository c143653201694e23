"""What earns a verifier the right to harvest and to gate, and takes it away again."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from improvement.models.agents import Agent
from improvement.models.base import AppendOnly
from improvement.models.verdicts import Verifier


class JunkReport(AppendOnly):
    """One run of the junk battery on a verifier version, over tasks of one agent.

    `rows`: a list of {kind, task, answer, expected, reason, output}; `passed` is false when any
    junk was let pass or the task's own gold was refused.
    """

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="junk_reports")
    verifier = models.ForeignKey(Verifier, on_delete=models.PROTECT, related_name="junk_reports")
    passed = models.BooleanField()
    rows = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["verifier", "agent", "-id"])]

    def __str__(self) -> str:
        return f"junk battery of {self.verifier} for {self.agent}"


class LicenceEvent(AppendOnly):
    """A licence granted or withdrawn; `low` is the lower bound of precision then, if known."""

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="licence_events")
    verifier = models.ForeignKey(Verifier, on_delete=models.PROTECT, related_name="licence_events")
    granted = models.BooleanField()
    reason = models.TextField()
    low = models.FloatField(null=True, blank=True)
    labels = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="licence_event_has_a_reason")
        ]
        indexes = [models.Index(fields=["agent", "verifier", "-id"])]

    def __str__(self) -> str:
        return f"licence of {self.verifier} for {self.agent}"
