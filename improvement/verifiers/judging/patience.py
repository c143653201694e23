"""How often a server is asked again, and how long is waited in between."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

RETRIED = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


@dataclass(frozen=True, slots=True)
class Patience:
    """At most `tries` requests for one answer; `base` seconds before the second, twice as many
    before each next one, never more than `longest`, whatever the server asks for."""

    tries: int = 4
    base: float = 0.5
    longest: float = 30.0

    def wait(self, attempt: int, retry_after: str = "") -> float:
        """Seconds after failed try number `attempt` (from 0), with jitter (half to whole)."""
        own = self.base * 2**attempt * (0.5 + random.random() / 2)  # noqa: S311  not a secret
        return min(self.longest, max(own, asked_wait(retry_after)))


def asked_wait(retry_after: str) -> float:
    """The seconds that a Retry-After header asks for (a number or a date), 0 where unreadable."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
