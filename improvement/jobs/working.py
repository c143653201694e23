"""The stage context of a worker that has claimed a stage."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from improvement.jobs import leases
from improvement.jobs.context import Cancelled, FenceLost
from improvement.models import Stage
from improvement.records import Progress

MOST_POINTS = 400
STOP = threading.Event()  # set when this process is asked to stop
PAUSE = 1.0  # seconds between two writes of progress, and between two looks at the fence


class HandedBack(FenceLost):
    """This worker was asked to stop; the stage goes on in another one."""


class Working:
    """A `StageContext`. Not for several threads."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.run = stage, stage.run
        self.lost = threading.Event()
        self._points = _kept_points(stage.progress)
        self._unsaved: dict[str, Any] | None = None
        self._saved_at = self._looked_at = 0.0

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction in which the stage is this worker's until the commit."""
        with transaction.atomic():
            row = leases.held(self.stage).select_for_update(no_key=True).values_list("pk")
            if row.first() is None:
                raise FenceLost(self._said())
            yield

    def progress(self, progress: Progress) -> None:
        self._remember(progress)
        self._unsaved = {
            "done": progress.done,
            "total": progress.total,
            "unit": progress.unit,
            "rate": progress.rate,
            "seconds_left": progress.seconds_left,
            "note": progress.note,
            "figures": dict(progress.figures),
            "points": self._points,
        }
        if time.monotonic() - self._saved_at >= PAUSE:
            self.save_progress()

    def save_progress(self) -> None:
        """Write the last progress, which also extends the lease."""
        if self._unsaved is None:
            return
        if not leases.extend(self.stage, progress=self._unsaved):
            raise FenceLost(self._said())
        self._unsaved, self._saved_at = None, time.monotonic()

    def check(self) -> None:
        if self.lost.is_set():
            raise FenceLost(self._said())
        if STOP.is_set():
            raise HandedBack(f"The worker of {self.stage} was asked to stop.")
        if time.monotonic() - self._looked_at < PAUSE:
            return
        row = leases.held(self.stage).values_list("run__cancel_requested").first()
        self._looked_at = time.monotonic()
        if row is None:
            raise FenceLost(self._said())
        if row[0]:
            raise Cancelled(f"{self.run} was cancelled.")

    def _remember(self, progress: Progress) -> None:
        """Keep a point of the curve; a stage that goes on from a checkpoint overwrites its tail."""
        if not progress.figures:
            return
        while self._points and self._points[-1]["done"] >= progress.done:
            self._points.pop()
        self._points.append({"done": progress.done, "figures": dict(progress.figures)})
        if len(self._points) > MOST_POINTS:
            self._points = self._points[:1] + self._points[1:-1:2] + self._points[-1:]

    def _said(self) -> str:
        return f"Another worker has claimed {self.stage} (fence {self.stage.fence} is old)."


def _kept_points(progress: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The curve of an earlier attempt at the same stage."""
    points = progress.get("points", [])
    return [p for p in points if isinstance(p, dict) and "done" in p and "figures" in p]
