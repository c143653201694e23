"""What curation is given and what it gives: frozen records of the training room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from improvement.records import digest_of

Source = Literal["own", "human", "external"]
NOT_VERIFIED = "not verified"
CLIPPED = "clipped"
DUPLICATE = "duplicate"
PER_TASK = "over the cap per task"
TOTAL = "over the total"
NO_SHARE = "human examples have no share at this level"
CONTAMINATED = "contaminated: the task is in a held-out set"


@dataclass(frozen=True, slots=True)
class CuratedItem:
    """A candidate for the dataset. `signature` is equal for attempts that did the same (see
    `examples.signature_of`); `verified` is true only for a verifier's pass or a hand-check."""

    key: str
    source: Source
    family: str
    level: int
    fingerprint: str
    signature: str
    tokens_sha256: str
    verified: bool
    clipped: bool = False


@dataclass(frozen=True, slots=True)
class CurationPolicy:
    """What the dataset must look like.

    `human_share` of the draws of each level come from people, as far as `max_draws` an epoch of
    one demonstration allows; `share_by_level` overrides it for a level. A level that has
    demonstrations and a share above 0 is drawn from people at least `min_human_draws` times an
    epoch.
    """

    per_task: int = 2
    total: int = 2000
    human_share: float = 0.2
    share_by_level: Mapping[int, float] = field(default_factory=dict)
    min_human_draws: int = 0
    max_draws: float = 8.0
    seed: int = 0

    def __post_init__(self) -> None:
        for share in (self.human_share, *self.share_by_level.values()):
            if not 0 <= share < 1:
                raise ValueError(f"a share of human examples of {share} is not in [0, 1)")
        if self.per_task < 1 or self.total < 1 or self.max_draws <= 0:
            raise ValueError("caps of a curation policy must be positive")


@dataclass(frozen=True, slots=True)
class Entry:
    """A kept item; `weight` draws an epoch."""

    key: str
    source: Source
    family: str
    level: int
    fingerprint: str
    tokens_sha256: str
    weight: float


@dataclass(frozen=True, slots=True)
class Dropped:
    """An item left out, and the reason."""

    key: str
    source: Source
    reason: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A frozen dataset. Shares are of draws; `counts` is items by "source" and "source/level"."""

    entries: tuple[Entry, ...]
    dropped: tuple[Dropped, ...]
    counts: Mapping[str, int]
    human_share: float
    self_generated_share: float
    policy: CurationPolicy
    heldout_digest: str

    @property
    def contaminated(self) -> tuple[Dropped, ...]:
        """Items that met a held-out task: kept out here, and the caller must stop and look."""
        return tuple(d for d in self.dropped if d.reason == CONTAMINATED)

    @property
    def digest(self) -> str:
        return digest_of(self.as_json())

    def as_json(self) -> dict[str, Any]:
        value = asdict(self)
        value["policy"]["share_by_level"] = {
            str(k): v for k, v in sorted(self.policy.share_by_level.items())
        }
        return value
