"""The answers of held-out tasks: a table that only the evaluation role can read.

The database itself enforces it (row-level security, forced on the owner too): a query outside
`evaluation_role()` sees no row, whichever page, export or command makes it. Limit: whoever holds
the database password can take the role on purpose; this guards against leaks, not against them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, models, transaction

from improvement.models.tasks import Splits, Task


class SealedAnswer(models.Model):
    """The reference of one held-out task."""

    task = models.OneToOneField(
        Task, on_delete=models.CASCADE, related_name="sealed_answer", primary_key=True
    )
    reference = models.JSONField()

    def __str__(self) -> str:
        return f"sealed answer of {self.task_id}"


@contextmanager
def evaluation_role() -> Iterator[None]:
    """A transaction in which sealed answers can be read."""
    with transaction.atomic():
        _take("evaluation")
        yield
        _take("")


def answers_of(tasks: Sequence[Task]) -> dict[int, Mapping[str, Any]]:
    """Task id → reference, for the held-out ones among `tasks`. For evaluation alone: nothing
    that this returns may reach a page, an export, an API or a log while the block is sealed."""
    wanted = [task.pk for task in tasks if task.split == Splits.HELDOUT]
    if not wanted:
        return {}
    with evaluation_role():
        rows = SealedAnswer.objects.filter(task__in=wanted)
        return dict(rows.values_list("task_id", "reference"))


def _take(role: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pawl.role', %s, true)", [role])
