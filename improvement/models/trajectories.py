"""Trajectories, their steps, and their tokens (packed: never read by a list page)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from improvement.models.agents import Agent
from improvement.models.runs import Run
from improvement.models.tasks import Splits, Task


class Purposes(models.TextChoices):
    COLLECT = "collect", "collected"
    DEV = "dev", "dev set"
    PROBE = "probe", "probe"
    GATE = "gate", "gate"


class Answers(models.TextChoices):
    UNVERIFIED = "unverified", "unverified"
    PASS = "pass", "pass"
    FAIL = "fail", "fail"
    ERROR = "error", "error"


class TrajectoryQuerySet(models.QuerySet["Trajectory"]):
    def visible(self) -> TrajectoryQuerySet:
        """Without the attempts at held-out tasks whose block is still sealed."""
        return self.exclude(Q(split=Splits.HELDOUT) & Q(task__block__burnt_at=None))

    def for_list(self) -> TrajectoryQuerySet:
        return self.visible().select_related("agent", "task", "candidate").order_by("-id")


class Trajectory(models.Model):
    """One attempt at one task. `answer` repeats the latest verdict, so that lists can filter."""

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="trajectories")
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="trajectories")
    candidate = models.ForeignKey(
        "improvement.Candidate", on_delete=models.PROTECT, related_name="trajectories"
    )
    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, related_name="trajectories", null=True, blank=True
    )
    purpose = models.CharField(max_length=8, choices=Purposes.choices)
    family = models.CharField(max_length=60)
    level = models.PositiveSmallIntegerField()
    split = models.CharField(max_length=8, choices=Splits.choices)
    sample = models.PositiveIntegerField()
    outcome = models.CharField(max_length=20)
    final_answer = models.TextField(blank=True)
    clipped = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    answer = models.CharField(max_length=10, choices=Answers.choices, default=Answers.UNVERIFIED)
    steps_count = models.PositiveIntegerField()
    sampled_tokens = models.PositiveIntegerField()
    read_tokens = models.PositiveIntegerField()
    latency_ms = models.FloatField()
    seed = models.BigIntegerField()
    sampling = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TrajectoryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "trajectories"
        constraints = [
            models.UniqueConstraint(
                fields=["run", "purpose", "candidate", "task", "sample"],
                name="trajectory_once",
                nulls_distinct=False,
            )
        ]
        indexes = [
            models.Index(fields=["agent", "-id"]),
            models.Index(fields=["agent", "answer", "-id"]),
            models.Index(fields=["candidate", "purpose"]),
        ]

    def __str__(self) -> str:
        return f"trajectory {self.pk}"


class Step(models.Model):
    """One step of a trajectory, as a person reads it."""

    trajectory = models.ForeignKey(Trajectory, on_delete=models.CASCADE, related_name="steps")
    index = models.PositiveIntegerField()
    kind = models.CharField(max_length=12)
    content = models.TextField(blank=True)
    tool = models.CharField(max_length=120, blank=True)
    arguments = models.TextField(blank=True)
    error = models.TextField(blank=True)
    latency_ms = models.FloatField(default=0)
    tokens = models.PositiveIntegerField(default=0)
    sampled = models.BooleanField(default=False)

    class Meta:
        ordering = ["trajectory_id", "index"]
        constraints = [models.UniqueConstraint(fields=["trajectory", "index"], name="step_once")]

    def __str__(self) -> str:
        return f"step {self.index} of {self.trajectory_id}"


class Tokens(models.Model):
    """The token ids of a trajectory with what the policy sampled.

    `segments` lists [role, length, sampled] in reading order; `token_ids` packs all ids as
    little-endian int32; `logprobs` and `entropies` pack float32 for the sampled ids alone.
    """

    trajectory = models.OneToOneField(
        Trajectory, on_delete=models.CASCADE, related_name="tokens", primary_key=True
    )
    segments = models.JSONField()
    token_ids = models.BinaryField()
    logprobs = models.BinaryField()
    entropies = models.BinaryField()

    class Meta:
        verbose_name_plural = "tokens"

    def __str__(self) -> str:
        return f"tokens of {self.trajectory_id}"
