"""An environment: the world that an agent acts in, one small class (see docs/own-agent.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from improvement.records import Demonstration, Message, Observation, Sampling, TaskRecord


class Episode(Protocol):
    """One attempt at one task. `act` answers a turn; what the agent does wrong is an
    Observation with an error, never an exception."""

    def act(self, text: str) -> Observation: ...

    def goal_state(self) -> str:
        """What the world holds at the end, for the verifier (the till: the answered total)."""
        ...


class Environment(Protocol):
    """A world with tools. The policy never sees `TaskRecord.reference`; the episode does."""

    @property
    def name(self) -> str: ...

    @property
    def tools(self) -> tuple[str, ...]: ...

    @property
    def families(self) -> Mapping[int, str]:
        """Level → the family of its tasks."""
        ...

    @property
    def max_turns(self) -> int: ...

    @property
    def system_prompt(self) -> str: ...

    @property
    def worked_examples(self) -> tuple[Message, ...]: ...

    @property
    def decoding(self) -> Sampling:
        """How the champion writes: temperature, the most tokens a turn, what ends a turn."""
        ...

    def generate(self, seed: int, level: int) -> TaskRecord:
        """A task of that level. Equal seeds give equal tasks; the split follows from the
        fingerprint, so that no problem can be in two splits."""
        ...

    def start(self, task: TaskRecord) -> Episode: ...

    def demonstrations(self) -> Sequence[Demonstration]: ...
