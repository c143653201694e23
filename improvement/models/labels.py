"""People's blind labels: what the reliability of a verifier is measured with."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from improvement.models.agents import Agent
from improvement.models.base import AppendOnly
from improvement.models.trajectories import Trajectory
from improvement.models.verdicts import Verifier


class LabelAnswers(models.TextChoices):
    RIGHT = "right", "right"
    WRONG = "wrong", "wrong"
    UNSURE = "unsure", "can't tell"


class LabelItem(models.Model):
    """One attempt drawn for labelling. `answer`, `family` and `disagreement` are its stratum;
    `weight` is how many attempts of the stratum it stands for. `second`: two people label it.
    `decides`: the verifier left the verdict to a person, so the label becomes a verdict."""

    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="label_items")
    verifier = models.ForeignKey(Verifier, on_delete=models.PROTECT, related_name="label_items")
    trajectory = models.ForeignKey(Trajectory, on_delete=models.PROTECT, related_name="label_items")
    answer = models.CharField(max_length=5)
    family = models.CharField(max_length=60)
    disagreement = models.BooleanField(default=False)
    weight = models.FloatField(default=1)
    second = models.BooleanField(default=False)
    decides = models.BooleanField(default=False)
    reserved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="label_reservations",
    )
    reserved_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["verifier", "trajectory"], name="label_item_once")
        ]
        indexes = [models.Index(fields=["agent", "verifier", "id"])]

    def __str__(self) -> str:
        return f"label item {self.pk}"


class Label(AppendOnly):
    """What one person said of one item, before seeing the verifier's answer."""

    item = models.ForeignKey(LabelItem, on_delete=models.PROTECT, related_name="labels")
    labeller = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="labels"
    )
    answer = models.CharField(max_length=6, choices=LabelAnswers.choices)
    note = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "labeller"], name="label_once_per_person"),
            models.CheckConstraint(
                condition=Q(answer__in=["right", "wrong", "unsure"]), name="label_answer_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.answer} on item {self.item_id}"
