"""Finds what new conversations begin with in common, and reads it once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from improvement.serving.engine.attention import Prefix
from improvement.serving.engine.forward import Runner
from improvement.serving.engine.kv import Block, KvShape

if TYPE_CHECKING:
    from improvement.serving.engine.state import Open

SHORTEST = 16  # tokens: below that a prefix of its own does not pay
KEPT = 4  # prefixes kept for the next call
WORTH = 256  # tokens saved in all that make a longer prefix worth a group of its own


class Prefixes:
    """The prefixes of one policy, the most recently used first."""

    def __init__(self, runner: Runner, shape: KvShape) -> None:
        self.runner, self.shape = runner, shape
        self.kept: list[Prefix] = []

    def assign(self, new: Sequence[Open]) -> None:
        """Give each new conversation the prefix that all of them share, and leave the rest
        unread. A lone conversation shares all but its last message and its opening."""
        if not new:
            return
        common = _common(new)
        if len(common) < SHORTEST:
            return
        prefix = self._known(common, len(new)) or self._read(common)
        self.kept = [prefix, *(p for p in self.kept if p is not prefix)][:KEPT]
        for conversation in new:
            conversation.prefix = prefix
            del conversation.unread[: len(prefix.tokens)]

    def _known(self, common: tuple[int, ...], rows: int) -> Prefix | None:
        """The longest kept prefix that `common` begins with, if it is long enough."""
        fitting = [p for p in self.kept if common[: len(p.tokens)] == p.tokens]
        best = max(fitting, key=lambda p: len(p.tokens), default=None)
        if best is None or (len(common) - len(best.tokens)) * (rows - 1) > WORTH:
            return None
        return best

    def _read(self, common: tuple[int, ...]) -> Prefix:
        """A new prefix; what it shares with a kept one is copied, the rest is read."""
        prefix = Prefix(common, Block(self.shape, 1, len(common)))
        shared = [(_shared(p.tokens, common), i) for i, p in enumerate(self.kept)]
        done, index = max(shared, default=(0, 0))
        if done:
            prefix.block.copy_from(self.kept[index].block, 0, 0, done)
        self.runner.read_prefix(prefix, done)
        return prefix


def _common(new: Sequence[Open]) -> tuple[int, ...]:
    """What all begin with; at least one token of each stays its own."""
    if len(new) == 1:
        return tuple(token for piece in new[0].read[:-2] for token in piece)
    rows = [conversation.unread for conversation in new]
    return tuple(rows[0][: min(_shared(*rows), min(map(len, rows)) - 1)])


def _shared(*rows: Any) -> int:
    """How many first tokens all rows share. Only the first and the last in order need comparing."""
    low, high = min(rows), max(rows)
    pairs = enumerate(zip(low, high, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(low), len(high)))
