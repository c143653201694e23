"""Whatever the order of events, a run keeps its rules: hypothesis plays workers that claim, work,
fall silent, report late and die, people who cancel and resume, and a reconciler."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from improvement.jobs import doorbell, launch, leases, outcomes, reconciler
from improvement.jobs.context import FenceLost
from improvement.jobs.working import Working
from improvement.models import AuditRow, Doorbell, Run, Stage, StageStates
from tests.loop.fake_stages import KINDS, NAMES, effects
from tests.loop.runs import launched, let_lease_end

pytestmark = pytest.mark.django_db
EVENTS = (
    *("claim", "claim", "work", "work", "complete", "complete", "silent", "reconcile"),
    *("retry", "fail", "hand back", "cancel", "seen cancel", "resume"),
)
STEPS = st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 1)), min_size=20, max_size=50)


class Play:
    """A run and two workers, each with what it believes to hold."""

    def __init__(self) -> None:
        self.run = launched(units=1)
        self.held: dict[int, Working] = {}

    def do(self, event: str, who: int) -> None:
        self.run.refresh_from_db()
        if event in ("cancel", "resume"):
            self.person(event)
        elif event == "reconcile":
            reconciler.reconcile()
        elif event == "claim":
            self.claim(who)
        elif context := self.held.get(who):
            newest = Stage.objects.get(pk=context.stage.pk).fence
            try:
                acted = self.report(event, context)
            except FenceLost:
                self.held.pop(who)
            else:
                assert not acted or context.stage.fence == newest, f"{event} with an old fence"

    def person(self, event: str) -> None:
        with suppress(launch.Refused):
            getattr(launch, event)(self.run, None)

    def claim(self, who: int) -> None:
        for stage in self.run.stages.all():
            if claimed := leases.claim(stage.pk, f"w{who}"):
                self.held[who] = Working(claimed)

    def report(self, event: str, context: Working) -> bool:
        """Whether the worker changed anything."""
        stage = context.stage
        if event == "work" and not effects(stage):
            with context.writing():
                AuditRow.record("effect", stage, after={"unit": 0})
        elif event == "complete" and effects(stage):
            outcomes.complete(stage, {"units": 1})
        elif event == "retry":
            outcomes.retry(stage, "a stone in the way")
        elif event == "fail":
            outcomes.failed(stage, "no lamp")
        elif event == "hand back":
            outcomes.hand_back(stage)
        elif event == "seen cancel" and self.run.cancel_requested:
            outcomes.cancelled(stage)
        else:
            if event == "silent":
                let_lease_end(stage)
            return False
        return True

    def check(self) -> None:
        run, stages = Run.objects.get(pk=self.run.pk), list(self.run.stages.order_by("position"))
        done = [stage.state == StageStates.DONE for stage in stages]
        assert done == sorted(done, reverse=True), "a stage is done before the one before it"
        under_way = [s for s in stages if s.state in (StageStates.READY, StageStates.RUNNING)]
        assert len(under_way) == run.active, (run.state, [s.state for s in stages])
        assert (run.state == "done") == all(done)
        assert (run.finished_at is None) == run.active
        for stage in stages:
            assert len(effects(stage)) == 1 if stage.state == StageStates.DONE else True
            assert len(effects(stage)) <= 1
            assert 0 <= stage.attempt <= stage.max_attempts
            if stage.state == StageStates.READY:
                assert Doorbell.objects.filter(stage=stage).exists()


@given(steps=STEPS)
@settings(
    max_examples=25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking takes minutes here
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_run_keeps_its_rules_in_any_order_of_events(steps, monkeypatch, settings):
    settings.PAWL_RUN_KINDS = KINDS
    monkeypatch.setattr(doorbell, "push", lambda _stage: True)
    play = Play()
    for event, who in steps:
        play.do(event, who)
        play.check()
    finish(play)


def finish(play: Play) -> None:
    """From wherever it is, a resumed run with one good worker comes to its end."""
    play.held.clear()
    for stage in play.run.stages.filter(state=StageStates.RUNNING):
        let_lease_end(stage)
    reconciler.reconcile()
    play.do("resume", 0)
    for _ in NAMES:
        play.run.stages.filter(state=StageStates.READY).update(lease_until=None)
        play.claim(0)
        context = play.held.pop(0, None)
        if context is None:
            break
        if not effects(context.stage):
            with context.writing():
                AuditRow.record("effect", context.stage, after={"unit": 0})
        outcomes.complete(context.stage, {"units": 1})
        play.check()
    assert Run.objects.get(pk=play.run.pk).state == "done"
    assert Stage.objects.filter(run=play.run, state="done").count() == len(NAMES)
