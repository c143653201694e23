"""The gradient of one batch, in as many passes as memory asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from improvement.records import Example
from improvement.training.packing import pack, summed_loss


def accumulate(
    peft_model: Any, batch: Sequence[Example], rows: int, device: torch.device, dtype: torch.dtype
) -> tuple[float, int]:
    """Add the gradient of the batch's mean loss; that loss (nats a learned token) and the number
    of distinct tokens computed. `rows` bounds the distinct tokens of a pass."""
    learned = sum(sum(e.learn[1:]) for e in batch)
    total, computed = 0.0, 0
    for part in passes(batch, rows):
        tree = pack(part, device)
        with torch.autocast(device.type, dtype, enabled=dtype is not torch.float32):
            loss = summed_loss(peft_model.get_base_model(), tree) / learned
        loss.backward()
        total += loss.item()
        computed += tree.token_ids.shape[1]
    return total, computed


def passes(batch: Sequence[Example], rows: int) -> Iterator[list[Example]]:
    """The batch in parts of at most `rows` distinct tokens each (one example at least), those
    with a common beginning together."""
    part: list[Example] = []
    used = 0
    for example in sorted(batch, key=lambda e: e.token_ids):
        new = len(example.token_ids) - (_shared(part[-1], example) if part else 0)
        if part and used + new > rows:
            yield part
            part, used, new = [], 0, len(example.token_ids)
        part.append(example)
        used += new
    yield part


def _shared(one: Example, other: Example) -> int:
    """How many tokens two examples begin with in common."""
    for i, (a, b) in enumerate(zip(one.token_ids, other.token_ids, strict=False)):
        if a != b:
            return i
    return min(len(one.token_ids), len(other.token_ids))
