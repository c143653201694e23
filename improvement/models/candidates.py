"""Datasets and the candidates trained on them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from improvement.models.agents import Agent
from improvement.models.base import AppendOnly
from improvement.models.runs import Run
from improvement.models.trajectories import Trajectory
from improvement.records import Bundle


class Dataset(AppendOnly):
    """A frozen training manifest: what went in, in what mix, what was dropped and why."""

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="datasets")
    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="dataset")
    digest = models.CharField(max_length=64)
    manifest = models.JSONField()
    own = models.PositiveIntegerField()
    human = models.PositiveIntegerField()
    dropped = models.PositiveIntegerField()
    self_generated_share = models.FloatField()
    contaminated = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"dataset {self.digest[:12]}"


class DatasetItem(AppendOnly):
    """An entry of a manifest, kept or dropped: the link from an adapter to its trajectories."""

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="items")
    trajectory = models.ForeignKey(
        Trajectory,
        on_delete=models.PROTECT,
        related_name="dataset_items",
        null=True,
        blank=True,
    )
    key = models.CharField(max_length=120)
    source = models.CharField(max_length=10)
    weight = models.FloatField(default=1)
    dropped_because = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "key"], name="dataset_item_once")]

    def __str__(self) -> str:
        return self.key


class CandidateStates(models.TextChoices):
    BASE = "base", "generation 0"
    TRAINED = "trained", "trained"
    SCREENED = "screened", "screened"
    FROZEN = "frozen", "frozen"
    REVIEW = "review", "awaiting review"
    NOT_PASSED = "not_passed", "gate not passed"
    APPROVED = "approved", "approved"
    REJECTED = "rejected", "rejected"
    CHANGES = "changes", "changes requested"


class Candidate(models.Model):
    """An immutable bundle that could be deployed. After `frozen_at` only `state` may change."""

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="candidates")
    number = models.PositiveIntegerField()
    generation = models.PositiveIntegerField()
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    run = models.OneToOneField(
        Run, on_delete=models.PROTECT, related_name="candidate", null=True, blank=True
    )
    dataset = models.ForeignKey(
        Dataset, on_delete=models.PROTECT, related_name="candidates", null=True, blank=True
    )
    bundle = models.JSONField()
    bundle_digest = models.CharField(max_length=64)
    adapter_digest = models.CharField(max_length=64, blank=True)
    training = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=CandidateStates.choices)
    version = models.PositiveIntegerField(default=0)
    proposer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)
    frozen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agent", "number"], name="candidate_number_unique"),
            models.CheckConstraint(
                condition=Q(state__in=["base", "trained", "screened"]) | ~Q(frozen_at=None),
                name="candidate_frozen_before_gate",
            ),
        ]
        indexes = [models.Index(fields=["agent", "state", "-id"])]

    def __str__(self) -> str:
        return f"{self.agent.name}-{self.number}"

    def as_bundle(self) -> Bundle:
        return Bundle.from_json(self.bundle)
