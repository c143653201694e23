"""Small stages for the tests of the engine, found by workers through PAWL_RUN_KINDS.

Each stage makes `units` effects, one audit row an effect, each in its own `writing()`. What is
there already is looked up once at the start: only the fence keeps an effect from coming twice.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from improvement.jobs.context import StageContext, StageFailed
from improvement.jobs.plan import StagePlan
from improvement.models import AuditRow
from improvement.records import Progress


def run(context: StageContext) -> dict[str, Any]:
    recipe = context.run.recipe
    units, seconds = recipe.get("units", 4), recipe.get("seconds", 0.0)
    there = {row["after"]["unit"] for row in effects(context.stage)}
    for unit in range(units):
        if unit not in there:
            context.check()
            time.sleep(seconds)
            with context.writing():
                AuditRow.record("effect", context.stage, after={"unit": unit})
        figures = {"loss": 1 / (unit + 1)}
        context.progress(Progress(unit + 1, units, "effects", 2.0, figures=figures))
    return {"units": units, "run_state": recipe.get("run_state", "done")}


def effects(stage: Any) -> list[dict[str, Any]]:
    rows = AuditRow.objects.filter(verb="effect", object_type="stage", object_id=str(stage.pk))
    return list(rows.order_by("pk").values("after"))


def refuse(context: StageContext) -> dict[str, Any]:
    raise StageFailed("There is no lamp. Buy one, then resume the run.")


def stumble(context: StageContext) -> dict[str, Any]:
    """Raises in its first attempts: as many as the recipe says."""
    if context.stage.attempt <= context.run.recipe.get("stumbles", 1):
        raise ZeroDivisionError("a stone in the way")
    return {"attempts": context.stage.attempt}


def die(context: StageContext) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def _plan(name: str, queue: str, function: str = "run") -> StagePlan:
    return StagePlan(name, queue, f"tests.loop.fake_stages.{function}")


NAMES = ("first", "second", "third")
PLAN = tuple(_plan(name, "default") for name in NAMES)
SPREAD = tuple(
    _plan(name, queue) for name, queue in zip(NAMES, ("default", "train", "rollout"), strict=True)
)
REFUSE, STUMBLE, DIE = (
    (_plan("broken", "default", name), _plan("after", "default"))
    for name in ("refuse", "stumble", "die")
)
VERIFY = (StagePlan("verify", "default", "improvement.jobs.stages.verify.run"),)
KINDS = {
    "verify": "tests.loop.fake_stages.VERIFY",
    "fake": "tests.loop.fake_stages.PLAN",
    "spread": "tests.loop.fake_stages.SPREAD",
    "refuse": "tests.loop.fake_stages.REFUSE",
    "stumble": "tests.loop.fake_stages.STUMBLE",
    "die": "tests.loop.fake_stages.DIE",
}
