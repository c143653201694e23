"""Question and answer: the world of an agent over an imported suite. One turn, no tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from improvement.records import Demonstration, Message, Observation, Sampling, TaskRecord

SYSTEM_PROMPT = "Solve the task. Think step by step and put the final answer on the last line."


class AnswersEpisode:
    """The attempt ends with the first turn; all of it is the answer."""

    def __init__(self) -> None:
        self._answer = ""

    def act(self, text: str) -> Observation:
        self._answer = text.rstrip()  # the indentation of a completion matters
        return Observation(done=True)

    def goal_state(self) -> str:
        return self._answer


@dataclass(frozen=True, slots=True)
class Answers:
    """The tasks come from the suite, so this environment generates none itself."""

    system_prompt: str = SYSTEM_PROMPT
    families: Mapping[int, str] = field(default_factory=lambda: {1: "questions"})
    worked_examples: tuple[Message, ...] = ()
    name: str = "answers"
    tools: tuple[str, ...] = ()
    max_turns: int = 1
    decoding: Sampling = field(default_factory=lambda: Sampling(max_new_tokens=256, stop=()))

    def generate(self, seed: int, level: int) -> TaskRecord:
        raise NotImplementedError(
            "the tasks of this environment are a suite's: manage.py create_agent NAME --suite SUITE"
        )

    def start(self, task: TaskRecord) -> AnswersEpisode:  # noqa: ARG002
        return AnswersEpisode()

    def demonstrations(self) -> Sequence[Demonstration]:
        return ()
