"""The sentence of a warning: what was seen, how sure, what it usually means, what can be done."""

from __future__ import annotations

from improvement.collapse.records import SignalValue
from improvement.collapse.signals import Change

NARROW = ("token entropy", "distinct-2")
RELATIVE = (*NARROW, "correct length", "length")

LABELS = {
    "token entropy": "token entropy among correct answers",
    "distinct-2": "the variety of correct answers to one task (distinct-2)",
    "correct length": "the length of correct answers",
    "length": "the length of all attempts",
    "clipped share": "the share of attempts cut off at the length limit",
    "pass@1": "the share of attempts that pass (pass@1)",
}
ADVICE = {
    "narrow, red": (
        "the agent is sure of few ways to answer and gained nothing by it, or lost tasks",
        "sample more widely and mix in fresh or human examples before training on",
    ),
    "narrow, amber": (
        "the agent has become sure of few ways to answer, which is ordinary while it solves more",
        "watch pass@k; if that falls, sample more widely and mix in fresh or human examples",
    ),
    "scattered": (
        "the agent wanders on its way to the answer",
        "read some of its correct answers, and train on the shortest ones",
    ),
    "correct length": (
        "the agent takes a shortcut or pads",
        "read some of its correct answers beside the baseline's",
    ),
    "length": (
        "the agent rambles where it fails",
        "read its failures, and check that endings were learnt from the training examples",
    ),
    "clipped share": (
        "the agent has unlearned to stop",
        "check that endings were learnt from the training examples, or raise the limit",
    ),
    "pass@1": (
        "the training did harm on these tasks",
        "compare the transcripts, and reject the candidate if the gate agrees",
    ),
    "pass@k": (
        "the agent bets on fewer ways and has lost tasks that it could solve",
        "train again with the lost tasks and human examples, or reject the candidate",
    ),
}


def sentence(signal: str, against: str, change: Change, red: bool) -> str:
    """One sentence for a breach of `signal` against "generation 0" or "champion"."""
    label = LABELS.get(signal, f"the share of tasks solved by at least one attempt ({signal})")
    whose = "the champion's" if against == "champion" else f"{against}'s"
    figures = _ratio(change, whose) if signal in RELATIVE else _points(change, whose)
    meaning, remedy = ADVICE[_advice(signal, change, red)]
    return (
        f"{label[0].upper()}{label[1:]} is {figures} on {change.n} tasks that both have; "
        f"this usually means that {meaning}; to do: {remedy}."
    )


def unjudged_sentence(share: float, limit: float) -> str:
    return (
        f"{_percent(share)} of the probe attempts have no verdict, and {_percent(limit)} may (a "
        "count, no estimate); this usually means that a verifier fails, and no other signal sees "
        "these attempts; to do: repair the verifier and measure again."
    )


def mix_sentence(mix: SignalValue, limit: float) -> str:
    return (
        f"{_percent(mix.value)} of the {mix.n} training examples are the agent's own work, and "
        f"{_percent(limit)} may be (a count, no estimate); this usually means that the loop feeds "
        "on itself and drifts unseen; to do: mix in more human or external examples."
    )


def _advice(signal: str, change: Change, red: bool) -> str:
    if signal in NARROW:
        rose = (change.ratio or 0.0) > 1.0
        return "scattered" if rose else "narrow, red" if red else "narrow, amber"
    return signal if signal in ADVICE else "pass@k"


def _ratio(change: Change, whose: str) -> str:
    low, high = change.ratio_interval
    return (
        f"{_percent(change.ratio or 0.0)} of {whose} ({change.value:.3g} against "
        f"{change.baseline:.3g}; 95 % interval {_percent(low)} to {_percent(high)})"
    )


def _points(change: Change, whose: str) -> str:
    low, high = change.interval
    direction = "above" if change.difference > 0 else "below"
    return (
        f"{100 * abs(change.difference):.1f} points {direction} {whose} "
        f"({_percent(change.value)} against {_percent(change.baseline)}; "
        f"95 % interval {100 * low:+.1f} to {100 * high:+.1f})"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
