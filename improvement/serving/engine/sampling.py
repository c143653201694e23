"""Chooses tokens. A row's draw depends on its seed and its position alone, not on its batch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from improvement.records import Sampling

ROWS = 8  # rows at a time: their logits stay in the processor's cache


@dataclass(frozen=True, slots=True)
class Chosen:
    """One entry a row: the token, its log-probability and the entropy at temperature 1 (nats)."""

    tokens: list[int]
    logprobs: list[float]
    entropies: list[float]


def uniform(seed: int, position: int) -> float:
    """A number in [0, 1) that belongs to this seed and position (counter-based, by BLAKE2b)."""
    digest = hashlib.blake2b(f"{seed}:{position}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest) >> 11) * 2.0**-53


def choose(logits: torch.Tensor, draws: Sequence[float], sampling: Sampling) -> Chosen:
    """One token a row of `logits` (rows, vocabulary); `draws` are uniform in [0, 1)."""
    parts = [
        _choose(logits[i : i + ROWS].float(), draws[i : i + ROWS], sampling)
        for i in range(0, len(draws), ROWS)
    ]
    tokens, logprobs, entropies = (
        torch.cat(column).tolist() for column in zip(*parts, strict=True)
    )
    return Chosen(tokens, logprobs, entropies)


def _choose(
    logits: torch.Tensor, draws: Sequence[float], sampling: Sampling
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    total = torch.logsumexp(logits, -1)
    probabilities = torch.exp(logits - total.unsqueeze(1))
    entropy = total - torch.linalg.vecdot(probabilities, logits)
    if sampling.temperature == 0:
        tokens = logits.argmax(-1)
    else:
        tokens = _draw(logits, probabilities, draws, sampling)
    logprob = logits.gather(1, tokens.unsqueeze(1)).squeeze(1) - total
    return tokens, logprob, entropy


def _draw(
    logits: torch.Tensor, probabilities: torch.Tensor, draws: Sequence[float], sampling: Sampling
) -> torch.Tensor:
    """By the inverse of the cumulated distribution."""
    if sampling.temperature != 1:
        probabilities = torch.softmax(logits / sampling.temperature, -1)
    order = None
    if sampling.top_p < 1:
        probabilities, order = probabilities.sort(dim=-1, descending=True)
        before = probabilities.cumsum(-1) - probabilities
        probabilities = probabilities.masked_fill(before >= sampling.top_p, 0.0)
    cumulated = probabilities.cumsum(-1)
    u = torch.tensor(draws, dtype=torch.float32, device=logits.device).clamp(max=1 - 2**-24)
    picked = torch.searchsorted(cumulated, u.unsqueeze(1) * cumulated[:, -1:], right=True)
    picked = picked.clamp_(max=logits.shape[1] - 1)
    if order is not None:
        picked = order.gather(1, picked)
    return picked.squeeze(1)
