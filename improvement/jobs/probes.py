"""The fixed probe set: several samples a task, the same tasks for every generation."""

from __future__ import annotations

from collections.abc import Sequence

from improvement.collapse.probe import ProbeSample, Table, tabulate
from improvement.collapse.records import Breach, SignalValue
from improvement.collapse.signals import measure, self_generated
from improvement.jobs.context import StageContext
from improvement.jobs.packing import record_of
from improvement.jobs.recipe import Recipe
from improvement.jobs.rollouts import Rollout, roll_out, stored
from improvement.models import (
    Agent,
    AuditRow,
    Candidate,
    Dataset,
    Hold,
    Purposes,
    Signal,
    Task,
    Trajectory,
    Warning,
)

ANSWERS = {"pass": True, "fail": False}


def probe(
    context: StageContext, candidate: Candidate, tasks: Sequence[Task], recipe: Recipe
) -> Table:
    """The candidate's table of signals by task; attempts that any run made are used again."""
    rollout = Rollout(
        candidate,
        tasks,
        Purposes.PROBE,
        samples=recipe.probe_samples,
        temperature=recipe.probe_temperature,
        verifier=recipe.gate_verifier,
        label=f"{candidate}, probe",
        reuse=True,
    )
    roll_out(context, rollout, recipe)
    ids = [row.pk for row in stored(context.run, rollout).values()]
    rows = Trajectory.objects.filter(pk__in=ids).select_related("task", "tokens")
    rows = rows.prefetch_related("steps").order_by("pk")
    samples = [ProbeSample.of(record_of(t), t.family, ANSWERS.get(t.answer)) for t in rows]
    return tabulate(samples, k=recipe.probe_samples)


def save_signals(candidate: Candidate, table: Table, mix: SignalValue | None) -> None:
    """Add the candidate's signals once; call it inside `context.writing()`."""
    values = [*measure(table), *([mix] if mix else [])]
    there = set(Signal.objects.filter(candidate=candidate).values_list("name", flat=True))
    Signal.objects.bulk_create(
        Signal(
            agent=candidate.agent,
            candidate=candidate,
            name=v.name,
            value=v.value,
            low=v.low,
            high=v.high,
            n=v.n,
        )
        for v in values
        if v.name not in there
    )


def mix_of(dataset: Dataset) -> SignalValue:
    """The self-generated share of a training mix, counted in draws."""
    entries = dataset.manifest["entries"]
    own = sum(e["weight"] for e in entries if e["source"] == "own")
    return self_generated(round(own), max(round(sum(e["weight"] for e in entries)), 1))


def warn(candidate: Candidate, found: Sequence[Breach]) -> list[Warning]:
    """Add a warning for each breach; a red one places a hold on the agent, once."""
    warnings = [
        Warning.objects.get_or_create(
            candidate=candidate,
            signal=b.signal,
            against=b.against,
            defaults={
                "agent": candidate.agent,
                "level": b.level,
                "value": b.value,
                "baseline": b.baseline,
                "limit": b.limit,
                "sentence": b.sentence,
            },
        )[0]
        for b in found
    ]
    red = next((w for w in warnings if w.level == "red"), None)
    if red and not Hold.objects.filter(warning__candidate=candidate).exists():
        _hold(candidate.agent, red)
    return warnings


def _hold(agent: Agent, warning: Warning) -> None:
    hold, placed = Hold.objects.get_or_create(
        agent=agent,
        released_at=None,
        defaults={"warning": warning, "reason": warning.sentence},
    )
    if placed:
        AuditRow.record("hold", hold, reason=warning.sentence, after={"warning": warning.pk})
