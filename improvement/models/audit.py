"""The audit trail: who did what to which object, with before and after."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from improvement.models.base import AppendOnly


class AuditRow(AppendOnly):
    """One act. `actor` is empty for what the loop did by itself."""

    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True
    )
    agent = models.ForeignKey("improvement.Agent", on_delete=models.PROTECT, null=True, blank=True)
    verb = models.CharField(max_length=40)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=60)
    object_name = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["agent", "-id"])]

    def __str__(self) -> str:
        return f"{self.verb} {self.object_name}"

    @classmethod
    def record(
        cls,
        verb: str,
        thing: models.Model,
        *,
        actor: Any = None,
        reason: str = "",
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> AuditRow:
        """Add a row about `thing`; call it in the transaction that does the act."""
        agent = thing if thing._meta.model_name == "agent" else getattr(thing, "agent", None)
        return cls.objects.create(
            verb=verb,
            actor=actor,
            agent=agent,
            object_type=thing._meta.model_name or "",
            object_id=str(thing.pk),
            object_name=str(thing)[:200],
            reason=reason,
            before=before or {},
            after=after or {},
        )
