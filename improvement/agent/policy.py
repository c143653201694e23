"""What the harness asks of a language model, whoever serves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from improvement.records import Completion, Conversation, Sampling


class Policy(Protocol):
    """Writes the next assistant turn of many conversations at once.

    A conversation comes back under the same `key`, with its new messages appended, so that an
    implementation may keep its cache from turn to turn. `forget` drops such caches.
    """

    def generate(
        self, conversations: Sequence[Conversation], sampling: Sampling
    ) -> list[Completion]: ...

    def forget(self, keys: Sequence[str]) -> None: ...
