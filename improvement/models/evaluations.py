"""Evaluations: a candidate beside the champion, item by item."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from improvement.models.agents import Agent
from improvement.models.base import AppendOnly
from improvement.models.candidates import Candidate
from improvement.models.runs import Run
from improvement.models.tasks import Block, Task
from improvement.models.trajectories import Trajectory


class EvaluationKinds(models.TextChoices):
    SCREEN = "screen", "dev screen"
    GATE = "gate", "gate"


class Evaluation(AppendOnly):
    """The result of one comparison; shares in [0, 1], the interval is of the difference (95 %)."""

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="evaluations")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="evaluations")
    kind = models.CharField(max_length=8, choices=EvaluationKinds.choices)
    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="evaluations")
    champion = models.ForeignKey(
        Candidate, on_delete=models.PROTECT, related_name="evaluations_as_champion"
    )
    block = models.OneToOneField(
        Block, on_delete=models.PROTECT, null=True, blank=True, related_name="evaluation"
    )
    answer = models.CharField(max_length=12)
    reason = models.TextField()
    n = models.PositiveIntegerField()
    wins = models.PositiveIntegerField()
    losses = models.PositiveIntegerField()
    ties = models.PositiveIntegerField()
    missing = models.PositiveIntegerField()
    champion_score = models.FloatField()
    candidate_score = models.FloatField()
    difference = models.FloatField()
    low = models.FloatField()
    high = models.FloatField()
    p_value = models.FloatField()
    e_value = models.FloatField()
    families = models.JSONField(default=list)
    rule = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "kind"], name="evaluation_once"),
            models.CheckConstraint(
                condition=Q(answer__in=["pass", "fail", "insufficient"]),
                name="evaluation_answer_known",
            ),
            models.CheckConstraint(
                condition=~Q(kind="gate") | ~Q(block=None), name="gate_has_a_block"
            ),
        ]
        indexes = [models.Index(fields=["agent", "kind", "-id"])]

    def __str__(self) -> str:
        return f"{self.kind} of {self.candidate}"


class EvaluationItem(AppendOnly):
    """One item for both sides; None where there is no verdict."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.PROTECT, related_name="items")
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="evaluation_items")
    champion_trajectory = models.ForeignKey(
        Trajectory, on_delete=models.PROTECT, related_name="+", null=True
    )
    candidate_trajectory = models.ForeignKey(
        Trajectory, on_delete=models.PROTECT, related_name="+", null=True
    )
    champion_passed = models.BooleanField(null=True)
    candidate_passed = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["evaluation", "task"], name="evaluation_item_once")
        ]

    def __str__(self) -> str:
        return f"{self.task} in {self.evaluation_id}"

    @property
    def outcome(self) -> str:
        """ "win", "loss", "tie" or "missing", seen from the candidate."""
        if self.champion_passed is None or self.candidate_passed is None:
            return "missing"
        if self.champion_passed == self.candidate_passed:
            return "tie"
        return "win" if self.candidate_passed else "loss"
