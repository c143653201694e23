"""The budget of judge calls, safe for threads: a call is taken from it before it is made."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from improvement.records import Message
from improvement.verifiers.base import Budget
from improvement.verifiers.judging.troubles import Trouble

USED_UP = "the budget of judge calls of this run is used up"
CHARACTERS_PER_TOKEN = 4
MOST_TOKENS = 10_000_000

_lock = threading.Lock()  # one for all budgets: held for a few additions


def estimate(messages: Sequence[Message], written: str = "") -> int:
    """Tokens of a call whose server does not count them."""
    characters = sum(len(m.content) for m in messages) + len(written)
    return -(-characters // CHARACTERS_PER_TOKEN)


def counted(usage: object, otherwise: int) -> int:
    """`usage["total_tokens"]` where it is a possible number, else the estimate."""
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    sound = isinstance(total, int) and not isinstance(total, bool) and 0 < total <= MOST_TOKENS
    return total if sound and isinstance(total, int) else otherwise


def take(budget: Budget, tokens: int) -> None:
    """One call and the tokens that it will read; Trouble when nothing is left."""
    with _lock:
        if not budget.left:
            raise Trouble(USED_UP)
        budget.spend(tokens)


def settle(budget: Budget, taken: int, used: int) -> None:
    """Replace the tokens that were taken beforehand by those that were used."""
    with _lock:
        budget.used_tokens += used - taken
