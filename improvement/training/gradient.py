"""The gradient of one batch, in as many passes as memory asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.nn import functional

from improvement.records import Example
from improvement.training.packing import pack, summed_loss
from improvement.training.recipe import BaseModelUnusable, TrainingError


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


def check(peft_model: Any, examples: Sequence[Example], device: torch.device) -> None:
    """Refuse a base model whose own logits are not what the training computes (some scale or cap
    them after the output layer), or that reads less than the longest example."""
    limit = getattr(peft_model.config, "max_position_embeddings", None)
    longest = max(examples, key=lambda e: len(e.token_ids))
    if limit and len(longest.token_ids) > limit:
        raise TrainingError(
            f"{longest.key} has {len(longest.token_ids)} tokens; the base model reads {limit}. "
            "Leave it out, or drop the worked examples of the prompt."
        )
    tree = pack([min(examples, key=lambda e: len(e.token_ids))], device)
    peft_model.eval()
    with torch.no_grad():
        logits = peft_model(
            input_ids=tree.token_ids, position_ids=tree.positions, use_cache=False, prefix_tree=tree
        ).logits[0, tree.at]
        own = functional.cross_entropy(logits.float(), tree.target, reduction="none") @ tree.times
        ours = summed_loss(peft_model.get_base_model(), tree)
    peft_model.train()
    if not torch.allclose(own, ours, rtol=0.01, atol=0.01, equal_nan=True):
        raise BaseModelUnusable(
            f"{type(peft_model.get_base_model()).__name__} changes its logits after the output "
            "layer, which training doesn't follow. Choose another base model."
        )


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
