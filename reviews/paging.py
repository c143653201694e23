"""Pages by key: the cost of page 10,000 is that of page 1, and new rows never shift a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)
SIZE = 50
COUNTED = 1000


@dataclass(frozen=True, slots=True)
class KeyPage(Generic[Row]):
    """Rows, newest first. `older` and `newer` are the keys of the neighbouring pages, or None."""

    rows: Sequence[Row]
    older: int | None
    newer: int | None


def page_by_key(rows: QuerySet[Row], asked: Mapping[str, str], size: int = SIZE) -> KeyPage[Row]:
    """The page that `before` or `after` (ids in the query string) asks for; anything else in them
    means the newest page."""
    before, after = _key(asked.get("before")), _key(asked.get("after"))
    if after is not None:
        found = list(rows.filter(pk__gt=after).order_by("pk")[: size + 1])
        more, shown = len(found) > size, list(reversed(found[:size]))
        if more or not found:
            return KeyPage(shown, shown[-1].pk if shown else None, shown[0].pk if more else None)
        return KeyPage(shown, shown[-1].pk, None)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: size + 1])
    shown = found[:size]
    older = shown[-1].pk if len(found) > size else None
    return KeyPage(shown, older, shown[0].pk if before is not None and shown else None)


def bounded_count(rows: QuerySet[Row]) -> str:
    """How many rows, in words; beyond 1,000 it stops counting."""
    count = rows.order_by()[: COUNTED + 1].count()
    return f"{COUNTED:,}+" if count > COUNTED else f"{count:,}"


def _key(text: str | None) -> int | None:
    """A positive 63-bit id, or None."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 18:
        return None
    return int(text)
