"""A trajectory as a person reads it: what it was given, what it did, and why it was judged so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Case, When

from improvement.models import Step, Trajectory, Verdict
from reviews.grounds import Grounds, grounds_of
from reviews.wording import plain

STEPS_SHOWN = 500
LETTERS_SHOWN = 20_000
SIBLINGS_SHOWN = 24
TITLES: Mapping[str, str] = {
    "system": "System prompt",
    "user": "Environment",
    "assistant": "Agent",
    "reasoning": "Reasoning",
    "tool_call": "Tool call",
    "tool_result": "Result",
}
ICONS: Mapping[str, str] = {
    "system": "list",
    "user": "person",
    "assistant": "agent",
    "reasoning": "question",
    "tool_call": "tool",
    "tool_result": "chevron",
}


@dataclass(frozen=True, slots=True)
class StepView:
    """A step with its cleaned text. `share` is its part of the attempt's latency, in percent;
    `told` says that the tool and its arguments already say all of the text."""

    row: Step
    text: str
    title: str
    icon: str
    share: int
    cut: bool
    cleaned: bool
    told: bool
    verdicts: Sequence[VerdictView] = ()

    @property
    def brief(self) -> bool:
        """Short enough to stand on the line of its title."""
        return len(self.text) <= 90 and "\n" not in self.text.strip()


@dataclass(frozen=True, slots=True)
class VerdictView:
    """A verdict with its evidence worded; `step` is the index it cites, or None."""

    row: Verdict
    step: int | None
    grounds: Grounds


@dataclass(frozen=True, slots=True)
class Transcript:
    """`given` is what every attempt of the bundle opens with, `wish` the task's own words, `done`
    all that followed. `loose` verdicts cite no step that is shown."""

    given: Sequence[StepView]
    wish: StepView | None
    done: Sequence[StepView]
    verdicts: Sequence[VerdictView]
    loose: Sequence[VerdictView]
    hidden: int


def read(trajectory: Trajectory) -> Transcript:
    """Two queries: the steps and the verdicts."""
    rows = list(trajectory.steps.order_by("index")[:STEPS_SHOWN])
    verdicts = [_verdict(v) for v in trajectory.verdicts.select_related("verifier").order_by("-id")]
    steps = [_step(row, trajectory, verdicts) for row in rows]
    opening = _opening(rows)
    shown = {row.index for row in rows}
    return Transcript(
        given=steps[: max(opening - 1, 0)],
        wish=steps[opening - 1] if opening else None,
        done=steps[opening:],
        verdicts=verdicts,
        loose=[v for v in verdicts if v.step not in shown],
        hidden=max(trajectory.steps_count - len(rows), 0),
    )


def siblings(trajectory: Trajectory) -> Sequence[Trajectory]:
    """Attempts at the same task: this candidate's first, then those of newer candidates."""
    rows = Trajectory.objects.visible().filter(task_id=trajectory.task_id)
    own = Case(When(candidate_id=trajectory.candidate_id, then=0), default=1)
    rows = rows.select_related("candidate__agent").defer(
        "sampling", "candidate__bundle", "candidate__training"
    )
    return list(rows.order_by(own, "-candidate_id", "sample", "-id")[:SIBLINGS_SHOWN])


def _opening(rows: Sequence[Step]) -> int:
    """How many steps were given: up to the last user step before the agent's first own one."""
    first = next((i for i, row in enumerate(rows) if row.sampled), len(rows))
    return next((i + 1 for i in range(first - 1, -1, -1) if rows[i].kind == "user"), 0)


def _step(row: Step, trajectory: Trajectory, verdicts: Sequence[VerdictView]) -> StepView:
    text = plain(row.content)
    whole = max(trajectory.latency_ms, 1.0)
    return StepView(
        row=row,
        text=text[:LETTERS_SHOWN],
        title=TITLES.get(row.kind, row.kind),
        icon=ICONS.get(row.kind, "dot"),
        share=min(round(100 * row.latency_ms / whole), 100),
        cut=len(text) > LETTERS_SHOWN,
        cleaned=text != row.content.replace("\r\n", "\n"),
        told=bool(row.tool) and text.split() == f"{row.tool} {row.arguments}".split(),
        verdicts=[v for v in verdicts if v.step == row.index],
    )


def _verdict(row: Verdict) -> VerdictView:
    step = row.evidence.get("step") if isinstance(row.evidence, dict) else None
    cited = step if isinstance(step, int) and not isinstance(step, bool) else None
    return VerdictView(row, cited, grounds_of(row.evidence))
