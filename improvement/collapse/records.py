"""What the collapse room measures and reports: frozen records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SignalValue:
    """A measured collapse or drift quantity with its interval (95 %), over `n` observations."""

    name: str
    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Breach:
    """A signal outside its bounds against a baseline ("generation 0" or "champion")."""

    signal: str
    against: str
    level: Literal["amber", "red"]
    value: float
    baseline: float
    limit: float
    sentence: str
