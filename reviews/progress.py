"""How a run and its stages are shown while they work: fractions, rates and times in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from improvement.licences import NO_LICENCE
from improvement.models import Run, RunStates, Stage, StageStates
from reviews.results import told
from reviews.wording import compact, duration

WHAT: Mapping[str, str] = {
    "collect": "attempts training tasks",
    "verify": "judges every attempt",
    "curate": "freezes the training set",
    "train": "trains an adapter",
    "screen": "scores the dev set and the signals",
    "freeze": "seals the candidate",
    "gate": "compares on a fresh sealed block",
}


@dataclass(frozen=True, slots=True)
class StageView:
    """One stage as a row. `fraction` is in [0, 1]; texts are empty where nothing is known."""

    row: Stage
    what: str
    fraction: float
    counts: str
    rate: str
    left: str
    took: str
    note: str
    figures: Sequence[tuple[str, str]]
    losses: Sequence[tuple[float, float]]
    result: Sequence[tuple[str, str]]

    @property
    def working(self) -> bool:
        return self.row.state == StageStates.RUNNING

    @property
    def percent(self) -> int:
        return round(self.fraction * 100)

    @property
    def last_loss(self) -> float:
        return self.losses[-1][1]


@dataclass(frozen=True, slots=True)
class RunView:
    """A run with its stages in order; `current` is the one at work, waiting or broken."""

    row: Run
    stages: Sequence[StageView]
    current: StageView | None
    fraction: float

    @property
    def percent(self) -> int:
        return round(self.fraction * 100)

    @property
    def polls(self) -> bool:
        return self.row.active

    @property
    def can_resume(self) -> bool:
        return self.row.state in (RunStates.FAILED, RunStates.CANCELLED)

    @property
    def lacks_licence(self) -> bool:
        """Whether a stage stopped because a verifier may not harvest or gate."""
        return any(stage.row.error.startswith(NO_LICENCE) for stage in self.stages)

    @property
    def curve(self) -> StageView | None:
        """The stage whose losses make a curve."""
        return next((s for s in self.stages if len(s.losses) > 1), None)


def run_view(run: Run) -> RunView:
    """`run.stages` should be prefetched: nothing is queried here then."""
    stages = [stage_view(s) for s in sorted(run.stages.all(), key=lambda s: s.position)]
    open_states = (StageStates.RUNNING, StageStates.READY, StageStates.QUARANTINED)
    current = next((s for s in stages if s.row.state in open_states), None)
    if current is None:
        current = next((s for s in stages if s.row.state != StageStates.DONE), None)
    share = sum(s.fraction for s in stages) / len(stages) if stages else 0.0
    return RunView(run, stages, current, share)


def stage_view(stage: Stage) -> StageView:
    progress: Mapping[str, Any] = stage.progress or {}
    done, total = _number(progress.get("done")), _number(progress.get("total"))
    rate, unit = _number(progress.get("rate")), str(progress.get("unit", ""))
    working = stage.state == StageStates.RUNNING
    finished = stage.state == StageStates.DONE
    fraction = 1.0 if finished else min(done / total, 1.0) if total > 0 else 0.0
    return StageView(
        row=stage,
        what=WHAT.get(stage.name, ""),
        fraction=fraction,
        counts=f"{compact(done)} of {compact(total)} {unit}" if total > 0 else "",
        rate=f"{compact(round(rate, 1))} {unit}/s" if rate > 0 and working else "",
        left=duration((total - done) / rate) if rate > 0 and working and total > done else "",
        took=_took(stage.started_at, stage.finished_at),
        note=str(progress.get("note", "")),
        figures=[] if progress.get("note") else told(progress.get("figures")),
        losses=_losses(progress.get("points")),
        result=told(stage.result),
    )


def _took(start: datetime | None, end: datetime | None) -> str:
    return duration(((end or timezone.now()) - start).total_seconds()) if start else ""


def _number(value: Any) -> float:
    """A finite number, or 0: what a stage writes here must not be able to break the page."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 0.0
    return float(value)


def _losses(points: Any) -> list[tuple[float, float]]:
    """(step, loss) of every point that has a finite loss."""
    found = []
    for index, point in enumerate(points if isinstance(points, list) else ()):
        figures = point.get("figures", point) if isinstance(point, Mapping) else {}
        loss = figures.get("loss") if isinstance(figures, Mapping) else None
        if isinstance(loss, int | float) and math.isfinite(loss):
            found.append((_number(point.get("done", index)), float(loss)))
    return found
