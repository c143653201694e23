"""Asks a model on this machine, through the writer that the workshop hands out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from improvement.records import Message
from improvement.verifiers.base import Budget, Writer
from improvement.verifiers.judging import spending
from improvement.verifiers.judging.troubles import Trouble


@dataclass(slots=True)
class Local:
    """One local model, loaded when it is first asked; one call at a time."""

    model: str
    load: Callable[[str], Writer]
    budget: Budget
    _writer: Writer | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def ask(self, messages: Sequence[Message], seed: int, schema: Mapping[str, Any]) -> str:  # noqa: ARG002
        """The text that the model wrote. A model here is told the schema in words alone."""
        before = spending.estimate(messages)
        spending.take(self.budget, before)
        try:
            with self._lock:
                self._writer = self._writer or self.load(self.model)
                text = self._writer(messages, seed)
        except Exception as error:
            kind = type(error).__name__
            raise Trouble(f"the local model {self.model!r} failed ({kind})") from error
        spending.settle(self.budget, before, spending.estimate(messages, text))
        return text

    def hide(self, text: str) -> str:
        """`text` as it is: no secret goes to a model here."""
        return text
