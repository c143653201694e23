"""Tasks, and the sealed blocks that held-out tasks are drawn in."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from improvement.models.agents import Agent
from improvement.records import TaskRecord


class Splits(models.TextChoices):
    TRAIN = "train", "train"
    DEV = "dev", "dev"
    HELDOUT = "heldout", "held-out"


class Block(models.Model):
    """Held-out tasks for one gate, drawn after the candidate was frozen, then burnt.

    `manifest_digest` covers every item in canonical JSON; it is logged when the block is sealed
    and checked again when the block is used.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="blocks")
    candidate = models.ForeignKey(
        "improvement.Candidate", on_delete=models.PROTECT, related_name="blocks"
    )
    seed_digest = models.CharField(max_length=64)
    manifest_digest = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    sealed_at = models.DateTimeField(auto_now_add=True)
    burnt_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"block {self.id} of {self.agent}"


class TaskQuerySet(models.QuerySet["Task"]):
    def visible(self) -> TaskQuerySet:
        """Tasks that a page, export or API may show: not those of a sealed, unburnt block."""
        return self.exclude(Q(split=Splits.HELDOUT) & Q(block__burnt_at=None))


class Task(models.Model):
    """One problem. The database keeps a fingerprint in one split only (unique per agent)."""

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="tasks")
    key = models.CharField(max_length=120)
    family = models.CharField(max_length=60)
    level = models.PositiveSmallIntegerField(default=1)
    split = models.CharField(max_length=8, choices=Splits.choices)
    prompt = models.TextField()
    reference = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=64)
    block = models.ForeignKey(
        Block, on_delete=models.PROTECT, related_name="tasks", null=True, blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agent", "key"], name="task_key_unique"),
            models.UniqueConstraint(fields=["agent", "fingerprint"], name="task_one_split"),
            models.CheckConstraint(
                condition=Q(split__in=Splits.values), name="task_split_known"
            ),
            models.CheckConstraint(
                condition=Q(block=None) | Q(split="heldout"), name="task_block_is_heldout"
            ),
        ]
        indexes = [models.Index(fields=["agent", "split", "family", "id"])]

    def __str__(self) -> str:
        return self.key

    @property
    def sealed(self) -> bool:
        if self.split != Splits.HELDOUT:
            return False
        return self.block is None or self.block.burnt_at is None

    def as_record(self) -> TaskRecord:
        return TaskRecord(
            key=self.key,
            family=self.family,
            level=self.level,
            split=self.split,  # type: ignore[arg-type]
            prompt=self.prompt,
            reference=self.reference,
            fingerprint=self.fingerprint,
        )
