"""A person's decision about a candidate."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from improvement.models import Candidate
from improvement.models.base import AppendOnly


class Decisions(models.TextChoices):
    APPROVE = "approve", "approved"
    REJECT = "reject", "rejected"
    CHANGES = "changes", "changes requested"


class Review(AppendOnly):
    """One decision, bound to the digest of all that the reviewer saw.

    `proposer` repeats the candidate's, so that the database itself refuses the author.
    """

    candidate = models.ForeignKey(Candidate, on_delete=models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviews"
    )
    proposer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="reviews_of_own",
        null=True,
        blank=True,
    )
    decision = models.CharField(max_length=8, choices=Decisions.choices)
    reason = models.TextField()
    evidence_digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["candidate", "reviewer"], name="review_once_per_person"
            ),
            models.UniqueConstraint(
                fields=["candidate"],
                condition=Q(decision__in=["approve", "reject"]),
                name="one_final_decision",
            ),
            models.CheckConstraint(
                condition=Q(proposer=None) | ~Q(reviewer=F("proposer")),
                name="reviewer_is_not_proposer",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="review_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.decision} of {self.candidate} by {self.reviewer}"
