"""Suites, tasks, and the sealed blocks that held-out tasks are drawn in."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models import Q

from improvement.models.agents import Agent
from improvement.records import TaskRecord


class Splits(models.TextChoices):
    TRAIN = "train", "train"
    DEV = "dev", "dev"
    HELDOUT = "heldout", "held-out"


class Suite(models.Model):
    """A named collection of imported or generated tasks; agents may share one.

    `verifier` is the specification for tasks that name none themselves; `system_prompt` is what
    an agent over this suite is told.
    """

    name = models.SlugField(unique=True, max_length=60)
    title = models.CharField(max_length=120, blank=True)
    verifier = models.JSONField(default=dict, blank=True)
    system_prompt = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


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

    def of(self, agent: Agent) -> TaskQuerySet:
        """The agent's own tasks and those of its suite."""
        if agent.suite_id is None:
            return self.filter(agent=agent)
        return self.filter(Q(agent=agent) | Q(suite=agent.suite_id))


class Task(models.Model):
    """One problem of an agent or of a suite. The database keeps a fingerprint in one split only.

    A held-out task keeps its reference in `SealedAnswer`; `reference` is empty there.
    """

    agent = models.ForeignKey(
        Agent, on_delete=models.PROTECT, related_name="tasks", null=True, blank=True
    )
    suite = models.ForeignKey(
        Suite, on_delete=models.PROTECT, related_name="tasks", null=True, blank=True
    )
    key = models.CharField(max_length=120)
    family = models.CharField(max_length=60)
    level = models.PositiveSmallIntegerField(default=1)
    split = models.CharField(max_length=8, choices=Splits.choices)
    prompt = models.TextField()
    reference = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=64)
    verifier = models.JSONField(default=dict, blank=True)
    cluster = models.CharField(max_length=64, blank=True)
    block = models.ForeignKey(
        Block, on_delete=models.PROTECT, related_name="tasks", null=True, blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agent", "key"], name="task_key_unique"),
            models.UniqueConstraint(fields=["agent", "fingerprint"], name="task_one_split"),
            models.UniqueConstraint(fields=["suite", "key"], name="suite_task_key_unique"),
            models.UniqueConstraint(fields=["suite", "fingerprint"], name="suite_task_one_split"),
            models.CheckConstraint(
                condition=Q(agent=None) ^ Q(suite=None), name="task_of_agent_or_suite"
            ),
            models.CheckConstraint(
                condition=~Q(split="heldout") | Q(reference={}), name="task_heldout_is_sealed"
            ),
            models.CheckConstraint(condition=Q(split__in=Splits.values), name="task_split_known"),
            models.CheckConstraint(
                condition=Q(block=None) | Q(split="heldout"), name="task_block_is_heldout"
            ),
        ]
        indexes = [
            models.Index(fields=["agent", "split", "family", "id"]),
            models.Index(fields=["suite", "split", "family", "id"]),
            models.Index(fields=["suite", "cluster"]),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def sealed(self) -> bool:
        if self.split != Splits.HELDOUT:
            return False
        return self.block is None or self.block.burnt_at is None

    def as_record(self, answers: Mapping[int, Mapping[str, Any]] | None = None) -> TaskRecord:
        """The record; a held-out task takes its reference from `answers` (by task id), which
        `improvement.models.sealed.answers_of` reads for the evaluation role alone."""
        reference = (answers or {}).get(self.pk, self.reference)
        return TaskRecord(
            key=self.key,
            family=self.family,
            level=self.level,
            split=self.split,  # type: ignore[arg-type]
            prompt=self.prompt,
            reference=reference,
            fingerprint=self.fingerprint,
            verifier=self.verifier,
            cluster=self.cluster,
        )
