"""Breaches of the limits on the collapse signals, against generation 0 and the champion."""

from __future__ import annotations

from improvement.collapse import rules
from improvement.collapse.limits import Limits
from improvement.collapse.probe import Table
from improvement.collapse.records import Breach, SignalValue
from improvement.collapse.signals import Change, compare
from improvement.collapse.wording import mix_sentence, sentence, unjudged_sentence


def breaches(
    candidate: Table,
    generation0: Table,
    champion: Table | None = None,
    limits: Limits | None = None,
    training_mix: SignalValue | None = None,
) -> list[Breach]:
    """Every limit that the candidate breaks, red ones first; at most one a signal and baseline.

    A champion that is generation 0 (equal tables) is not reported twice. ValueError when the
    candidate was not measured on the baseline's probe set: then nothing can be said.
    """
    limits = limits or Limits()
    found = _against(candidate, generation0, "generation 0", limits)
    if champion is not None and champion != generation0:
        found += _against(candidate, champion, "champion", limits)
    found += _unjudged(candidate, limits) + _mix(training_mix, limits)
    return sorted(found, key=lambda breach: breach.level != "red")


def _against(candidate: Table, baseline: Table, name: str, limits: Limits) -> list[Breach]:
    changes = {
        signal: compare(tasks, baseline[signal])
        for signal, tasks in candidate.items()
        if len(set(tasks) & set(baseline.get(signal, ()))) >= limits.min_tasks
    }
    for needed in ("pass@1", f"pass@{limits.k}"):
        if needed not in changes:
            raise ValueError(
                f"{needed} of candidate and {name} cannot be compared on {limits.min_tasks} tasks: "
                f"probe both on the same tasks with at least {limits.k} judged attempts each"
            )
    rows = [
        *rules.narrowing(changes, limits),
        *rules.coverage(changes, limits),
        *rules.ability(changes, name),
        *rules.clipping(changes, limits),
        *rules.length(changes, limits),
    ]
    return [_breach(signal, name, red, limit, changes[signal]) for signal, red, limit in rows]


def _breach(signal: str, against: str, red: bool, limit: float, change: Change) -> Breach:
    return Breach(
        signal=signal,
        against=against,
        level="red" if red else "amber",
        value=change.value,
        baseline=change.baseline,
        limit=limit,
        sentence=sentence(signal, against, change, red),
    )


def _unjudged(candidate: Table, limits: Limits) -> list[Breach]:
    """Attempts without a verdict: every other signal is blind to them."""
    shares = candidate.get("unjudged share", {})
    share = sum(shares.values()) / len(shares) if shares else 0.0
    if share <= limits.unjudged:
        return []
    text = unjudged_sentence(share, limits.unjudged)
    return [Breach("unjudged share", "limit", "amber", share, 0.0, limits.unjudged, text)]


def _mix(mix: SignalValue | None, limits: Limits) -> list[Breach]:
    """Too much of the training mix is the agent's own work."""
    if mix is None or mix.value <= limits.self_generated:
        return []
    text = mix_sentence(mix, limits.self_generated)
    return [Breach(mix.name, "limit", "amber", mix.value, 0.0, limits.self_generated, text)]
