"""What every verifier is: judge a trajectory into pass, fail or error, with score and evidence.

What the attempt did wrong is a fail with that evidence (a flood, a crash, 50 MB, a wrong type).
What the verifier could not do is an error with the reason, never a fail and never a score of 0.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from improvement.records import Judgement, Message, TaskRecord, TrajectoryRecord, digest_of

MOST_CHARACTERS = 1_000_000
SHOWN_CHARACTERS = 2_000


class Verifier(Protocol):
    """One way of judging, with its settings. Built by `improvement.verifiers.build.build`.

    `kind` is its key in KINDS; `version` is raised whenever its code judges differently;
    `settings` is JSON, all of it (model and rubric too). `deterministic`: the same attempt always
    gets the same answer. `needs_person`: some answers are left to a person.
    """

    @property
    def kind(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def settings(self) -> Mapping[str, Any]: ...

    @property
    def deterministic(self) -> bool: ...

    @property
    def needs_person(self) -> bool: ...

    def judge(self, task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement: ...

    def gold(self, task: TaskRecord) -> str | None:
        """An output that must pass, made from the reference; None where that can't be known."""
        ...


def digest(verifier: Verifier) -> str:
    """Changes with the code's version, the settings, the model and the rubric."""
    return digest_of([verifier.kind, verifier.version, dict(verifier.settings)])


class SpecError(ValueError):
    """A verifier specification makes no sense; the message names the field and the remedy."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible server for model judges. `private` allows private addresses; `trouble`
    says why it can't be asked at all (its key belongs to another address)."""

    url: str
    model: str
    key: str = field(default="", repr=False)
    private: bool = False
    timeout: float = 30.0
    trouble: str = ""


@dataclass(slots=True)
class Budget:
    """What judge calls may still use in this run; None is unlimited. `spend` raises nothing:
    a judge asks `left` before each call and answers with an error when it is used up."""

    calls: int | None = None
    tokens: int | None = None
    used_calls: int = 0
    used_tokens: int = 0

    @property
    def left(self) -> bool:
        return (self.calls is None or self.used_calls < self.calls) and (
            self.tokens is None or self.used_tokens < self.tokens
        )

    def spend(self, tokens: int) -> None:
        self.used_calls += 1
        self.used_tokens += tokens


Writer = Callable[[Sequence[Message], int], str]
"""(messages, seed) → the text of a local model."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What this machine gives to verifiers. Everything has a default, so that a verifier that
    needs none of it is built with `Workshop()`."""

    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    local: Callable[[str], Writer] | None = None
    cache: Path | None = None
    budget: Budget = field(default_factory=Budget)
    kinds: Mapping[str, str] = field(default_factory=dict)
    """Kinds of this installation's own: name → "module:maker"."""


def passed(evidence: Mapping[str, Any], reason: str, score: float = 1.0) -> Judgement:
    return Judgement("pass", score, {**evidence, "reason": reason})


def failed(evidence: Mapping[str, Any], reason: str, score: float = 0.0) -> Judgement:
    return Judgement("fail", score, {**evidence, "reason": reason})


def broken(evidence: Mapping[str, Any], reason: str) -> Judgement:
    return Judgement("error", None, {**evidence, "reason": reason})


def shown(text: object) -> str:
    """At most SHOWN_CHARACTERS of `text`, valid UTF-8, for evidence."""
    whole = text if isinstance(text, str) else repr(text)
    cut = whole[:SHOWN_CHARACTERS].encode("utf-8", "replace").decode()
    return cut if len(whole) <= SHOWN_CHARACTERS else f"{cut}… ({len(whole):,} characters)"


def deciding_step(trajectory: TrajectoryRecord) -> int | None:
    """The index of the last step that the policy wrote."""
    return next((i for i, s in reversed(list(enumerate(trajectory.steps))) if s.sampled), None)


def unusable(task: TaskRecord, trajectory: TrajectoryRecord) -> Judgement | None:
    """The judgement of an attempt that no verifier needs to read: an environment that failed
    (error); no answer, too long an answer, text that is not valid UTF-8 (fail). Else None."""
    found = trajectory.final_answer
    evidence = {"found": shown(found) or None, "step": deciding_step(trajectory)}
    if trajectory.outcome == "environment_error":
        return broken(evidence, trajectory.error or f"the environment failed at {task.key}")
    if trajectory.outcome != "answered":
        return failed(evidence, "no answer was given before the turns ran out")
    if len(found) > MOST_CHARACTERS:
        size = f"{len(found):,}"
        return failed(evidence, f"the answer has {size} characters; {MOST_CHARACTERS:,} are read")
    try:
        found.encode()
    except UnicodeEncodeError:
        return failed(evidence, "the answer is not valid UTF-8")
    return None


def timed(judge: Callable[[], Judgement]) -> Judgement:
    """The judgement with the milliseconds that it took."""
    started = time.perf_counter()
    found = judge()
    took = (time.perf_counter() - started) * 1000
    return Judgement(found.answer, found.score, found.evidence, took)


def trajectory_of(task: TaskRecord, output: str, sample: int = 0) -> TrajectoryRecord:
    """An output without its history, as an attempt: for files of outputs and junk batteries."""
    return TrajectoryRecord(
        task_key=task.key,
        sample=sample,
        steps=(),
        segments=(),
        outcome="answered",
        final_answer=output,
        clipped=False,
        latency_ms=0.0,
        seed=0,
    )
