"""The paired items of a gate: filtered by outcome and family, losses first, a page by key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, F, Q, QuerySet, Value, When
from django.http import QueryDict

from improvement.models import Evaluation, EvaluationItem, Splits
from reviews.sent import text

OUTCOMES = ("loss", "win", "tie", "missing")
SIZE = 25


@dataclass(frozen=True, slots=True)
class PairPage:
    """Rows in reading order; `after` is the key of the next page, or ""."""

    rows: Sequence[EvaluationItem]
    after: str
    show: str
    family: str


def visible_items(evaluation: Evaluation) -> QuerySet[Any]:
    """Items with `rank` (0 loss, 1 win, 2 tie, 3 missing), losses first. A block that is still
    sealed shows none."""
    passed, failed = Q(candidate_passed=True), Q(candidate_passed=False)
    rank = Case(
        When(failed & Q(champion_passed=True), then=Value(0)),
        When(passed & Q(champion_passed=False), then=Value(1)),
        When(Q(champion_passed=F("candidate_passed")), then=Value(2)),
        default=Value(3),
    )
    sealed = Q(task__split=Splits.HELDOUT) & Q(task__block__burnt_at=None)
    items = EvaluationItem.objects.filter(evaluation=evaluation).exclude(sealed)
    related = ("task", "champion_trajectory", "candidate_trajectory")
    return items.annotate(rank=rank).select_related(*related).order_by("rank", "id")


def pair_page(evaluation: Evaluation, sent: QueryDict) -> PairPage:
    """The page that `show`, `family` and `after` ("rank-id") ask for; nonsense means the first."""
    show = text(sent, "show")
    show = show if show in OUTCOMES else ""
    family = text(sent, "family")
    items = visible_items(evaluation)
    if show:
        items = items.filter(rank=OUTCOMES.index(show))
    if family:
        items = items.filter(task__family=family)
    rank, number = _key(text(sent, "after"))
    items = items.filter(Q(rank__gt=rank) | Q(rank=rank, id__gt=number))
    found = list(items[: SIZE + 1])
    last = found[SIZE - 1] if len(found) > SIZE else None
    after = f"{OUTCOMES.index(last.outcome)}-{last.pk}" if last else ""
    return PairPage(found[:SIZE], after, show, family)


def neighbours(item: EvaluationItem) -> tuple[EvaluationItem | None, EvaluationItem | None]:
    """The items before and after this one in the order of the table."""
    items = visible_items(item.evaluation)
    rank = OUTCOMES.index(item.outcome)
    later = items.filter(Q(rank__gt=rank) | Q(rank=rank, id__gt=item.pk)).first()
    earlier = items.filter(Q(rank__lt=rank) | Q(rank=rank, id__lt=item.pk))
    return earlier.order_by("-rank", "-id").first(), later


def _key(text: str) -> tuple[int, int]:
    rank, _, number = text.partition("-")
    if rank in ("0", "1", "2", "3") and number.isascii() and number.isdigit() and len(number) < 18:
        return int(rank), int(number)
    return -1, 0
