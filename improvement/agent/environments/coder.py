"""The second agent's world: a function to write, its visible tests, and up to three rounds.

A round is a turn: the agent writes a program, the visible tests run in the sandbox, and what went
wrong is its next reading. The last program is the goal state, whether or not its tests pass: the
hidden tests are the verifier's. The expected values never go into the sandbox.

Limits: what the agent writes is never parsed here; a program is at most MOST_CHARACTERS long.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from improvement.agent.environments.coder_report import report
from improvement.agent.environments.coder_tasks import functions, named
from improvement.records import Demonstration, Message, Observation, Sampling, TaskRecord
from improvement.sandbox.pool import sandbox
from improvement.sandbox.records import Call, Limits

ROUNDS = 3
MOST_CHARACTERS = 20_000
LIMITS = Limits(seconds=5.0, call_seconds=2.0, memory=256 << 20, output=64 << 10, result=64 << 10)
SYSTEM_PROMPT = (
    "You write short Python functions. Answer with one ```python block and nothing else. "
    "When a test fails, write the whole function again, repaired."
)
NO_CODE = "write the whole function in one ```python block"
SAME_AGAIN = "this is the same program as before"
_FENCE = re.compile(r"^[ \t]*```[ \t]*(?:python3?|py)?[ \t]*$", re.IGNORECASE)


def program(text: str, name: str) -> str:
    """The program in what the agent wrote: the last fenced block that mentions `def name`, a last
    block that is not closed included; without a fence, the text from its first `def` or import
    on. "" where there is none."""
    head = f"def {name}("
    if "```" in text:
        return next((b for b in reversed(_blocks(text)) if head in b), "")
    if head not in text:
        return ""
    lines = text.splitlines()
    starts = ("def ", "import ", "from ", "@")
    first = next((i for i, line in enumerate(lines) if line.startswith(starts)), 0)
    return "\n".join(lines[first:]).strip("\n") + "\n"


def _blocks(text: str) -> list[str]:
    blocks: list[str] = []
    lines: list[str] | None = None
    for line in text.splitlines():
        if not (line.strip() == "```" or (lines is None and _FENCE.match(line))):
            if lines is not None:
                lines.append(line)
        elif lines is None:
            lines = []
        else:
            blocks.append("\n".join(lines).strip("\n") + "\n")
            lines = None
    return [*blocks, "\n".join(lines).strip("\n") + "\n"] if lines else blocks


class CoderEpisode:
    """One function to write."""

    def __init__(self, reference: Mapping[str, Any]) -> None:
        self._name: str = reference["entry_point"]
        self._cases: list[dict[str, Any]] = reference["cases"][: reference["visible"]]
        self._program = ""
        self._rounds = 0

    def act(self, text: str) -> Observation:
        self._rounds += 1
        last = self._rounds >= ROUNDS
        if len(text) > MOST_CHARACTERS:
            return Observation(error=f"write at most {MOST_CHARACTERS:,} characters", done=last)
        written = program(text, self._name)
        if not written:
            return Observation(error=NO_CODE, done=last)
        again = [SAME_AGAIN] if written == self._program else []
        self._program = written
        wrong = self._failures(written)
        said = "\n".join([*wrong, *again]) if wrong else "all tests pass"
        return Observation("tests", written, result=said, done=last or not wrong)

    def goal_state(self) -> str:
        return self._program

    def _failures(self, written: str) -> list[str]:
        """What the visible tests found wrong; SandboxRefused is the environment's failure."""
        calls = [Call(self._name, tuple(case["args"])) for case in self._cases]
        return report(self._name, self._cases, sandbox().run(written, calls, LIMITS))


class Coder:
    """The programmer's desk: tasks from a seed, tests to be run, demonstrations by hand."""

    name = "coder"
    tools = ("tests",)
    families = {1: "one-liners", 2: "loops and collections", 3: "small algorithms"}
    max_turns = ROUNDS
    system_prompt = SYSTEM_PROMPT
    decoding = Sampling(max_new_tokens=160, stop=("\n```\n",))

    @property
    def worked_examples(self) -> tuple[Message, ...]:
        """Functions written by hand, one of them repaired; none of them is a task."""
        return tuple(Message(role, text) for role, text in self._written()["worked_examples"])

    def demonstrations(self) -> Sequence[Demonstration]:
        return [self._demonstration(row) for row in self._written()["demonstrations"]]

    def generate(self, seed: int, level: int) -> TaskRecord:
        if level not in self.families:
            raise ValueError(f"the coder has levels {list(self.families)}, not {level}")
        dice = random.Random(f"coder:{level}:{seed}")  # noqa: S311  tasks, not secrets
        function = dice.choice(functions()[level])
        return function.task(dice.randrange(len(function.variants)), self.families[level])

    def start(self, task: TaskRecord) -> CoderEpisode:
        return CoderEpisode(task.reference)

    def _written(self) -> dict[str, Any]:
        place = Path(__file__).with_name("coder_demonstrations.json")
        written: dict[str, Any] = json.loads(place.read_text())
        return written

    def _demonstration(self, row: Mapping[str, Any]) -> Demonstration:
        function = named(row["function"])
        task = function.task(row["variant"], self.families[function.level])
        turns = [Message(role, text) for role, text in row["turns"]]
        return Demonstration(
            key=row["key"],
            family=task.family,
            level=task.level,
            messages=(Message("user", task.prompt), *turns),
            fingerprint=task.fingerprint,
        )
