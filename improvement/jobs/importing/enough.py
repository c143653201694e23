"""Whether a suite holds what a run needs: said before a run spends hours, not after."""

from __future__ import annotations

from collections.abc import Iterator

from improvement.collapse.limits import Limits
from improvement.jobs.recipe import Recipe
from improvement.models import Splits, Suite


def lacks(suite: Suite, recipe: Recipe) -> Iterator[str]:
    """A sentence for everything that a run over `suite` would stop at."""
    if not suite.tasks.filter(split=Splits.TRAIN).exists():
        yield f"Suite {suite} has no train tasks to learn from."
    dev, probed = suite.tasks.filter(split=Splits.DEV).count(), Limits().min_tasks
    if dev < probed:
        yield f"Suite {suite} has {dev} dev tasks, and the collapse signals need {probed}."
    unused = suite.tasks.filter(split=Splits.HELDOUT, block=None)
    unlike = unused.values("cluster").distinct().count()
    if unlike < recipe.gate_min_items:
        yield (
            f"Suite {suite} has {unlike} unlike held-out tasks, and a gate needs "
            f"{recipe.gate_min_items} (gate_min_items)."
        )
