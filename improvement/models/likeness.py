"""MinHash signatures of imported tasks: near-duplicates are found in the database, so that an
import of any length needs no more memory than a short one."""

from __future__ import annotations

from django.db import models

from improvement.models.tasks import Suite, Task


class TaskSignature(models.Model):
    """The MinHash signature of a task's prompt (uint32, little-endian)."""

    task = models.OneToOneField(
        Task, on_delete=models.CASCADE, related_name="signature", primary_key=True
    )
    minhash = models.BinaryField()

    def __str__(self) -> str:
        return f"signature of {self.task_id}"


class TaskBand(models.Model):
    """One LSH band of a signature: tasks that share a band may be near-duplicates."""

    suite = models.ForeignKey(Suite, on_delete=models.CASCADE, related_name="bands")
    key = models.BigIntegerField()
    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="bands")

    class Meta:
        indexes = [models.Index(fields=["suite", "key"])]

    def __str__(self) -> str:
        return f"band of {self.task_id}"
