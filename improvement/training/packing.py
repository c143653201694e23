"""Runs a batch of sequences through a model without padding and without reading anything twice.

The sequences of a batch are laid out as a prefix tree: tokens that have the same tokens before
them are one row. That is exact, because in a causal model a row depends on nothing else. Linear
layers see the rows; attention gathers them into one line a sequence and runs causally (what lies
right of a sequence's end is never looked at), so no mask is built.

Needs a causal transformer with global attention whose transformers class takes a registered
attention function.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface

from improvement.records import Example
from improvement.training.recipe import BaseModelUnusable

ATTENTION = "pawl_prefix_tree"


@dataclass(frozen=True, slots=True)
class Pack:
    """A prefix tree over `lines` sequences of at most `width` tokens, in `rows` distinct rows.

    `token_ids`, `positions`: (1, rows). `gather`: (lines, width), the row of each token, row 0
    where a line has ended. `scatter`: (rows,), where in the flat lines each row is found.
    `at`, `target`, `times`: (n,), the row that predicts, the token it should, and how often.
    `tokens`: ids in the sequences, shared ones counted each time.
    """

    token_ids: torch.Tensor
    positions: torch.Tensor
    gather: torch.Tensor
    scatter: torch.Tensor
    at: torch.Tensor
    target: torch.Tensor
    times: torch.Tensor
    tokens: int


def pack(examples: Sequence[Example], device: torch.device | str = "cpu") -> Pack:
    """The prefix tree of these examples."""
    children: dict[tuple[int, int], int] = {}
    ids: list[int] = []
    depth: list[int] = []
    first: list[int] = []
    learned: Counter[tuple[int, int]] = Counter()
    width = max(len(e.token_ids) for e in examples)
    lines = []
    for number, example in enumerate(examples):
        row, line = -1, []
        for t, (token, learn) in enumerate(zip(example.token_ids, example.learn, strict=True)):
            if learn and t:
                learned[row, token] += 1
            parent, row = row, children.setdefault((row, token), len(ids))
            if row == len(ids):
                ids.append(token)
                depth.append(t)
                first.append(number * width + t)
            line.append(row)
            assert row > parent
        lines.append(line + [0] * (width - len(line)))
    at, target = zip(*learned, strict=True)

    def long(values: Any) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.long, device=device)

    return Pack(
        token_ids=long([ids]),
        positions=long([depth]),
        gather=long(lines),
        scatter=long(first),
        at=long(at),
        target=long(target),
        times=torch.tensor(list(learned.values()), dtype=torch.float32, device=device),
        tokens=sum(len(e.token_ids) for e in examples),
    )


def summed_loss(model: Any, batch: Pack) -> torch.Tensor:
    """Cross-entropy (nats) summed over every learned token of the batch, float32. The output
    layer is applied only where a token is learned. `model`: a causal LM loaded with ATTENTION."""
    hidden = model.get_decoder()(
        input_ids=batch.token_ids, position_ids=batch.positions, use_cache=False, prefix_tree=batch
    ).last_hidden_state[0]
    logits = model.get_output_embeddings()(functional.embedding(batch.at, hidden))
    losses = functional.cross_entropy(logits.float(), batch.target, reduction="none")
    return (losses * batch.times).sum()


def _attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    *,
    prefix_tree: Pack,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """(1, heads, rows, d) to (1, rows, heads, d). Rows are gathered with `embedding`, whose
    backward pass adds up repeated rows in a fixed order and in parallel, unlike indexing."""
    if attention_mask is not None or others.get("softcap") or others.get("sliding_window"):
        raise BaseModelUnusable(
            f"{type(module).__name__} uses sliding windows, capped scores or a mask of its own, "
            "which packed training doesn't follow. Choose a base model with plain attention."
        )
    lines, width = batch_shape = prefix_tree.gather.shape

    def in_lines(x: torch.Tensor) -> torch.Tensor:
        rows = x[0].transpose(0, 1).flatten(1)
        return (
            functional.embedding(prefix_tree.gather, rows)
            .view(*batch_shape, *x.shape[1::2])
            .transpose(1, 2)
        )

    out = functional.scaled_dot_product_attention(
        in_lines(query),
        in_lines(key),
        in_lines(value),
        is_causal=True,
        dropout_p=dropout,
        scale=scaling,
        enable_gqa=query.shape[1] != key.shape[1],
    )
    flat = out.transpose(1, 2).reshape(lines * width, -1)
    rows = functional.embedding(prefix_tree.scatter, flat)
    return rows.view(1, rows.shape[0], query.shape[1], -1), None


AttentionInterface.register(ATTENTION, _attend)
