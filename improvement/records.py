"""The frozen records that the rooms exchange.

Standard library only: every room (`agent`, `verifiers`, `training`, `evaluation`, `collapse`,
`serving`, `ingest`) may import this file and nothing else of the project, so that each of them
runs on a machine without Django and without a database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]
StepKind = Literal["system", "user", "assistant", "reasoning", "tool_call", "tool_result"]
Split = Literal["train", "dev", "heldout"]
Answer = Literal["pass", "fail", "error"]
FinishReason = Literal["stop", "length"]
Outcome = Literal["answered", "turns_exhausted", "environment_error"]


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values have equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_of(value: Any) -> str:
    """sha256 (hex) of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, as a chat template sees it."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a policy writes. `temperature` 0 is greedy; `stop` strings end a turn and are kept."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_new_tokens: int = 24
    stop: tuple[str, ...] = ("\n",)


@dataclass(frozen=True, slots=True)
class Conversation:
    """An open conversation. `key` names it from turn to turn (a policy may cache under it);
    `messages` is all of it so far; `seed` makes its sampling repeatable in any batch."""

    key: str
    messages: tuple[Message, ...]
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """What a policy wrote for one conversation.

    `read`: token ids read since the last sampled token, one tuple for each new message and a last
    one for the assistant's opening (the generation prompt); a first tuple closes the previous
    assistant turn where there was one.
    `token_ids`, `logprobs` (natural log, under the sampling distribution at temperature 1) and
    `entropies` (nats, of the whole distribution at temperature 1) have one entry a sampled token.
    """

    text: str
    read: tuple[tuple[int, ...], ...]
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    entropies: tuple[float, ...]
    finish_reason: FinishReason
    latency_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """One problem. `prompt` is what the agent reads; `reference` is for the verifier and the
    environment alone (a price list, the right total); `fingerprint` is equal for equal problems.

    `verifier` is the task's own verifier specification (see `improvement.verifiers.build`); empty:
    the agent's recipe names one. `cluster` is equal for near-duplicates: a cluster is never in two
    splits, and a block holds at most one task of it; empty: the task is alone.
    """

    key: str
    family: str
    level: int
    split: Split
    prompt: str
    reference: Mapping[str, Any]
    fingerprint: str
    verifier: Mapping[str, Any] = field(default_factory=dict)
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """What an environment answers to one turn. An `error` is told to the agent, never raised."""

    tool: str = ""
    arguments: str = ""
    result: str = ""
    error: str = ""
    done: bool = False

    @property
    def text(self) -> str:
        """The words that the agent reads next."""
        return f"error: {self.error}" if self.error else self.result


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a trajectory. `tokens` counts the ids in this step; `sampled` says that the
    policy wrote them."""

    kind: StepKind
    content: str
    tool: str = ""
    arguments: str = ""
    error: str = ""
    latency_ms: float = 0.0
    tokens: int = 0
    sampled: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of token ids of one origin, in reading order. `role` is "prompt" for the system line,
    "example" for worked examples, "task" for the wish, "turn" for all that follows; only sampled
    segments carry `logprobs` and `entropies` (one entry a token)."""

    role: Literal["prompt", "example", "task", "turn"]
    token_ids: tuple[int, ...]
    sampled: bool = False
    logprobs: tuple[float, ...] = ()
    entropies: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class TrajectoryRecord:
    """The complete record of one attempt at one task."""

    task_key: str
    sample: int
    steps: tuple[Step, ...]
    segments: tuple[Segment, ...]
    outcome: Outcome
    final_answer: str
    clipped: bool
    latency_ms: float
    seed: int
    error: str = ""

    @property
    def sampled_tokens(self) -> int:
        return sum(len(s.token_ids) for s in self.segments if s.sampled)

    @property
    def read_tokens(self) -> int:
        return sum(len(s.token_ids) for s in self.segments if not s.sampled)

    @property
    def tools_used(self) -> tuple[str, ...]:
        return tuple(s.tool for s in self.steps if s.kind == "tool_call")


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verifier's answer. A verifier that could not do its work answers "error", with score
    None; that is never a fail. `evidence` is JSON and holds at least reason, expected, found and
    step (index of the deciding step, or None)."""

    answer: Answer
    score: float | None
    evidence: Mapping[str, Any]
    latency_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A hand-checked example: the messages after the system line, the assistant's among them."""

    key: str
    family: str
    level: int
    messages: tuple[Message, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Example:
    """One training example: `token_ids` as read and written, `learn[i]` true where the policy (or
    the demonstrating person) wrote token i and the loss counts it. Equal lengths."""

    key: str
    token_ids: tuple[int, ...]
    learn: tuple[bool, ...]
    source: Literal["own", "human", "external"] = "own"
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Bundle:
    """All that makes an agent behave as it does. A change to any field is another candidate."""

    base_model: str
    system_prompt: str
    adapter: str = ""
    worked_examples: tuple[Message, ...] = ()
    tools: tuple[str, ...] = ()
    memory: tuple[str, ...] = ()
    decoding: Sampling = field(default_factory=Sampling)

    @property
    def digest(self) -> str:
        return digest_of(asdict(self))

    def with_adapter(self, adapter: str, *, keep_examples: bool) -> Bundle:
        """This bundle with another adapter, and without its worked examples unless kept."""
        examples = self.worked_examples if keep_examples else ()
        return replace(self, adapter=adapter, worked_examples=examples)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Bundle:
        """The inverse of `dataclasses.asdict`, after a trip through JSON."""
        examples = tuple(Message(**m) for m in value.get("worked_examples", ()))
        decoding = dict(value.get("decoding", {}))
        decoding["stop"] = tuple(decoding.get("stop", ()))
        return cls(
            base_model=value["base_model"],
            system_prompt=value["system_prompt"],
            adapter=value.get("adapter", ""),
            worked_examples=examples,
            tools=tuple(value.get("tools", ())),
            memory=tuple(value.get("memory", ())),
            decoding=Sampling(**decoding),
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a long piece of work stands; `rate` is in `unit` a second."""

    done: int
    total: int
    unit: str
    rate: float = 0.0
    note: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def seconds_left(self) -> float | None:
        return (self.total - self.done) / self.rate if self.rate > 0 else None
