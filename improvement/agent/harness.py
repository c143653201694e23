"""Run many attempts at once: a window of open conversations over one policy.

Each turn goes to the policy for all open conversations together; those that end leave, and
waiting attempts take their places, so that the batch stays full.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from improvement.agent.environment import Environment, Episode
from improvement.agent.policy import Policy
from improvement.records import (
    Bundle,
    Completion,
    Conversation,
    Message,
    Observation,
    Outcome,
    Sampling,
    Segment,
    Step,
    TaskRecord,
    TrajectoryRecord,
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to make: sample number `sample` of `task`."""

    task: TaskRecord
    sample: int
    seed: int


def seed_for(run_seed: int, task_key: str, sample: int) -> int:
    """63 bits that depend on all three: the same attempt draws the same numbers anywhere."""
    text = f"{run_seed}:{task_key}:{sample}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1


def opening(bundle: Bundle, task: TaskRecord) -> tuple[Message, ...]:
    """The messages that every attempt of this bundle begins with."""
    system = bundle.system_prompt
    if bundle.memory:
        system += "\n" + "\n".join(bundle.memory)
    return (Message("system", system), *bundle.worked_examples, Message("user", task.prompt))


@dataclass(slots=True)
class _Open:
    """An attempt under way."""

    attempt: Attempt
    episode: Episode
    messages: tuple[Message, ...]
    examples: int
    steps: list[Step] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    turns: int = 0
    clipped: bool = False
    started: float = field(default_factory=time.perf_counter)

    @property
    def key(self) -> str:
        return f"{self.attempt.task.key}/{self.attempt.sample}"

    def conversation(self) -> Conversation:
        return Conversation(self.key, self.messages, self.attempt.seed)

    def read_roles(self) -> list[str]:
        if self.turns:
            return []
        return ["prompt", *["example"] * self.examples, "task"]


def attempt_all(
    attempts: Sequence[Attempt],
    environment: Environment,
    policy: Policy,
    bundle: Bundle,
    sampling: Sampling,
    *,
    width: int = 96,
    check: Callable[[], None] = lambda: None,
) -> Iterator[list[TrajectoryRecord]]:
    """Yield the finished trajectories, a list a turn (often empty), until all are done.

    `check` is called before every turn and may raise to stop.
    """
    waiting, running = deque(attempts), list[_Open]()
    while waiting or running:
        check()
        finished: list[TrajectoryRecord] = []
        while waiting and len(running) < width:
            _admit(waiting.popleft(), environment, bundle, running, finished)
        if running:
            completions = policy.generate([o.conversation() for o in running], sampling)
            ended = [
                record
                for o, completion in zip(running, completions, strict=True)
                if (record := _turn(o, completion, environment.max_turns)) is not None
            ]
            done = {(r.task_key, r.sample) for r in ended}
            policy.forget([o.key for o in running if _identity(o) in done])
            running = [o for o in running if _identity(o) not in done]
            finished += ended
        yield finished


def _identity(o: _Open) -> tuple[str, int]:
    return o.attempt.task.key, o.attempt.sample


def _admit(
    attempt: Attempt,
    environment: Environment,
    bundle: Bundle,
    running: list[_Open],
    finished: list[TrajectoryRecord],
) -> None:
    messages = opening(bundle, attempt.task)
    o = _Open(attempt, _Unstarted(), messages, len(bundle.worked_examples))
    o.steps += [Step("system" if m.role == "system" else m.role, m.content) for m in messages]  # type: ignore[arg-type]
    try:
        o.episode = environment.start(attempt.task)
    except Exception as error:
        finished.append(_close(o, "environment_error", _blame(environment, "start", error)))
        return
    running.append(o)


class _Unstarted:
    """Stands in for an episode whose environment could not start it."""

    def act(self, text: str) -> Observation:  # noqa: ARG002
        return Observation(error="the environment did not start", done=True)

    def goal_state(self) -> str:
        return ""


def _blame(thing: object, method: str, error: Exception) -> str:
    kind = type(thing)
    return f"{kind.__module__}.{kind.__qualname__}.{method} raised {type(error).__name__}: {error}"


def _turn(o: _Open, completion: Completion, max_turns: int) -> TrajectoryRecord | None:
    """Take in what the policy wrote; the finished record when this turn was the last."""
    _keep_tokens(o, completion)
    o.turns += 1
    o.clipped = o.clipped or completion.finish_reason == "length"
    text = completion.text.strip()
    o.messages += (Message("assistant", text),)
    try:
        seen = o.episode.act(completion.text)
    except Exception as error:
        _keep_steps(o, completion, Observation(error="the environment failed"))
        return _close(o, "environment_error", _blame(o.episode, "act", error))
    _keep_steps(o, completion, seen)
    if seen.done:
        return _close(o, "answered")
    if o.turns >= max_turns:
        return _close(o, "turns_exhausted")
    o.messages += (Message("user", seen.text),)
    return None


def _keep_tokens(o: _Open, completion: Completion) -> None:
    roles = o.read_roles()
    for i, ids in enumerate(completion.read):
        role = roles[i] if i < len(roles) else "turn"
        o.segments.append(Segment(role, ids))  # type: ignore[arg-type]
    o.segments.append(
        Segment("turn", completion.token_ids, True, completion.logprobs, completion.entropies)
    )


def _keep_steps(o: _Open, completion: Completion, seen: Observation) -> None:
    tokens, latency = len(completion.token_ids), completion.latency_ms
    kind = "tool_call" if seen.tool else "assistant"
    call = Step(kind, completion.text, seen.tool, seen.arguments, "", latency, tokens, True)  # type: ignore[arg-type]
    o.steps.append(call)
    if seen.tool or seen.text:
        o.steps.append(Step("tool_result", seen.result, seen.tool, "", seen.error))


def _close(o: _Open, outcome: Outcome, error: str = "") -> TrajectoryRecord:
    return TrajectoryRecord(
        task_key=o.attempt.task.key,
        sample=o.attempt.sample,
        steps=tuple(o.steps),
        segments=tuple(o.segments),
        outcome=outcome,
        final_answer=o.episode.goal_state() if outcome == "answered" else "",
        clipped=o.clipped,
        latency_ms=(time.perf_counter() - o.started) * 1000,
        seed=o.attempt.seed,
        error=error,
    )
