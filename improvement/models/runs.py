"""Runs, their stages and the outbox: the database is the truth, RQ is the doorbell."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from improvement.models.agents import Agent


class RunStates(models.TextChoices):
    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    REVIEW = "review", "awaiting review"
    DONE = "done", "done"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


class StageStates(models.TextChoices):
    PENDING = "pending", "pending"
    READY = "ready", "queued"
    RUNNING = "running", "running"
    DONE = "done", "done"
    QUARANTINED = "quarantined", "quarantined"
    CANCELLED = "cancelled", "cancelled"


class Run(models.Model):
    """One execution of the loop for one agent. `judge_calls` and `judge_tokens` count what model
    judges have used of the run's budget."""

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="runs")
    kind = models.CharField(max_length=20, default="improve")
    cycle = models.PositiveIntegerField()
    cycles_left = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=12, choices=RunStates.choices, default=RunStates.QUEUED)
    seed = models.BigIntegerField(default=0)
    recipe = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    judge_calls = models.PositiveIntegerField(default=0)
    judge_tokens = models.PositiveIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    launched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agent", "cycle"], name="run_cycle_unique"),
            models.UniqueConstraint(
                fields=["agent"],
                condition=Q(state__in=["queued", "running"]),
                name="run_one_at_a_time",
            ),
        ]
        indexes = [models.Index(fields=["agent", "-id"])]

    def __str__(self) -> str:
        return f"{self.agent} cycle {self.cycle}"

    @property
    def active(self) -> bool:
        return self.state in (RunStates.QUEUED, RunStates.RUNNING)


class Stage(models.Model):
    """One step of a run. `fence` rises with each claim; writes carry `WHERE fence = mine`."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="stages")
    name = models.CharField(max_length=20)
    position = models.PositiveSmallIntegerField()
    queue = models.CharField(max_length=20)
    state = models.CharField(
        max_length=12, choices=StageStates.choices, default=StageStates.PENDING
    )
    attempt = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=5)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=120, blank=True)
    input_digest = models.CharField(max_length=64, blank=True)
    output_digest = models.CharField(max_length=64, blank=True)
    result = models.JSONField(default=dict)
    progress = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["run_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "name"], name="stage_unique"),
            models.UniqueConstraint(fields=["run", "position"], name="stage_position_unique"),
            models.CheckConstraint(
                condition=Q(attempt__lte=F("max_attempts")), name="stage_attempts_bounded"
            ),
        ]
        indexes = [
            models.Index(
                fields=["state", "lease_until"],
                name="stage_open",
                condition=Q(state__in=["ready", "running"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.run} {self.name}"


class Doorbell(models.Model):
    """The outbox: a row here, written in the transaction that made the stage ready, is rung."""

    stage = models.ForeignKey(Stage, on_delete=models.CASCADE, related_name="doorbells")
    created_at = models.DateTimeField(auto_now_add=True)
    rung_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["id"], name="doorbell_waiting", condition=Q(rung_at=None))]

    def __str__(self) -> str:
        return f"doorbell of {self.stage}"
