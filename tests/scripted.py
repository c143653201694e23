"""A policy that plays the till by a script with a chosen skill, with the tiny model's token ids.

It stands in for generation alone where a test is about the loop and not about a model.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from improvement.records import Completion, Conversation, Message, Sampling
from tests.tiny_model import tiny_tokenizer


class ScriptedPolicy:
    """Serves each customer rightly with probability `skill`, which its seed decides."""

    def __init__(self, skill: float) -> None:
        self.skill = skill
        self.turns = 0
        self._read: dict[str, int] = {}
        self._tokenizer = tiny_tokenizer()

    def generate(
        self, conversations: Sequence[Conversation], sampling: Sampling
    ) -> list[Completion]:
        self.turns += 1
        return [self._answer(c) for c in conversations]

    def forget(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._read.pop(key, None)

    def _answer(self, c: Conversation) -> Completion:
        new = c.messages[self._read.get(c.key, 0) :]
        read = [self._ids(f"<|im_start|>{m.role}\n{m.content}<|im_end|>\n") for m in new]
        read.append(self._ids("<|im_start|>assistant\n"))
        self._read[c.key] = len(c.messages) + 1
        text = self._command(c)
        ids = self._ids(text + "<|im_end|>")
        flat = (0.0,) * len(ids)
        return Completion(text, tuple(read), ids, flat, flat, "stop")

    def _ids(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False))

    def _command(self, c: Conversation) -> str:
        start = max(i for i, m in enumerate(c.messages) if m.content.startswith("customer wants"))
        order = re.findall(r"(\d+) (\w+)", c.messages[start].content)
        said = list(c.messages[start + 1 :])
        if random.Random(f"{c.key}:{c.seed}").random() > self.skill:
            return "answer 0"
        return _next_command(order, said)


def _next_command(order: list[tuple[str, str]], said: list[Message]) -> str:
    heard = [m.content for m in said if m.role == "user"]
    if len(heard) < len(order):
        return f"price {order[len(heard)][1]}"
    if len(heard) == len(order):
        prices = [h.split()[-1] for h in heard]
        return "calc " + "+".join(f"{q}*{p}" for (q, _), p in zip(order, prices, strict=True))
    return f"answer {heard[-1]}"


class ScriptedSums(ScriptedPolicy):
    """Answers "What is A + B?" rightly with probability `skill`."""

    def _command(self, c: Conversation) -> str:
        left, right = re.findall(r"\d+", c.messages[-1].content)
        lucky = random.Random(f"{c.key}:{c.seed}").random() <= self.skill
        return f"That makes\n{int(left) + int(right) + (not lucky)}"
