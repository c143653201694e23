"""How one cycle of the loop is run for an agent; an agent or a run may override any field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from improvement.training.recipe import TrainSettings


class RecipeError(ValueError):
    """A recipe names a field that does not exist, or a value that can't be."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Counts are tasks or attempts, shares are in [0, 1].

    `harvest_verifier` decides what may be learned from, `gate_verifier` what counts in screen and
    gate: verifier specifications (docs/verifiers.md), or "task" for each task's own. Either may do
    so while it is licensed: the lower bound (95 %, one-sided) of its precision on at least
    `licence_labels` labelled accepts is `licence_precision` or more (docs/reliability.md).
    `judge_calls` and `judge_tokens` bound what model judges may use in a run (None: unbounded).
    A level is mixed in when the champion's score
    on the level before it is above `curriculum_threshold`. `human_share` is the share of the
    training draws of a level that come from people, by level (0: none of them); where it is above
    0, people are drawn at least `human_draws` times an epoch.
    """

    harvest_verifier: str | Mapping[str, Any] = "goal_state"
    gate_verifier: str | Mapping[str, Any] = "goal_state"
    licence_precision: float = 0.9
    licence_labels: int = 30
    judge_calls: int | None = 5000
    judge_tokens: int | None = None
    collect_tasks: int = 40
    collect_samples: int = 6
    collect_temperature: float = 0.9
    width: int = 128
    save_every: int = 24
    curriculum_threshold: float = 0.6
    max_level: int = 3
    keep_examples: bool = False
    per_task: int = 2
    dataset_total: int = 400
    human_draws: int = 24
    human_share: Mapping[str, float] = field(
        default_factory=lambda: {"1": 0.0, "2": 0.3, "3": 0.3}
    )
    train: Mapping[str, Any] = field(
        default_factory=lambda: {"batch": 4, "epochs": 4.0, "min_steps": 40, "max_steps": 120}
    )
    dev_tasks: int = 20
    probe_tasks: int = 24
    probe_samples: int = 8
    probe_temperature: float = 0.9
    gate_tasks: int = 200
    gate_evidence: float = 20.0
    gate_min_items: int = 100

    @classmethod
    def of(cls, *overrides: Mapping[str, Any]) -> Recipe:
        """The defaults with each override in turn; RecipeError names a field that is unknown."""
        values: dict[str, Any] = {}
        known = {f.name for f in fields(cls)}
        for override in overrides:
            unknown = sorted(set(override) - known)
            if unknown:
                raise RecipeError(
                    f"A recipe has no field {unknown[0]!r}. Fields: {', '.join(sorted(known))}."
                )
            values.update(override)
        recipe = cls(**values)
        try:
            TrainSettings(**recipe.train)
        except TypeError as error:
            raise RecipeError(f"A recipe's train settings can't be used: {error}.") from error
        return recipe

    def as_json(self) -> dict[str, Any]:
        value = asdict(self)
        for name in ("human_share", "train"):
            value[name] = dict(getattr(self, name))
        return value
