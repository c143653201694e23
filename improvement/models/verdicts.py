"""Verifiers and their verdicts."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from improvement.models.base import AppendOnly
from improvement.models.trajectories import Trajectory


class Verifier(models.Model):
    """A verifier in one version: `digest` covers its code version, settings, model and rubric.

    A deterministic one starts licensed by a passed junk battery; others by people's labels alone.
    """

    name = models.CharField(max_length=60)
    deterministic = models.BooleanField(default=True)
    version = models.CharField(max_length=20)
    settings = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Verdict(AppendOnly):
    """One verifier's judgement of one trajectory. An error has no score."""

    trajectory = models.ForeignKey(Trajectory, on_delete=models.PROTECT, related_name="verdicts")
    verifier = models.ForeignKey(Verifier, on_delete=models.PROTECT, related_name="verdicts")
    answer = models.CharField(max_length=5)
    score = models.FloatField(null=True, blank=True)
    evidence = models.JSONField(default=dict)
    latency_ms = models.FloatField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trajectory", "verifier"], name="verdict_once"),
            models.CheckConstraint(
                condition=Q(answer__in=["pass", "fail", "error"]), name="verdict_answer_known"
            ),
            models.CheckConstraint(
                condition=(Q(answer="error") & Q(score=None))
                | (~Q(answer="error") & Q(score__gte=0) & Q(score__lte=1)),
                name="verdict_error_has_no_score",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.answer} by {self.verifier}"
